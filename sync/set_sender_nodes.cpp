// How SetSender sends what only faithful sets hold: links, devices, fifos, sockets, hard links.

#include "base/interrupt.h"
#include "sync/set_sender.h"

namespace hamn::sync {

namespace {

std::uint8_t type(MessageType value) {
  return static_cast<std::uint8_t>(value);
}

/// True if the receiver's copy of a node would differ.
bool differs(const Entry& before, const Entry& now) {
  return before.mode != now.mode || before.uid != now.uid || before.gid != now.gid ||
         before.modified != now.modified || before.target != now.target ||
         before.device_number != now.device_number || before.attributes != now.attributes;
}

}  // namespace

void SetSender::send_node(Level& level, const Entry& entry, const Entry* before) {
  if (before == nullptr || before->kind != entry.kind || differs(*before, entry)) {
    result_.changed = true;
  }
  connection_.writer().send(type(MessageType::node),
                            encode(Node{.directory = level.number, .entry = entry}));
  record(level.number, entry);
}

bool SetSender::is_linked(Level& level, const Entry& entry) {
  if (!is_faithful() || entry.names <= 1) return false;
  const auto [leader, is_new] =
      leaders_.try_emplace({entry.device, entry.inode}, level.number, entry.name);
  if (is_new) return false;
  links_.push_back({.directory = level.number,
                    .entry = entry,
                    .leader_directory = leader->second.first,
                    .leader_name = leader->second.second});
  return true;
}

void SetSender::send_links() {
  for (const auto& link : links_) {
    base::stop_if_interrupted();
    result_.changed = true;
    connection_.writer().send(type(MessageType::link),
                              encode(Link{.directory = link.directory,
                                          .entry = link.entry,
                                          .leader_directory = link.leader_directory,
                                          .leader_name = link.leader_name}));
    record(link.directory, link.entry);
    commit_if_full();
  }
  links_.clear();
}

}  // namespace hamn::sync
