// How SetSender sends what only faithful sets hold: links, devices, fifos, sockets, hard links.

#include "base/interrupt.h"
#include "sync/set_sender.h"

namespace hamn::sync {

namespace {

/// True if the receiver's copy of a node would differ.
bool differs(const Entry& before, const Entry& now) {
  return looks_different(before, now) || before.target != now.target ||
         before.device_number != now.device_number;
}

}  // namespace

void SetSender::send_node(std::uint32_t directory, const Entry& entry, const Entry* before) {
  if (before == nullptr || before->kind != entry.kind || differs(*before, entry)) {
    result_.changed = true;
  }
  connection_.writer().send(type(MessageType::node),
                            encode(Node{.directory = directory, .entry = entry}));
  record(directory, entry);
}

std::shared_ptr<const SetSender::Place> SetSender::place_of(Level& level) {
  if (level.place == nullptr) {
    level.place = std::make_shared<const Place>(Place{.key = level.key, .self = level.self});
  }
  return level.place;
}

void SetSender::know_leaders(Level& level, const std::vector<Entry>& now,
                             const DirectoryDiff& diff) {
  if (!is_faithful() || mode_ != PassMode::incremental) return;
  auto change = diff.changes.begin();
  for (const auto& entry : now) {
    const bool is_changed = change != diff.changes.end() && change->first == &entry;
    const bool is_new = is_changed && change->second == Change::added;
    if (is_changed) ++change;
    if (is_new || entry.names <= 1 || entry.kind == Kind::directory) continue;
    leaders_.try_emplace({entry.device, entry.inode},
                         Leader{.place = place_of(level), .name = entry.name});
  }
}

bool SetSender::is_linked(Level& level, const Entry& entry, const Entry* before) {
  if (!is_faithful() || entry.names <= 1) return false;
  // A name that is new may belong to a file that the receiver has under a name still to come.
  const bool waits = before == nullptr && mode_ == PassMode::incremental;
  const Leader own{.place = place_of(level), .name = entry.name};
  if (!waits) {
    const auto& leader = leaders_.try_emplace({entry.device, entry.inode}, own).first->second;
    if (leader.place == own.place && leader.name == own.name) return false;
  }
  links_.push_back({.directory = level.number,
                    .directory_path = level.directory.path,
                    .place = own.place,
                    .entry = entry});
  return true;
}

void SetSender::send_links() {
  for (const auto& link : links_) {
    base::stop_if_interrupted();
    const auto [leader, is_first] =
        leaders_.try_emplace({link.entry.device, link.entry.inode},
                             Leader{.place = link.place, .name = link.entry.name});
    if (!is_first) {
      send_link(link, leader->second);
    } else if (is_node(link.entry.kind)) {
      send_node(link.directory, link.entry, nullptr);
    } else {
      send_content({.directory_path = link.directory_path,
                    .directory = link.directory,
                    .entry = link.entry,
                    .signature_bytes = 0,
                    .signature = {},
                    .wants_delta = false,
                    .pages = {}},
                   0);
    }
    commit_if_full();
  }
  links_.clear();
}

void SetSender::send_link(const PendingLink& link, const Leader& leader) {
  result_.changed = true;
  const auto& [key, self] = *leader.place;
  const auto known = numbers_.find(key);
  const auto number = known != numbers_.end() ? known->second : declare(key, self, self);
  connection_.writer().send(type(MessageType::link), encode(Link{.directory = link.directory,
                                                                 .entry = link.entry,
                                                                 .leader_directory = number,
                                                                 .leader_name = leader.name}));
  record(link.directory, link.entry);
}

}  // namespace hamn::sync
