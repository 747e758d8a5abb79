#include "sync/set_receiver.h"

#include <cerrno>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/bytes.h"
#include "sync/tree.h"

namespace hamn::sync {

namespace {

constexpr std::uint64_t smallest_basis_bytes = 512U << 10U;
constexpr std::uint64_t start_sync_bytes = 32U << 20U;

Index open_index(const ReceiverPolicy& policy, const FileSet& set) {
  std::string problem;
  auto index = open_or_replace_index(receiver_index_path(policy.state_directory, set.name),
                                     fingerprint(set), problem);
  if (!problem.empty()) {
    base::log(base::Level::warning, "the index of set " + set.name + " was damaged (" + problem +
                                        "); this pass compares all files");
  }
  return index;
}

/// Reads a signature of the old copy and sends it in pieces.
Outbox::Item signature_item(std::uint64_t id, base::Fd basis, std::uint32_t block_length) {
  auto file = std::make_shared<base::Fd>(std::move(basis));
  return [id, file, block_length](BlockWriter& writer) {
    constexpr auto signature_type = type(MessageType::signature);
    make_signature(file->get(), block_length, [&](std::string_view bytes) {
      writer.send(signature_type,
                  encode(Signature{.id = id, .last = false, .bytes = std::string{bytes}}));
    });
    writer.send(signature_type, encode(Signature{.id = id, .last = true, .bytes = {}}));
  };
}

}  // namespace

SetReceiver::SetReceiver(const ReceiverPolicy& policy, const FileSet& set, const Hello& hello,
                         base::Disk& disk, base::Clock& clock, std::shared_ptr<Outbox> outbox)
    : policy_(policy),
      set_(set),
      hello_(hello),
      disk_(disk),
      clock_(clock),
      outbox_(std::move(outbox)),
      index_(open_index(policy, set)),
      state_(index_.state()),
      directories_(disk, set),
      staging_(disk, policy.state_directory + "/sync/" + set.name + ".staging",
               staging_name(set.name)),
      writers_(disk, set.profile) {
  staging_.sweep();
  choose_mode();
  if (mode_ == PassMode::full) index_.start_full_pass();
  outbox_->push(type(MessageType::welcome), encode(Welcome{.mode = mode_,
                                                           .generation = state_.generation,
                                                           .host = policy_.host,
                                                           .epoch = hello_.epoch}));
}

void SetReceiver::choose_mode() {
  const bool agree = state_.complete && !hello_.token.empty() && hello_.token == state_.token &&
                     hello_.generation == state_.generation;
  if (agree) {
    mode_ = PassMode::incremental;
    return;
  }
  mode_ = PassMode::empty;
  if (state_.files > 0 || state_.generation > 0) mode_ = PassMode::full;
  for (const auto& root : set_.roots) {
    std::vector<std::string> names;
    try {
      names = disk_.list(disk_.open_root(root.destination_parent).get());
    } catch (const base::DiskError&) {
      continue;  // not there yet: nothing to compare with
    }
    for (const auto& name : names) {
      if (matches(root.pattern, name)) mode_ = PassMode::full;
    }
  }
}

bool SetReceiver::take(const Message& message) {
  switch (static_cast<MessageType>(message.type)) {
    case MessageType::names:
      owners_.learn(decode_names(message.payload));
      return true;
    case MessageType::enter:
      on_enter(decode_enter(message.payload));
      return true;
    case MessageType::file:
      on_file(decode_file(message.payload));
      return true;
    case MessageType::offer:
      on_offer(decode_offer(message.payload));
      return true;
    case MessageType::begin:
      on_begin(decode_begin(message.payload));
      return true;
    case MessageType::data:
      on_data(message.payload);
      return true;
    case MessageType::end:
      on_end(decode_end(message.payload));
      return true;
    case MessageType::gone:
      on_gone(decode_gone(message.payload));
      return true;
    case MessageType::node:
      on_node(decode_node(message.payload));
      return true;
    case MessageType::link:
      on_link(decode_link(message.payload));
      return true;
    case MessageType::present:
      on_present(decode_present(message.payload));
      return true;
    case MessageType::commit: {
      const auto commit = decode_commit(message.payload);
      on_commit(commit);
      return !commit.final;
    }
    default:
      damaged_message("a message that has no place in a pass");
  }
}

void SetReceiver::on_enter(const Enter& enter) {
  try {
    directories_.declare(enter);
  } catch (const base::DiskError& error) {
    directories_.give_up(enter.number, error.what() + (": " + error.detail()));
    trouble(enter.number, "", directories_.trouble(enter.number));
    return;
  }
  if (mode_ == PassMode::full) batch_.directories[enter.key].starts_empty = true;
  if (enter.key.path.empty()) return;
  directories_.touch(enter.number);
  batch_.put(parent_of(enter.key), enter.self);
}

Staging::File SetReceiver::stage(std::uint32_t directory) {
  const auto top = directories_.open_top(directory);
  return staging_.create(directories_.open(directory), top.get(), directories_.top_path(directory),
                         directories_.path(directory));
}

void SetReceiver::keep(std::uint32_t directory, Staging::File file, const Entry& entry) {
  set_attributes(disk_, file.fd.get(), entry, owners_, set_.profile);
  keep_staged(directory, std::move(file), entry);
}

void SetReceiver::keep_staged(std::uint32_t directory, Staging::File file, const Entry& entry) {
  make_way(directory, entry.name);
  staging_.add(std::move(file), directory, entry.name, waiting_.size());
  waiting_.push_back({.directory = directory, .entry = entry});
  directories_.touch(directory);
}

int SetReceiver::place_of(std::uint32_t directory) {
  if (!last_place_ || last_place_->first != directory) {
    const auto top = directories_.open_top(directory);
    const auto top_path = directories_.top_path(directory);
    last_place_ = {directory, staging_.place_for(directories_.open(directory), top.get(), top_path,
                                                 directories_.path(directory))};
  }
  return last_place_->second;
}

void SetReceiver::on_file(File file) {
  directories_.check_entry(file.directory, file.entry);
  if (!directories_.trouble(file.directory).empty()) {
    trouble(file.directory, file.entry.name, directories_.trouble(file.directory));
    return;
  }
  try {
    auto staged = staging_.reserve(place_of(file.directory), writers_.turn());
    FileWriters::Job job{.directory = staging_.directory_of(staged),
                         .name = staged.name,
                         .entry = file.entry,
                         .content = std::move(file.content),
                         .tag = waiting_.size(),
                         .keep_open = !staging_.is_large()};
    if (set_.profile == Profile::compat) {
      job.entry.uid = owners_.user(file.entry.uid);
      job.entry.gid = owners_.group(file.entry.gid);
    }
    keep_staged(file.directory, std::move(staged), file.entry);
    writers_.put(std::move(job));
  } catch (const base::DiskError& error) {
    trouble(file.directory, file.entry.name, error.what() + (": " + error.detail()));
  }
}

bool SetReceiver::accept_as_it_is(const Offer& offer) {
  const int directory = directories_.open(offer.directory);
  const auto found = disk_.status(directory, offer.entry.name);
  if (!found || found->type != base::FileType::regular ||
      found->size_bytes != offer.entry.size_bytes) {
    return false;
  }
  // A name too many: to change this file would change another one that is none any more.
  if (set_.profile == Profile::faithful && found->links > offer.entry.names) return false;
  if (offer.kind == OfferKind::check && found->modified != offer.entry.modified) return false;
  const auto remembered = index_.directory(directories_.key(offer.directory));
  const Entry* known = find_entry(remembered, offer.entry.name);
  const bool same_as_known = known != nullptr && known->size_bytes == found->size_bytes &&
                             known->modified == found->modified;
  // "Only attributes changed" holds for the file as it was committed, not for one that somebody
  // changed here since.
  if (offer.kind == OfferKind::same_content && !same_as_known) return false;
  const auto file = disk_.open_file(directory, offer.entry.name);
  if (!file) return false;
  set_attributes(disk_, file->get(), offer.entry, owners_, set_.profile);
  disk_.sync_file(file->get());
  auto entry = offer.entry;
  if (entry.content.is_zero() && same_as_known) entry.content = known->content;
  if (entry.content.is_zero() && entry.size_bytes <= small_file_bytes) {
    entry.content = hash_of(file->get());
  }
  batch_.put(directories_.key(offer.directory), entry);
  answer(offer.id, VerdictKind::accepted, entry.content);
  return true;
}

void SetReceiver::ask_for(const Offer& offer) {
  std::optional<base::Fd> basis;
  if (offer.entry.size_bytes >= smallest_basis_bytes) {
    basis = disk_.open_file(directories_.open(offer.directory), offer.entry.name);
  }
  if (basis) {
    const auto found = disk_.status_of(basis->get());
    if (found.type == base::FileType::regular && found.size_bytes >= smallest_basis_bytes) {
      answer(offer.id, VerdictKind::want_delta);
      outbox_->push(
          signature_item(offer.id, std::move(*basis), block_length_for(found.size_bytes)));
      return;
    }
  }
  answer(offer.id, VerdictKind::want_whole);
}

void SetReceiver::on_offer(const Offer& offer) {
  directories_.check_entry(offer.directory, offer.entry);
  auto why = directories_.trouble(offer.directory);
  if (why.empty()) {
    try {
      if (offer.kind == OfferKind::changed || !accept_as_it_is(offer)) ask_for(offer);
      return;
    } catch (const base::DiskError& error) {
      why = error.what() + (": " + error.detail());
    }
  }
  trouble(offer.directory, offer.entry.name, why);
  answer(offer.id, VerdictKind::failed);
}

void SetReceiver::on_begin(Begin begin) {
  if (incoming_) damaged_message("a file begins inside another one");
  directories_.check_entry(begin.directory, begin.entry);
  incoming_ = Incoming{.begin = std::move(begin),
                       .staged = {},
                       .writer = {},
                       .hash = {},
                       .basis = {},
                       .patcher = {},
                       .trouble = {}};
  auto& file = *incoming_;
  file.trouble = directories_.trouble(file.begin.directory);
  if (!file.trouble.empty()) return;
  try {
    file.staged = stage(file.begin.directory);
    file.writer.emplace(disk_, file.staged.fd.get());
    if (!file.begin.is_delta) return;
    auto basis = disk_.open_file(directories_.open(file.begin.directory), file.begin.entry.name);
    // Without an old copy nothing of the delta fits, and the file is asked for as a whole.
    if (basis) file.basis = std::move(*basis);
    Sink in_place;
    if (basis && disk_.share_content(file.basis.get(), file.staged.fd.get())) {
      file.writer.reset();
      in_place = [this](std::string_view bytes) { take_piece(bytes); };
    }
    file.patcher = std::make_unique<Patcher>(
        file.basis.get(), file.begin.entry.size_bytes,
        [this](std::string_view bytes) { write_piece(bytes); }, std::move(in_place));
  } catch (const base::DiskError& error) {
    fail_incoming(error.what() + (": " + error.detail()));
  }
}

void SetReceiver::write_piece(std::string_view bytes) {
  auto& file = *incoming_;
  if (file.writer) {
    file.writer->write(bytes);
  } else {
    disk_.write(file.staged.fd.get(), bytes, file.written_bytes);
  }
  take_piece(bytes);
  if (file.written_bytes - file.sync_started_bytes >= start_sync_bytes) {
    disk_.start_sync(file.staged.fd.get());
    file.sync_started_bytes = file.written_bytes;
  }
}

void SetReceiver::take_piece(std::string_view bytes) {
  incoming_->written_bytes += bytes.size();
  incoming_->hash.add(bytes);
}

void SetReceiver::fail_incoming(const std::string& why) {
  incoming_->trouble = why;
  incoming_->patcher.reset();
  if (!incoming_->staged.name.empty()) staging_.discard(incoming_->staged);
  incoming_->staged = {};
}

void SetReceiver::on_data(std::string_view bytes) {
  if (!incoming_) damaged_message("content without a file");
  if (!incoming_->trouble.empty()) return;
  try {
    if (incoming_->patcher != nullptr) {
      incoming_->patcher->feed(bytes);
    } else {
      if (incoming_->written_bytes + bytes.size() > incoming_->begin.entry.size_bytes) {
        damaged_message("a file is longer than announced");
      }
      write_piece(bytes);
    }
  } catch (const base::DiskError& error) {
    fail_incoming(error.what() + (": " + error.detail()));
  }
}

void SetReceiver::on_end(const End& end) {
  if (!incoming_) damaged_message("the end of a file that did not begin");
  const auto directory = incoming_->begin.directory;
  const auto name = incoming_->begin.entry.name;
  try {
    if (incoming_->trouble.empty()) finish_incoming(end);
  } catch (const base::DiskError& error) {
    fail_incoming(error.what() + (": " + error.detail()));
  }
  if (!incoming_->trouble.empty() && !end.abandoned) {
    trouble(directory, name, incoming_->trouble);
    if (incoming_->begin.is_delta) answer(incoming_->begin.id, VerdictKind::failed);
  }
  incoming_.reset();
}

void SetReceiver::finish_incoming(const End& end) {
  auto& file = *incoming_;
  if (end.abandoned) {
    staging_.discard(file.staged);
    return;
  }
  if (file.patcher != nullptr) file.patcher->finish();
  if (file.writer) file.writer->finish();
  const bool fits = file.written_bytes == end.size_bytes && file.hash.value() == end.content;
  if (!fits) {
    // A delta against a copy that somebody changed here: the whole file will do.
    if (!file.begin.is_delta) damaged_message("a file's content does not have its hash");
    staging_.discard(file.staged);
    answer(file.begin.id, VerdictKind::want_whole);
    return;
  }
  if (!file.writer) disk_.truncate(file.staged.fd.get(), end.size_bytes);
  auto entry = file.begin.entry;
  entry.size_bytes = end.size_bytes;
  entry.modified = end.modified;
  entry.content = end.content;
  keep(file.begin.directory, std::move(file.staged), entry);
  if (file.begin.is_delta) answer(file.begin.id, VerdictKind::accepted, end.content);
}

void SetReceiver::on_gone(const Gone& gone) {
  directories_.check_gone(gone.directory, gone.name);
  batch_.remove(directories_.key(gone.directory), gone.name);
  if (!hello_.deletes || !directories_.trouble(gone.directory).empty()) return;
  try {
    doom(gone.directory, gone.name);
  } catch (const base::DiskError& error) {
    trouble(gone.directory, gone.name, error.what() + (": " + error.detail()));
  }
}

void SetReceiver::finish_writing() {
  for (auto& outcome : writers_.finish()) {
    auto& waiting = waiting_[outcome.tag];
    if (outcome.trouble.empty()) {
      staging_.written(outcome.tag, std::move(outcome.fd));
      continue;
    }
    staging_.forget(outcome.tag);
    waiting.has_failed = true;
    trouble(waiting.directory, waiting.entry.name, outcome.trouble);
  }
}

void SetReceiver::put_staged_in_place() {
  finish_writing();
  const auto failures =
      staging_.commit([this](std::uint32_t directory) { return directories_.open(directory); });
  for (const auto& failure : failures) {
    auto& waiting = waiting_[failure.tag];
    waiting.has_failed = true;
    trouble(waiting.directory, waiting.entry.name, failure.detail);
  }
  for (const auto& waiting : waiting_) {
    if (!waiting.has_failed) batch_.put(directories_.key(waiting.directory), waiting.entry);
  }
  waiting_.clear();
}

void SetReceiver::on_commit(const Commit& commit) {
  if (incoming_) damaged_message("a commit inside a file");
  const bool one_up = commit.generation == std::max(state_.generation, hello_.generation) + 1;
  if (commit.final && commit.generation != state_.generation && !one_up) {
    damaged_message("a generation out of turn");
  }
  check_role();
  if (commit.final) delete_doomed(commit.may_delete);
  put_staged_in_place();
  put_links_in_place();
  if (commit.final) staging_.close();
  directories_.settle(owners_);
  const bool changed =
      batch_.size() > 0 || !batch_.directories.empty() || mode_ != PassMode::incremental;
  if (commit.final && mode_ == PassMode::full) index_.finish_full_pass();
  state_.roots = fingerprint(set_);
  state_.peer = hello_.host;
  state_.epoch = hello_.epoch;
  state_.committed = clock_.wall();
  if (changed) state_.token = base::random_digits(16);
  // What was not deleted has to be found again: the next pass compares everything.
  state_.complete = (commit.final || mode_ == PassMode::incremental) && !is_held_back_;
  if (commit.final) {
    state_.as_of = hello_.as_of;
    state_.generation = commit.generation;
  }
  index_.commit(batch_, state_);
  batch_ = {};
  outbox_->push(
      type(MessageType::done),
      encode(Done{.batch = commit.batch, .token = state_.token, .generation = state_.generation}));
}

void SetReceiver::check_role() const {
  const auto role = base::read_role(policy_.role_path);
  if (role && role->name == base::RoleName::standby && role->epoch <= hello_.epoch) return;
  throw base::Error{{.what = policy_.host + " accepts no files any more",
                     .detail = "its role changed while the pass was under way",
                     .hint = "look at: hamn status",
                     .code = base::Exit::refused}};
}

void SetReceiver::answer(std::uint64_t id, VerdictKind kind, const base::Hash128& content) {
  outbox_->push(type(MessageType::verdict),
                encode(Verdict{.id = id, .kind = kind, .content = content}));
}

void SetReceiver::trouble(std::uint32_t directory, const std::string& name,
                          const std::string& detail) {
  outbox_->push(type(MessageType::trouble),
                encode(Trouble{.directory = directory, .name = name, .detail = detail}));
}

}  // namespace hamn::sync
