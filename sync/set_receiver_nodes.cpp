// How SetReceiver takes what only faithful sets hold: links, devices, fifos, sockets, hard links.

#include <fcntl.h>

#include <cerrno>

#include "sync/attributes.h"
#include "sync/bytes.h"
#include "sync/set_receiver.h"

namespace hamn::sync {

void SetReceiver::on_node(const Node& node) {
  directories_.check_entry(node.directory, node.entry);
  if (set_.profile != Profile::faithful) damaged_message("a node in a compat set");
  if (!directories_.trouble(node.directory).empty()) {
    trouble(node.directory, node.entry.name, directories_.trouble(node.directory));
    return;
  }
  try {
    if (!adjust_node(node)) make_node(node);
  } catch (const base::DiskError& error) {
    trouble(node.directory, node.entry.name, error.what() + (": " + error.detail()));
  }
}

bool SetReceiver::adjust_node(const Node& node) {
  const int directory = directories_.open(node.directory);
  const auto found = disk_.status(directory, node.entry.name);
  const bool same_kind = found && found->type == to_type(node.entry.kind) &&
                         found->device_number == node.entry.device_number &&
                         found->links <= node.entry.names;
  if (!same_kind) return false;
  const auto there = disk_.open_node(directory, node.entry.name);
  if (!there || disk_.status_of(there->get()).inode != found->inode) return false;
  if (node.entry.kind == Kind::symlink && disk_.link_target(there->get()) != node.entry.target) {
    return false;
  }
  set_attributes(disk_, there->get(), node.entry, owners_, set_.profile);
  directories_.touch(node.directory);
  batch_.put(directories_.key(node.directory), node.entry);
  return true;
}

Staging::File SetReceiver::stage_other(std::uint32_t directory,
                                       const std::function<void(int, const std::string&)>& make) {
  const auto top = directories_.open_top(directory);
  return staging_.create_other(directories_.open(directory), top.get(),
                               directories_.top_path(directory), directories_.path(directory),
                               make);
}

void SetReceiver::make_node(const Node& node) {
  const auto& entry = node.entry;
  auto staged = stage_other(node.directory, [&](int place, const std::string& name) {
    if (entry.kind == Kind::symlink) {
      disk_.make_symlink(place, name, entry.target);
    } else {
      disk_.make_node(place, name, to_type(entry.kind), entry.device_number);
    }
    const auto made = disk_.open_node(place, name);
    if (made) set_attributes(disk_, made->get(), entry, owners_, set_.profile);
  });
  keep_staged(node.directory, std::move(staged), entry);
}

void SetReceiver::on_link(const Link& link) {
  directories_.check_entry(link.directory, link.entry);
  directories_.check_name(link.leader_directory, link.leader_name);
  if (set_.profile != Profile::faithful) damaged_message("a hard link in a compat set");
  links_.push_back(link);
  if (!directories_.trouble(link.directory).empty()) return;
  try {
    make_way(link.directory, link.entry.name);
  } catch (const base::DiskError&) {
    // Told when the link is made.
  }
}

/// The leader must have come in this pass or an earlier one, and be what the link says.
bool SetReceiver::knows_leader(const Link& link) {
  const auto& key = directories_.key(link.leader_directory);
  const auto in_batch = batch_.directories.find(key);
  if (in_batch != batch_.directories.end()) {
    const auto found = in_batch->second.entries.find(link.leader_name);
    if (found != in_batch->second.entries.end()) return found->second.has_value();
  }
  return find_entry(index_.directory(key), link.leader_name) != nullptr;
}

void SetReceiver::put_link_in_place(const Link& link) {
  const auto refuse = [](const std::string& why, int error) { throw base::DiskError{why, error}; };
  for (const auto number : {link.leader_directory, link.directory}) {
    const auto& why = directories_.trouble(number);
    if (!why.empty()) refuse(why, ENOENT);
  }
  if (!knows_leader(link)) refuse("the file that it is another name of did not come", ENOENT);
  const base::Fd leader_directory{
      ::fcntl(directories_.open(link.leader_directory), F_DUPFD_CLOEXEC, 0)};
  const int directory = directories_.open(link.directory);
  const auto leader = disk_.status(leader_directory.get(), link.leader_name);
  const bool fits = leader && leader->type == to_type(link.entry.kind) &&
                    leader->modified == link.entry.modified &&
                    (link.entry.kind != Kind::file || leader->size_bytes == link.entry.size_bytes);
  if (!fits) refuse("the file that it is another name of is not as announced", ESTALE);
  const auto there = disk_.status(directory, link.entry.name);
  if (!there || there->device != leader->device || there->inode != leader->inode) {
    auto staged = stage_other(link.directory, [&](int place, const std::string& name) {
      disk_.make_link(leader_directory.get(), link.leader_name, place, name);
    });
    keep_staged(link.directory, std::move(staged), link.entry);
    return;
  }
  batch_.put(directories_.key(link.directory), link.entry);
}

void SetReceiver::put_links_in_place() {
  for (const auto& link : links_) {
    try {
      put_link_in_place(link);
    } catch (const base::DiskError& error) {
      trouble(link.directory, link.entry.name, error.what() + (": " + error.detail()));
    }
  }
  links_.clear();
  put_staged_in_place();
}

}  // namespace hamn::sync
