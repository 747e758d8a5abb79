// How SetReceiver deletes what the source no longer has: all at the end of a pass, or nothing.

#include <cerrno>

#include "sync/safety.h"
#include "sync/set_receiver.h"

namespace hamn::sync {

void SetReceiver::on_present(const Present& present) {
  const auto& key = directories_.key(present.directory);
  auto& names = present_[present.directory];
  names.insert(present.names.begin(), present.names.end());
  if (!present.last) return;
  if (hello_.deletes && directories_.trouble(present.directory).empty()) {
    try {
      for (const auto& name : disk_.list(directories_.open(present.directory))) {
        if (!names.contains(name)) doom(present.directory, name);
      }
    } catch (const base::DiskError& error) {
      trouble(present.directory, "", error.what() + (": " + error.detail()));
    }
  }
  batch_.directories.try_emplace(key);
  present_.erase(present.directory);
}

void SetReceiver::doom(std::uint32_t directory, const std::string& name) {
  const auto there = disk_.status(directories_.open(directory), name);
  if (!there || !directories_.holds(directory, name, there->type == base::FileType::directory)) {
    return;
  }
  // The top of a root that is a link is this host's administrator's own.
  const bool is_top = directories_.key(directory).path.empty();
  if (is_top && there->type == base::FileType::symlink) return;
  doomed_.emplace(directory, name);
}

void SetReceiver::make_way(std::uint32_t directory, const std::string& name) {
  if (!hello_.deletes) return;
  const auto there = disk_.status(directories_.open(directory), name);
  if (there && there->type == base::FileType::directory) doomed_.emplace(directory, name);
}

std::uint64_t SetReceiver::count_below(int directory, const std::string& name) {
  const auto there = disk_.status(directory, name);
  if (!there) return 0;
  std::uint64_t names = 1;
  if (there->type != base::FileType::directory) return names;
  if (const auto below = disk_.open_directory(directory, name)) {
    for (const auto& each : disk_.list(below->get())) names += count_below(below->get(), each);
  }
  return names;
}

std::uint64_t SetReceiver::count_names(std::uint64_t doomed) {
  // In a full pass the index still holds directories that this pass has not seen, and the doomed
  // names are in none.
  const bool is_full = mode_ != PassMode::incremental;
  std::uint64_t names = is_full ? doomed : 0;
  for (const auto& key : index_.directories()) {
    const bool counts = !is_full || directories_.is_declared(key);
    if (counts && !batch_.directories.contains(key)) names += index_.directory(key).size();
  }
  for (const auto& [key, changes] : batch_.directories) {
    const auto before = changes.starts_empty ? std::vector<Entry>{} : index_.directory(key);
    names += before.size();
    for (const auto& [name, entry] : changes.entries) {
      if (entry && find_entry(before, name) == nullptr) ++names;
    }
  }
  return names + waiting_.size();
}

bool SetReceiver::remove_tree(int directory, const std::string& name, const std::string& path,
                              std::uint16_t root) {
  const auto there = disk_.status(directory, name);
  if (!there) return true;
  const bool is_directory = there->type == base::FileType::directory;
  if (is_left_out(set_, root, path, is_directory)) return false;
  if (!is_directory) {
    disk_.remove_file(directory, name);
    return true;
  }
  if (there->device != disk_.status_of(directory).device) {
    throw base::DiskError{"another file system is mounted there", EBUSY};
  }
  const auto below = disk_.open_directory(directory, name);
  if (!below) return true;
  bool all = true;
  for (const auto& each : disk_.list(below->get())) {
    all = remove_tree(below->get(), each, path + "/" + each, root) && all;
  }
  if (all) disk_.remove_directory(directory, name);
  return all;
}

void SetReceiver::delete_doomed(bool may_delete) {
  if (doomed_.empty()) return;
  Deleted answer;
  for (const auto& [directory, name] : doomed_) {
    answer.names += count_below(directories_.open(directory), name);
  }
  answer.total = count_names(answer.names);
  answer.held_back =
      !may_delete || (!hello_.accept_deletions && is_mass_deletion(answer.names, answer.total));
  if (answer.held_back) {
    is_held_back_ = true;
    doomed_.clear();
  }
  for (const auto& [directory, name] : doomed_) {
    try {
      const auto& key = directories_.key(directory);
      (void)remove_tree(directories_.open(directory), name, below(key, name).path, key.root);
    } catch (const base::DiskError& error) {
      trouble(directory, name, error.what() + (": " + error.detail()));
      is_held_back_ = true;  // no index knows it any more
    }
    directories_.touch(directory);
  }
  doomed_.clear();
  outbox_->push(type(MessageType::deleted), encode(answer));
}

}  // namespace hamn::sync
