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

constexpr std::uint64_t most_entries_per_batch = 10'000;
constexpr std::uint64_t most_bytes_per_batch = 256ULL << 20U;
constexpr std::size_t most_batches_in_flight = 2;
constexpr std::size_t most_kept_problems = 1000;
constexpr std::size_t deepest_level = 200;

/// The size of the last generation is a good guess at this one's, until it turns out to be too low.
std::uint64_t expected(std::uint64_t last_time, std::uint64_t so_far) {
  return so_far <= last_time ? last_time : 0;
}

/// What is known before a pass that is not incremental. An object, since a diff points into it.
const std::vector<Entry> nothing;

std::uint8_t type(MessageType value) {
  return static_cast<std::uint8_t>(value);
}

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

bool looks_different(const Entry& a, const Entry& b) {
  return a.mode != b.mode || a.uid != b.uid || a.gid != b.gid || a.modified != b.modified;
}

}  // namespace

SetSender::SetSender(Connection& connection, const SendRequest& request, base::Clock& clock,
                     base::Progress& progress)
    : connection_(connection),
      request_(request),
      clock_(clock),
      progress_(progress),
      index_(open_index(request)),
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
  commit(true);
  while (!finished_) handle(connection_.inbox().take());
  progress_.finish();
  if (request_.dirty && mode_ == PassMode::incremental) {
    result_.files = index_.state().files;
    result_.bytes = index_.state().bytes;
  }
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
  hello.token = state_.complete ? state_.token : "";
  hello.as_of = result_.as_of;
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
  Level level{.directory = {}, .key = {.root = root, .path = {}}, .number = 0, .self = {}};
  auto opened = open_source(where.source_parent);
  const auto before = index_.directory(level.key);
  Listing listing;
  if (opened) {
    level.directory = std::move(*opened);
    listing = list_source(level.directory, request_.set, where.pattern);
  }
  if (!request_.accept_emptied) {
    const auto parent = where.source_parent == "/" ? "" : where.source_parent;
    refuse_emptied_source(request_.set.name, parent + "/" + where.pattern, before.size(),
                          listing.entries.size());
  }
  for (auto& problem : listing.problems) note(std::move(problem));
  count(listing);
  const bool known = mode_ == PassMode::incremental;
  const auto diff = diff_directory(known ? before : nothing, listing.entries);
  if (!known && opened) declare(level);
  for (const auto& [entry, change] : diff.changes) {
    send_file(level, *entry, find_entry(before, entry->name), change);
  }
  for (const auto* entry : diff.gone) send_gone(level, *entry);
  walk_below(level, diff, before);
}

bool SetSender::is_above(const OpenDirectory& directory) const {
  return std::find(ancestors_.begin(), ancestors_.end(),
                   std::pair{directory.device, directory.inode}) != ancestors_.end();
}

bool SetSender::may_skip(const std::string& walked, const Entry& entry,
                         const std::vector<Entry>& before) const {
  if (!request_.dirty || mode_ != PassMode::incremental) return false;
  const auto* known = find_entry(before, entry.name);
  if (known == nullptr || !(*known == entry)) return false;
  const auto path = walked.starts_with("//") ? walked.substr(1) : walked;  // below "/"
  if (request_.dirty->contains(path)) return false;
  // "a-b" sorts between "a" and "a/b".
  const auto inside = request_.dirty->lower_bound(path + "/");
  return inside == request_.dirty->end() || !inside->starts_with(path + "/");
}

void SetSender::walk_below(const Level& level, const DirectoryDiff& diff,
                           const std::vector<Entry>& before) {
  for (const auto* entry : diff.directories) {
    base::stop_if_interrupted();
    const auto path = level.directory.path + "/" + entry->name;
    if (may_skip(path, *entry, before)) continue;
    std::optional<OpenDirectory> opened;
    try {
      opened = open_below(level.directory, entry->name);
    } catch (const base::DiskError& error) {
      note({.kind = ProblemKind::unreadable, .path = path, .detail = error.detail()});
      continue;
    }
    if (!opened) {
      note({.kind = ProblemKind::vanished, .path = path, .detail = {}});
    } else if (is_above(*opened)) {
      note({.kind = ProblemKind::loop, .path = path, .detail = "a link to a directory above it"});
    } else if (ancestors_.size() >= deepest_level) {
      note({.kind = ProblemKind::unreadable, .path = path, .detail = "nested too deeply"});
    } else {
      Level child{.directory = std::move(*opened),
                  .key = below(level.key, entry->name),
                  .number = 0,
                  .self = *entry};
      ancestors_.emplace_back(child.directory.device, child.directory.inode);
      walk(child, before);
      ancestors_.pop_back();
    }
  }
}

void SetSender::walk(Level& level, const std::vector<Entry>& parent_before) {
  Listing listing;
  try {
    listing = list_source(level.directory, request_.set, "");
  } catch (const base::DiskError& error) {
    note({.kind = ProblemKind::unreadable, .path = level.directory.path, .detail = error.detail()});
    return;
  }
  const auto before = index_.directory(level.key);
  const bool is_top = parent_of(level.key).path.empty();
  if (is_top && !request_.accept_emptied) {
    refuse_emptied_source(request_.set.name, level.directory.path, before.size(),
                          listing.entries.size());
  }
  for (auto& problem : listing.problems) note(std::move(problem));
  const bool known = mode_ == PassMode::incremental;
  const auto diff = diff_directory(known ? before : nothing, listing.entries);
  const Entry* self_before = known ? find_entry(parent_before, level.self.name) : nullptr;
  if (self_before == nullptr || looks_different(*self_before, level.self)) result_.changed = true;
  if (self_before == nullptr || looks_different(*self_before, level.self) ||
      self_before->changed != level.self.changed || self_before->inode != level.self.inode) {
    declare(level);
  }
  count(listing);
  for (const auto& [entry, change] : diff.changes) {
    send_file(level, *entry, find_entry(before, entry->name), change);
  }
  for (const auto* entry : diff.gone) send_gone(level, *entry);
  answer_replies();
  commit_if_full();
  show();
  walk_below(level, diff, before);
}

void SetSender::name_owners(const Entry& entry) {
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
  level.number = static_cast<std::uint32_t>(declared_.size()) + 1;
  declared_[level.number] = level.key;
  numbers_[level.key] = level.number;
  if (!level.key.path.empty()) name_owners(level.self);
  connection_.writer().send(
      type(MessageType::enter),
      encode(Enter{.number = level.number, .key = level.key, .self = level.self}));
  if (mode_ != PassMode::incremental) batch_.directories[level.key].starts_empty = true;
  if (level.key.path.empty()) return;
  auto self = level.self;
  if (is_racy(self)) self.changed = {};
  batch_.put(parent_of(level.key), self);
  ++entries_since_commit_;
}

void SetSender::record(std::uint32_t directory, Entry entry) {
  if (is_racy(entry)) entry.changed = {};
  batch_.put(declared_.at(directory), entry);
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
  connection_.writer().send(
      type(MessageType::commit),
      encode(Commit{.batch = next_batch_, .final = final, .generation = generation}));
  connection_.writer().flush();
  in_flight_.push_back({.batch = next_batch_, .final = final, .changes = std::move(batch_)});
  batch_ = {};
  ++next_batch_;
  entries_since_commit_ = 0;
  bytes_since_commit_ = 0;
}

void SetSender::count(const Listing& listing) {
  for (const auto& entry : listing.entries) {
    if (entry.kind != Kind::file) continue;
    ++result_.files;
    result_.bytes += entry.size_bytes;
  }
}

void SetSender::note(Problem problem) {
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
