#include "sync/set_sender.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/safety.h"

namespace hamn::sync {

namespace {

constexpr std::uint64_t most_entries_per_batch = 25'000;
constexpr std::uint64_t most_bytes_per_batch = 256ULL << 20U;
constexpr std::size_t most_batches_in_flight = 2;
constexpr std::size_t most_kept_problems = 1000;

/// The size of the last generation is a good guess at this one's, until it turns out to be too low.
std::uint64_t expected(std::uint64_t last_time, std::uint64_t so_far) {
  return so_far <= last_time ? last_time : 0;
}

/// What is known before a pass that is not incremental. An object, since a diff points into it.
const std::vector<Entry> nothing;

Index open_index(const SendRequest& request) {
  std::string problem;
  auto index = open_or_replace_index(sender_index_path(request.state_directory, request.set.name),
                                     fingerprint(request.set), problem);
  if (!problem.empty()) {
    base::log(base::Level::warning, "the index of set " + request.set.name + " was damaged (" +
                                        problem + "); this pass compares all files");
  }
  return index;
}

}  // namespace

SetSender::SetSender(Connection& connection, const SendRequest& request, base::Clock& clock,
                     base::Progress& progress)
    : connection_(connection),
      request_(request),
      clock_(clock),
      progress_(progress),
      index_(open_index(request)),
      page_store_(request.state_directory + "/sync/" + request.set.name + ".pages"),
      state_(index_.state()) {
  result_.set = request.set.name;
}

SendResult SetSender::run() {
  const auto start = clock_.steady();
  const auto wire_before = connection_.writer().written_bytes() + connection_.inbox().read_bytes();
  result_.as_of = clock_.wall();
  greet();
  for (std::size_t root = 0; root < request_.set.roots.size(); ++root) {
    walk_root(static_cast<std::uint16_t>(root));
  }
  while (!outstanding_.empty()) {
    connection_.writer().flush();
    if (ready_.empty()) handle(connection_.inbox().take());
    answer_replies();
  }
  send_links();
  send_deletions();
  commit(true);
  while (!finished_) handle(connection_.inbox().take());
  progress_.finish();
  result_.generation = state_.generation;
  result_.mode = mode_;
  result_.wire_bytes =
      connection_.writer().written_bytes() + connection_.inbox().read_bytes() - wire_before;
  result_.elapsed = std::chrono::duration_cast<base::Milliseconds>(clock_.steady() - start);
  return std::move(result_);
}

void SetSender::greet() {
  Hello hello;
  hello.set = request_.set.name;
  hello.host = request_.host;
  hello.run = request_.run;
  hello.epoch = request_.epoch;
  hello.generation = state_.generation;
  // Deleting on request is for names that no index knows: everything is compared.
  hello.token = state_.complete && !request_.deletes ? state_.token : "";
  hello.as_of = result_.as_of;
  hello.profile = request_.set.profile;
  hello.deletes = deletes();
  hello.accept_deletions = request_.accept_deletions;
  hello.roots = request_.set.roots;
  connection_.writer().send(type(MessageType::hello), encode(hello));
  connection_.writer().flush();
  const auto reply = connection_.inbox().take();
  if (const auto* refusal = std::get_if<Refusal>(&reply)) throw PeerRefused{*refusal};
  const auto* welcome = std::get_if<Welcome>(&reply);
  if (welcome == nullptr) {
    throw base::Error{{.what = "the receiver did not greet",
                       .detail = "it sent something else",
                       .hint = "check that both hosts run the same version: hamn --version"}};
  }
  mode_ = welcome->mode;
  target_generation_ = std::max(state_.generation, welcome->generation) + 1;
  state_.roots = fingerprint(request_.set);
  state_.peer = welcome->host;
  state_.epoch = request_.epoch;
  if (mode_ != PassMode::incremental) index_.start_full_pass();
  // The first pass of a set makes its first generation, even if the set holds nothing.
  result_.changed = mode_ != PassMode::incremental;
}

void SetSender::walk_root(std::uint16_t root) {
  const auto& where = request_.set.roots[root];
  const auto top = std::make_shared<FoundDirectory>();
  top->key.root = root;
  top->before = index_.directory(top->key);
  auto opened = open_source(where.source_parent);
  if (opened) {
    top->directory = std::move(*opened);
    top->directory.looking.sees_all_kinds = is_faithful();
    top->listing = list_source(top->directory, request_.set, top->key);
  }
  if (!request_.accept_emptied) {
    const auto parent = where.source_parent == "/" ? "" : where.source_parent;
    refuse_emptied_source(request_.set.name, parent + "/" + where.pattern, top->before.size(),
                          top->listing.entries.size());
  }
  const bool known = mode_ == PassMode::incremental;
  Level level{.directory = top->directory, .key = top->key, .number = 0, .self = {}};
  distrust(level, nullptr, top->listing);
  if (!known && opened) declare(level);
  send_changes(level, top->before, top->listing);
  take_listing(*top, known);
  count(*top);
  walk_below(top);
}

void SetSender::walk_below(const std::shared_ptr<FoundDirectory>& top) {
  Walker walker{request_.set, sender_index_path(request_.state_directory, request_.set.name),
                mode_ == PassMode::incremental,
                request_.dirty && !is_faithful() ? &*request_.dirty : nullptr};
  walker.add(top);
  while (const auto found = walker.next()) {
    base::stop_if_interrupted();
    for (auto& problem : found->problems) note(std::move(problem));
    if (found->is_listed) send_directory(*found);
  }
}

void SetSender::send_directory(FoundDirectory& found) {
  const bool is_top = parent_of(found.key).path.empty();
  if (is_top && !found.is_unchanged && !request_.accept_emptied) {
    refuse_emptied_source(request_.set.name, found.directory.path, found.before.size(),
                          found.listing.entries.size());
  }
  Level level{.directory = found.directory,
              .key = found.key,
              .number = 0,
              .self = std::move(found.child.self)};
  if (is_top) distrust(level, find_entry(found.above->before, level.self.name), found.listing);
  if (found.child.is_visibly_different) result_.changed = true;
  if (found.child.is_different) declare(level);
  count(found);
  if (!found.is_unchanged) {
    send_changes(level, found.before, found.listing);
    found.listing = {};  // the directories below keep this one, but not what it held
    found.before = {};
  }
  answer_replies();
  commit_if_full();
  show();
}

void SetSender::send_changes(Level& level, const std::vector<Entry>& before, Listing& listing) {
  send_present(level, listing);
  // A name that cannot be seen through is not gone: its link may lead to what is not mounted.
  std::set<std::string> unseen;
  for (auto& problem : listing.problems) {
    if (problem.kind != ProblemKind::vanished) unseen.insert(problem.name());
    note(std::move(problem));
  }
  const bool known = mode_ == PassMode::incremental;
  const auto diff = diff_directory(known ? before : nothing, listing.entries);
  know_leaders(level, listing.entries, diff);
  for (const auto& [entry, change] : diff.changes) {
    send_file(level, *entry, find_entry(before, entry->name), change);
  }
  for (const auto* entry : diff.gone) {
    if (!unseen.contains(entry->name)) send_gone(level, *entry);
  }
}

void SetSender::name_owners(const Entry& entry) {
  if (is_faithful()) return;
  if (entry.uid != 0 && named_users_.insert(entry.uid).second) {
    if (const passwd* user = ::getpwuid(entry.uid)) {
      connection_.writer().send(
          type(MessageType::names),
          encode(Names{.is_group = false, .id = entry.uid, .name = user->pw_name}));
    }
  }
  if (entry.gid != 0 && named_groups_.insert(entry.gid).second) {
    if (const struct group* group = ::getgrgid(entry.gid)) {
      connection_.writer().send(
          type(MessageType::names),
          encode(Names{.is_group = true, .id = entry.gid, .name = group->gr_name}));
    }
  }
}

void SetSender::declare(Level& level) {
  if (level.number != 0) return;
  auto remembered = level.self;
  if (level.remembered_inode != 0) remembered.inode = level.remembered_inode;
  level.number = declare(level.key, level.self, remembered);
}

std::uint32_t SetSender::declare(const DirectoryKey& key, const Entry& self,
                                 const Entry& remembered) {
  const auto number = static_cast<std::uint32_t>(declared_.size()) + 1;
  declared_[number] = key;
  numbers_[key] = number;
  if (!key.path.empty()) name_owners(self);
  connection_.writer().send(type(MessageType::enter),
                            encode(Enter{.number = number, .key = key, .self = self}));
  if (mode_ != PassMode::incremental) batch_.directories[key].starts_empty = true;
  if (key.path.empty()) return number;
  batch_.put(parent_of(key), settled(remembered));
  ++entries_since_commit_;
  return number;
}

void SetSender::record(std::uint32_t directory, const Entry& entry) {
  batch_.put(declared_.at(directory), settled(entry));
  ++entries_since_commit_;
}

void SetSender::commit_if_full() {
  if (entries_since_commit_ < most_entries_per_batch &&
      bytes_since_commit_ < most_bytes_per_batch) {
    return;
  }
  commit(false);
  while (in_flight_.size() > most_batches_in_flight) handle(connection_.inbox().take());
}

void SetSender::commit(bool final) {
  const auto generation = result_.changed ? target_generation_ : state_.generation;
  connection_.writer().send(type(MessageType::commit),
                            encode(Commit{.batch = next_batch_,
                                          .final = final,
                                          .may_delete = final && deletes() && !is_incomplete_,
                                          .generation = generation}));
  connection_.writer().flush();
  in_flight_.push_back({.batch = next_batch_, .final = final, .changes = std::move(batch_)});
  batch_ = {};
  ++next_batch_;
  entries_since_commit_ = 0;
  bytes_since_commit_ = 0;
}

void SetSender::count(const FoundDirectory& found) {
  result_.files += found.files;
  result_.bytes += found.bytes;
}

void SetSender::note(Problem problem) {
  if (problem.kind == ProblemKind::unreadable) is_incomplete_ = true;
  if (is_note(problem.kind)) {
    ++result_.note_count;
  } else {
    ++result_.problem_count;
  }
  if (result_.problems.size() < most_kept_problems) result_.problems.push_back(std::move(problem));
}

void SetSender::show() {
  progress_.show({.label = request_.set.name,
                  .done_bytes = result_.bytes,
                  .total_bytes = expected(state_.bytes, result_.bytes),
                  .done_files = result_.files,
                  .total_files = expected(state_.files, result_.files)});
}

}  // namespace hamn::sync
