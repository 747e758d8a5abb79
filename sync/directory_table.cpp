#include "sync/directory_table.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "sync/attributes.h"
#include "sync/bytes.h"

namespace hamn::sync {

namespace {

constexpr std::size_t most_open_directories = 64;
constexpr std::size_t many_directories = 64;

std::string join_path(const std::string& parent, const std::string& path) {
  return parent == "/" ? "/" + path : parent + "/" + path;
}

}  // namespace

void OwnerMap::learn(const Names& names) {
  if (names.id == 0) return;
  if (names.is_group) {
    if (const struct group* entry = ::getgrnam(names.name.c_str()))
      groups_[names.id] = entry->gr_gid;
  } else {
    if (const passwd* entry = ::getpwnam(names.name.c_str())) users_[names.id] = entry->pw_uid;
  }
}

std::uint32_t OwnerMap::user(std::uint32_t id) const {
  const auto found = users_.find(id);
  return found != users_.end() ? found->second : id;
}

std::uint32_t OwnerMap::group(std::uint32_t id) const {
  const auto found = groups_.find(id);
  return found != groups_.end() ? found->second : id;
}

void set_attributes(base::Disk& disk, int file, const Entry& entry, const OwnerMap& owners,
                    Profile profile) {
  const bool is_faithful = profile == Profile::faithful;
  if (::geteuid() == 0) {
    disk.set_owner(file, is_faithful ? entry.uid : owners.user(entry.uid),
                   is_faithful ? entry.gid : owners.group(entry.gid));
  }
  if (is_faithful) write_attributes(disk, file, entry.attributes);
  if (entry.kind != Kind::symlink) disk.set_mode(file, entry.mode);
  disk.set_modified(file, entry.modified);
}

DirectoryTable::DirectoryTable(base::Disk& disk, const FileSet& set) : disk_(disk), set_(set) {}

const Root& DirectoryTable::root_of(const DirectoryKey& key) const {
  return set_.roots[key.root];
}

std::string DirectoryTable::top_of(const DirectoryKey& key) const {
  return key.path.substr(0, key.path.find('/'));
}

const DirectoryTable::Known& DirectoryTable::at(std::uint32_t number) const {
  const auto found = known_.find(number);
  if (found == known_.end()) damaged_message("a directory was used before it was declared");
  return found->second;
}

bool DirectoryTable::is_declared(std::uint32_t number) const {
  return known_.contains(number);
}
const std::string& DirectoryTable::trouble(std::uint32_t number) const {
  return at(number).trouble;
}
const DirectoryKey& DirectoryTable::key(std::uint32_t number) const {
  return at(number).key;
}

void DirectoryTable::give_up(std::uint32_t number, const std::string& why) {
  known_[number].trouble = why;
}

bool DirectoryTable::holds(std::uint32_t number, const std::string& name, bool is_directory) const {
  const auto& where = at(number).key;
  const bool allowed = !where.path.empty() || matches(root_of(where).pattern, name);
  return allowed && !is_left_out(set_, where.root, below(where, name).path, is_directory);
}

void DirectoryTable::check_name(std::uint32_t number, const std::string& name) const {
  if (!holds(number, name, false)) refuse_path(join_path(path(number), name));
}

void DirectoryTable::check_gone(std::uint32_t number, const std::string& name) const {
  if (!holds(number, name, false) && !holds(number, name, true)) {
    refuse_path(join_path(path(number), name));
  }
}

void DirectoryTable::refuse_path(const std::string& where) const {
  damaged_message("the set \"" + set_.name + "\" does not hold " + base::printable(where) +
                  " on this host");
}

void DirectoryTable::check_entry(std::uint32_t number, const Entry& entry) const {
  check_name(number, entry.name);
  const bool is_plain = !is_node(entry.kind) && entry.names == 1 && entry.attributes.empty();
  if (set_.profile != Profile::faithful && !is_plain) {
    damaged_message("the set \"" + set_.name + "\" holds plain files only on this host");
  }
  // Below a root no link is followed, but its top may be one of this host's administrator.
  if (entry.kind == Kind::symlink && at(number).key.path.empty()) {
    damaged_message("the top of a root cannot be a link");
  }
}

void DirectoryTable::declare(const Enter& enter) {
  if (enter.key.root >= set_.roots.size()) damaged_message("a root that the set does not have");
  if (known_.contains(enter.number)) damaged_message("a directory was declared twice");
  known_[enter.number] = {.key = enter.key, .self = enter.self, .trouble = {}};
  numbers_[enter.key] = enter.number;
  if (!enter.key.path.empty()) {
    const auto parts = base::split(enter.key.path, '/');
    bool allowed = matches(root_of(enter.key).pattern, parts.front());
    DirectoryKey so_far{.root = enter.key.root, .path = {}};
    for (const auto& part : parts) {
      so_far = below(so_far, part);
      allowed = allowed && !is_left_out(set_, so_far.root, so_far.path, true);
    }
    if (!allowed) refuse_path(path(enter.number));
    if (set_.profile != Profile::faithful && !enter.self.attributes.empty()) {
      damaged_message("extended attributes in a compat set");
    }
  }
  make(enter.key);
}

std::optional<base::Fd> DirectoryTable::open_key(const DirectoryKey& key) {
  const auto& parent = root_of(key).destination_parent;
  if (key.path.empty()) return disk_.open_root(parent);
  const auto top = top_of(key);
  const auto holder = disk_.open_root(parent);
  const auto there = disk_.status(holder.get(), top);
  const bool usable =
      there && (there->type == base::FileType::directory || there->type == base::FileType::symlink);
  if (!usable) return std::nullopt;
  // A link at the top is this host's administrator's own: /install may live elsewhere.
  auto opened = disk_.open_root(join_path(parent, top));
  if (key.path == top) return opened;
  return disk_.open_directory(opened.get(), key.path.substr(top.size() + 1));
}

void DirectoryTable::make(const DirectoryKey& key) {
  if (key.path.empty()) {
    base::make_directories(root_of(key).destination_parent, 0755);
    return;
  }
  if (open_key(key)) return;
  const auto holder = open_key(parent_of(key));
  if (!holder) throw base::DiskError{"cannot make a directory whose parent is missing", ENOENT};
  const auto name = name_of(key);
  const auto there = disk_.status(holder->get(), name);
  // In a faithful set links are the set's own; in a compat set this host's administrator made it.
  if (there && there->type == base::FileType::symlink && set_.profile == Profile::compat) {
    throw base::DiskError{"a symbolic link of this host stands where a directory should be",
                          EEXIST};
  }
  if (there) disk_.remove_file(holder->get(), name);
  disk_.make_directory(holder->get(), name, 0700);
  const auto parent = numbers_.find(parent_of(key));
  if (parent != numbers_.end()) touch(parent->second);
}

int DirectoryTable::open(std::uint32_t number) {
  const auto found = std::find_if(opened_.begin(), opened_.end(),
                                  [&](const Opened& each) { return each.number == number; });
  if (found != opened_.end()) {
    opened_.splice(opened_.begin(), opened_, found);
    return opened_.front().fd.get();
  }
  auto fd = open_key(at(number).key);
  if (!fd) throw base::DiskError{"cannot open " + path(number), ENOENT};
  opened_.push_front({.number = number, .fd = std::move(*fd)});
  if (opened_.size() > most_open_directories) opened_.pop_back();
  return opened_.front().fd.get();
}

std::string DirectoryTable::path(std::uint32_t number) const {
  const auto& where = at(number).key;
  const auto& parent = root_of(where).destination_parent;
  return where.path.empty() ? parent : join_path(parent, where.path);
}

base::Fd DirectoryTable::open_top(std::uint32_t number) {
  return disk_.open_root(top_path(number));
}

std::string DirectoryTable::top_path(std::uint32_t number) const {
  const auto& where = at(number).key;
  const auto& parent = root_of(where).destination_parent;
  return where.path.empty() ? parent : join_path(parent, top_of(where));
}

void DirectoryTable::settle(const OwnerMap& owners) {
  std::set<std::uint64_t> synced_devices;
  const bool many = touched_.size() > many_directories;
  for (const auto number : touched_) {
    const auto& known = at(number);
    const int fd = open(number);
    if (!known.key.path.empty()) set_attributes(disk_, fd, known.self, owners, set_.profile);
    if (!many) disk_.sync_directory(fd);
  }
  for (const auto number : touched_) {
    if (!many) break;
    const int fd = open(number);
    if (synced_devices.insert(disk_.status_of(fd).device).second) disk_.sync_filesystem(fd);
  }
  touched_.clear();
}

}  // namespace hamn::sync
