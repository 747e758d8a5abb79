// How SetSender sends single files and reacts to what the receiver says.

#include "base/text.h"
#include "sync/bytes.h"
#include "sync/delta.h"
#include "sync/set_sender.h"

namespace hamn::sync {

namespace {

constexpr std::size_t most_outstanding = 20'000;
constexpr std::uint64_t most_signature_bytes = 32U << 20U;
constexpr std::uint64_t signature_entry_bytes = 24;
constexpr int content_attempts = 2;

std::uint64_t expected_signature(std::uint64_t size_bytes) {
  return (size_bytes / block_length_for(size_bytes) + 1) * signature_entry_bytes;
}

}  // namespace

void SetSender::send_file(Level& level, const Entry& entry, const Entry* before, Change change) {
  declare(level);
  if (is_linked(level, entry, change == Change::added ? nullptr : before)) return;
  if (is_node(entry.kind)) return send_node(level.number, entry, before);
  if (mode_ == PassMode::full) {
    auto offered = entry;
    const bool same = before != nullptr && before->size_bytes == entry.size_bytes &&
                      before->modified == entry.modified && before->changed == entry.changed &&
                      before->inode == entry.inode;
    if (same) offered.content = before->content;
    offer(level, offered, OfferKind::check);
    return;
  }
  if (change == Change::metadata) {
    auto same = entry;
    same.content = before->content;
    result_.changed = true;
    offer(level, same, OfferKind::same_content);
  } else if (entry.size_bytes <= small_file_bytes) {
    send_small(level, entry, change == Change::content ? before : nullptr);
  } else {
    send_large(level, entry, change == Change::content ? before : nullptr);
  }
}

bool SetSender::report_unread(const SmallFile& file, const std::string& path) {
  switch (file.result) {
    case SmallFile::Result::read:
      return false;
    case SmallFile::Result::vanished:
      note({.kind = ProblemKind::vanished, .path = path, .detail = {}});
      return true;
    case SmallFile::Result::unreadable:
      note({.kind = ProblemKind::unreadable,
            .path = path,
            .detail = base::system_error("", file.error_number, "").detail()});
      return true;
    case SmallFile::Result::unstable:
      note({.kind = ProblemKind::unstable,
            .path = path,
            .detail = "it changed each time it was read"});
      return true;
  }
  return true;
}

void SetSender::push_small(const SmallFile& file, std::uint32_t directory) {
  name_owners(file.entry);
  connection_.writer().send(
      type(MessageType::file),
      encode(File{.directory = directory, .entry = file.entry, .content = file.content}));
  ++result_.files_sent;
  result_.bytes_sent += file.content.size();
  bytes_since_commit_ += file.content.size();
  record(directory, file.entry);
}

void SetSender::send_small(Level& level, const Entry& entry, const Entry* before) {
  const auto file = read_small(level.directory, entry.name, small_file_bytes * 2);
  if (report_unread(file, level.directory.path + "/" + entry.name)) return;
  const bool same_content = before != nullptr && !before->content.is_zero() &&
                            before->size_bytes == file.entry.size_bytes &&
                            before->content == file.entry.content;
  if (!same_content) {
    result_.changed = true;
    push_small(file, level.number);
    return;
  }
  if (looks_different(*before, file.entry)) result_.changed = true;
  offer(level, file.entry, OfferKind::same_content);
}

void SetSender::send_large(Level& level, const Entry& entry, const Entry* before) {
  if (before == nullptr) {
    Outstanding what{.directory_path = level.directory.path,
                     .directory = level.number,
                     .entry = entry,
                     .signature_bytes = 0,
                     .signature = {},
                     .wants_delta = false,
                     .pages = {}};
    send_content(what, 0);
    return;
  }
  if (send_changed_pages(level, entry, *before)) return;
  auto offered = entry;
  if (before->size_bytes == entry.size_bytes && !before->content.is_zero()) {
    const auto file = open_large(level.directory, entry.name);
    if (file && hash_of(file->fd.get()) == before->content && is_unchanged(*file)) {
      offered = file->entry;
      offered.content = before->content;
    }
  }
  const bool same_content = !offered.content.is_zero();
  result_.changed = result_.changed || !same_content || before->modified != offered.modified;
  offer(level, offered, same_content ? OfferKind::same_content : OfferKind::changed);
}

void SetSender::offer(Level& level, const Entry& entry, OfferKind kind) {
  const auto signature = kind == OfferKind::same_content ? 0 : expected_signature(entry.size_bytes);
  while (!outstanding_.empty() && (outstanding_.size() >= most_outstanding ||
                                   reserved_signature_bytes_ + signature > most_signature_bytes)) {
    connection_.writer().flush();
    if (ready_.empty()) handle(connection_.inbox().take());
    answer_replies();
  }
  reserved_signature_bytes_ += signature;
  const auto id = next_id_++;
  outstanding_[id] = {.directory_path = level.directory.path,
                      .directory = level.number,
                      .entry = settled(entry),
                      .signature_bytes = signature,
                      .signature = {},
                      .wants_delta = false,
                      .pages = {}};
  name_owners(entry);
  connection_.writer().send(
      type(MessageType::offer),
      encode(Offer{.id = id, .kind = kind, .directory = level.number, .entry = entry}));
  ++entries_since_commit_;
}

bool SetSender::stream_content(LargeFile& file, Outstanding& what, std::uint64_t id) {
  if (what.pages != nullptr) return stream_pages(file, what, id);
  auto& writer = connection_.writer();
  std::optional<PageHasher> pages;
  if (file.entry.size_bytes >= smallest_paged_file) pages.emplace(file.entry.size_bytes);
  std::optional<DeltaMaker> delta;
  if (what.wants_delta) delta.emplace(what.signature);
  const auto put = [&](std::string_view bytes) { writer.send(type(MessageType::data), bytes); };
  writer.send(type(MessageType::begin), encode(Begin{.id = id,
                                                     .is_delta = what.wants_delta,
                                                     .directory = what.directory,
                                                     .entry = file.entry}));
  base::Xxh128 hash;
  const auto size = read_pieces(file, [&](std::string_view piece) {
    hash.add(piece);
    if (pages) pages->feed(piece);
    if (delta) {
      delta->feed(piece, put);
    } else {
      put(piece);
    }
    bytes_since_commit_ += piece.size();
  });
  if (delta) delta->finish(put);
  const bool whole = size == file.entry.size_bytes && is_unchanged(file);
  what.entry = file.entry;
  what.entry.content = hash.value();
  writer.send(type(MessageType::end), encode(End{.abandoned = !whole,
                                                 .size_bytes = size,
                                                 .modified = file.entry.modified,
                                                 .content = what.entry.content}));
  if (whole && pages) keep_pages(what, pages->finish(what.entry.content));
  return whole;
}

void SetSender::send_content(const Outstanding& asked, std::uint64_t id) {
  auto what = asked;
  const auto path = what.directory_path + "/" + what.entry.name;
  const auto forget = [&] { outstanding_.erase(id); };
  try {
    const auto directory = reopen(what);
    for (int attempt = 0; directory && attempt < content_attempts; ++attempt) {
      auto file = open_large(*directory, what.entry.name);
      if (!file) break;
      name_owners(file->entry);
      if (!stream_content(*file, what, id)) continue;
      if (!what.has_same_content) {
        ++result_.files_sent;
        result_.bytes_sent += what.entry.size_bytes;
      }
      result_.changed = true;
      if (what.wants_delta) {
        outstanding_[id].entry = settled(what.entry);  // the receiver still has to say that it fits
        return;
      }
      record(what.directory, what.entry);
      return forget();
    }
    const bool there = directory && open_large(*directory, what.entry.name).has_value();
    note({.kind = there ? ProblemKind::unstable : ProblemKind::vanished,
          .path = path,
          .detail = there ? "it changed each time it was read" : ""});
  } catch (const base::DiskError& error) {
    note({.kind = ProblemKind::unreadable, .path = path, .detail = error.detail()});
  }
  forget();
}

void SetSender::answer_replies() {
  while (auto reply = connection_.inbox().try_take()) handle(*reply);
  while (!ready_.empty()) {
    const auto id = ready_.front();
    ready_.pop_front();
    const auto what = outstanding_.at(id);
    const bool small = what.entry.size_bytes <= small_file_bytes && !what.wants_delta;
    if (!small) {
      send_content(what, id);
    } else if (const auto directory = reopen(what)) {
      const auto file = read_small(*directory, what.entry.name, small_file_bytes * 2);
      if (!report_unread(file, what.directory_path + "/" + what.entry.name)) {
        result_.changed = true;
        push_small(file, what.directory);
      }
      outstanding_.erase(id);
    } else {
      note({.kind = ProblemKind::vanished, .path = what.directory_path, .detail = {}});
      outstanding_.erase(id);
    }
    commit_if_full();
  }
}

std::optional<OpenDirectory> SetSender::reopen(const Outstanding& what) const {
  if (!is_faithful()) return open_source(what.directory_path);
  // The walk came here without following a link below the root's top; nor does the second visit.
  const auto& key = declared_.at(what.directory);
  auto directory = open_source(request_.set.roots[key.root].source_parent);
  if (!directory) return std::nullopt;
  directory->looking.sees_all_kinds = true;
  if (key.path.empty()) return directory;
  for (const auto& name : base::split(key.path, '/')) {
    directory = open_below(*directory, name);
    if (!directory) return std::nullopt;
  }
  return directory;
}

void SetSender::handle(const Reply& reply) {
  if (const auto* verdict = std::get_if<Verdict>(&reply)) return on_verdict(*verdict);
  if (const auto* signature = std::get_if<Signature>(&reply)) return on_signature(*signature);
  if (const auto* trouble = std::get_if<Trouble>(&reply)) return on_trouble(*trouble);
  if (const auto* done = std::get_if<Done>(&reply)) return on_done(*done);
  if (const auto* deleted = std::get_if<Deleted>(&reply)) return on_deleted(*deleted);
  if (const auto* refusal = std::get_if<Refusal>(&reply)) throw PeerRefused{*refusal};
  damaged_message("a second welcome");
}

/// Size and time of both copies agree. The content does not if either side can tell; a large file
/// of which neither has seen the content is believed, as by rsync.
bool SetSender::is_mistaken(const Outstanding& what, const base::Hash128& there) const {
  auto here = what.entry.content;
  if (there.is_zero()) return false;
  if (here.is_zero() && what.entry.size_bytes <= small_file_bytes) {
    const auto directory = reopen(what);
    if (!directory) return false;
    here = read_small(*directory, what.entry.name, small_file_bytes).entry.content;
  }
  return !here.is_zero() && here != there;
}

void SetSender::on_verdict(const Verdict& verdict) {
  const auto found = outstanding_.find(verdict.id);
  if (found == outstanding_.end()) damaged_message("an answer to nothing");
  auto& what = found->second;
  if (verdict.kind != VerdictKind::want_delta) {
    reserved_signature_bytes_ -= what.signature_bytes;
    what.signature_bytes = 0;
  }
  if (verdict.kind != VerdictKind::accepted) what.pages.reset();
  switch (verdict.kind) {
    case VerdictKind::accepted: {
      if (is_mistaken(what, verdict.content)) {
        ready_.push_back(verdict.id);
        return;
      }
      auto entry = what.entry;
      if (entry.content.is_zero()) entry.content = verdict.content;
      accepted_.put(declared_.at(what.directory), entry);
      outstanding_.erase(found);
      return;
    }
    case VerdictKind::want_whole:
      what.wants_delta = false;
      what.signature.clear();
      ready_.push_back(verdict.id);
      return;
    case VerdictKind::want_delta:
      what.wants_delta = true;
      return;
    case VerdictKind::failed:
      outstanding_.erase(found);
      return;
  }
}

void SetSender::on_signature(const Signature& piece) {
  const auto found = outstanding_.find(piece.id);
  if (found == outstanding_.end() || !found->second.wants_delta) {
    damaged_message("a signature of nothing");
  }
  auto& what = found->second;
  what.signature += piece.bytes;
  if (what.signature.size() > most_signature_bytes * 2) damaged_message("an endless signature");
  if (!piece.last) return;
  reserved_signature_bytes_ -= what.signature_bytes;
  what.signature_bytes = 0;
  ready_.push_back(piece.id);
}

void SetSender::on_trouble(const Trouble& trouble) {
  const auto found = declared_.find(trouble.directory);
  if (found == declared_.end()) damaged_message("trouble with an unknown directory");
  const auto& root = request_.set.roots[found->second.root];
  auto path = (root.source_parent == "/" ? "" : root.source_parent) + "/" + found->second.path;
  if (!trouble.name.empty()) path += "/" + trouble.name;
  note({.kind = ProblemKind::not_written, .path = path, .detail = trouble.detail});
  const auto key = trouble.name.empty() ? parent_of(found->second) : found->second;
  const auto name = trouble.name.empty() ? name_of(found->second) : trouble.name;
  const auto forget = [&](IndexBatch& batch) {
    const auto directory = batch.directories.find(key);
    if (directory != batch.directories.end()) directory->second.entries.erase(name);
  };
  for (auto& each : in_flight_) forget(each.changes);
  forget(accepted_);
  forget(batch_);
}

void SetSender::on_done(const Done& done) {
  if (in_flight_.empty() || in_flight_.front().batch != done.batch) {
    damaged_message("a confirmation out of turn");
  }
  auto confirmed = std::move(in_flight_.front());
  in_flight_.pop_front();
  for (auto& [key, directory] : accepted_.directories) {
    confirmed.changes.directories[key].entries.merge(directory.entries);
  }
  accepted_ = {};
  state_.token = done.token;
  state_.generation = done.generation;
  state_.committed = clock_.wall();
  state_.complete = confirmed.final || mode_ == PassMode::incremental;
  if (confirmed.final) state_.as_of = result_.as_of;
  if (confirmed.final && mode_ != PassMode::incremental) index_.finish_full_pass();
  index_.commit(confirmed.changes, state_);
  finished_ = confirmed.final;
}

}  // namespace hamn::sync
