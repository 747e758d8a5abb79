// How SetSender tells what is gone, and when it does not trust what it sees.

#include "base/text.h"
#include "sync/safety.h"
#include "sync/set_sender.h"

namespace hamn::sync {

namespace {

constexpr std::size_t names_per_message = 1000;

}  // namespace

void SetSender::send_gone(Level& level, const Entry& entry) {
  declare(level);
  if (deletes()) {
    gone_.emplace_back(level.number, entry.name);
    return;
  }
  connection_.writer().send(type(MessageType::gone),
                            encode(Gone{.directory = level.number, .name = entry.name}));
  batch_.remove(level.key, entry.name);
  if (entry.size_bytes >= smallest_paged_file) page_store_.forget(level.key, entry.name);
  ++entries_since_commit_;
  result_.changed = true;
}

void SetSender::send_deletions() {
  // What must not be deleted stays in the index, so that the next pass finds it gone again.
  if (is_incomplete_ && !gone_.empty()) {
    note({.kind = ProblemKind::held_back,
          .path = request_.set.name,
          .detail = "nothing was deleted, since not all of the source could be seen"});
    gone_.clear();
  }
  for (const auto& [directory, name] : gone_) {
    connection_.writer().send(type(MessageType::gone),
                              encode(Gone{.directory = directory, .name = name}));
    batch_.remove(declared_.at(directory), name);
    page_store_.forget(declared_.at(directory), name);
    result_.changed = true;
  }
  gone_.clear();
}

void SetSender::send_present(const Level& level, const Listing& listing) {
  if (!deletes() || mode_ == PassMode::incremental || level.number == 0) return;
  Present message{.directory = level.number, .last = false, .names = {}};
  const auto send = [&] {
    connection_.writer().send(type(MessageType::present), encode(message));
    message.names.clear();
  };
  const auto add = [&](const std::string& name) {
    message.names.push_back(name);
    if (message.names.size() >= names_per_message) send();
  };
  for (const auto& entry : listing.entries) add(entry.name);
  for (const auto& problem : listing.problems) add(problem.name());
  message.last = true;
  send();
}

void SetSender::distrust(Level& level, const Entry* before, const Listing& listing) {
  if (!deletes()) return;
  const bool is_empty = listing.entries.empty() && mode_ != PassMode::incremental;
  if (is_empty && !request_.accept_emptied) is_incomplete_ = true;
  const bool is_another = before != nullptr && before->kind == Kind::directory &&
                          level.self.inode != 0 && before->inode != level.self.inode;
  if (!is_another || request_.accept_deletions) return;
  level.remembered_inode = before->inode;
  is_incomplete_ = true;
  note({.kind = ProblemKind::held_back,
        .path = level.directory.path,
        .detail = "another directory or file system than at the last pass; if that is right: "
                  "hamn sync run --accept-deletions"});
}

void SetSender::on_deleted(const Deleted& deleted) {
  const auto counts =
      base::human_count(deleted.names) + " of " + base::human_count(deleted.total) + " names";
  if (!deleted.held_back) {
    result_.names_deleted = deleted.names;
    result_.changed = true;
    if (is_mass_deletion(deleted.names, deleted.total)) {
      note({.kind = ProblemKind::many_deleted,
            .path = request_.set.name,
            .detail = counts + " were deleted, as --accept-deletions let it"});
    }
    return;
  }
  note(
      {.kind = ProblemKind::held_back,
       .path = request_.set.name,
       .detail = counts + (is_incomplete_
                               ? " would go, but not all of the source could be seen"
                               : " would go; if that is right: hamn sync run --accept-deletions")});
}

}  // namespace hamn::sync
