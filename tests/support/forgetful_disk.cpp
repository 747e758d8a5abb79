#include "tests/support/forgetful_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/temporary_directory.h"

namespace hamn::test {

namespace fs = std::filesystem;

namespace {

base::FileStatus look_at(const std::string& path) {
  base::RealDisk disk;
  const auto slash = path.rfind('/');
  const auto parent = disk.open_root(slash == 0 ? "/" : path.substr(0, slash));
  return disk.status(parent.get(), path.substr(slash + 1)).value();
}

std::string read_all(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void write_all(const std::string& path, const std::string& content) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << content;
}

/// Owner, mode and time, in the order in which one does not undo the other.
void set_attributes(const std::string& path, const base::FileStatus& status) {
  const bool is_link = status.type == base::FileType::symlink;
  (void)!::lchown(path.c_str(), status.uid, status.gid);
  if (!is_link) ::chmod(path.c_str(), status.mode);
  const std::array<timespec, 2> times{
      {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
       {.tv_sec = status.modified.seconds, .tv_nsec = status.modified.nanoseconds}}};
  ::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

/// What is left of `live` when only `synced` had reached the disk.
std::string after_loss(PowerLoss loss, const std::string& live, const std::string& synced) {
  if (loss == PowerLoss::keep_names_forget_content) return synced;
  auto content = live;
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (i >= synced.size() || synced[i] != content[i]) content[i] = '\0';
  }
  return content;
}

}  // namespace

std::string to_text(PowerLoss loss) {
  switch (loss) {
    case PowerLoss::forget_all_unsynced:
      return "all unsynced things forgotten";
    case PowerLoss::keep_names_forget_content:
      return "names kept, unsynced contents forgotten";
    case PowerLoss::keep_names_zero_content:
      return "names and sizes kept, unsynced bytes zero";
  }
  return "";
}

std::string to_text(Moment moment) {
  return moment == Moment::before ? "before" : "during";
}

ForgetfulDisk::ForgetfulDisk(std::string root) : root_(std::move(root)) {
  everything_lasts();
}

std::size_t ForgetfulDisk::operations() const {
  const std::lock_guard lock{mutex_};
  return operations_;
}

std::string ForgetfulDisk::last_operation() const {
  const std::lock_guard lock{mutex_};
  return last_operation_;
}

void ForgetfulDisk::cut_at(std::size_t n, Moment moment) {
  const std::lock_guard lock{mutex_};
  cut_at_ = n;
  moment_ = moment;
}

void ForgetfulDisk::everything_lasts() {
  const std::lock_guard lock{mutex_};
  synced_ = capture();
}

void ForgetfulDisk::power_cut(PowerLoss loss) {
  const std::lock_guard lock{mutex_};
  auto tree = synced_;
  if (loss != PowerLoss::forget_all_unsynced) {
    tree = capture();
    for (auto& [id, inode] : tree) {
      if (inode.status.type == base::FileType::regular) {
        inode.content = after_loss(loss, inode.content, synced_[id].content);
      }
    }
  }
  restore(tree);
  live_.clear();
  everything_lasts();
  is_off_ = false;
  cut_at_ = 0;
}

void ForgetfulDisk::throw_if_off() const {
  if (is_off_) throw PowerCut{};
}

void ForgetfulDisk::operate(const std::string& name, const std::function<void()>& whole,
                            const std::function<void()>& half) {
  throw_if_off();
  ++operations_;
  last_operation_ = name;
  if (operations_ != cut_at_) return whole();
  if (moment_ == Moment::during) half ? half() : whole();
  is_off_ = true;
  throw PowerCut{};
}

ForgetfulDisk::Id ForgetfulDisk::id_of(const base::FileStatus& status) {
  const auto [place, is_new] = live_.try_emplace({status.device, status.inode}, next_id_);
  if (is_new) ++next_id_;
  return place->second;
}

ForgetfulDisk::Tree ForgetfulDisk::capture() {
  Tree tree;
  const auto status = look_at(root_);
  root_id_ = id_of(status);
  tree[root_id_].status = status;
  capture_below(root_, root_id_, tree);
  return tree;
}

void ForgetfulDisk::capture_below(const std::string& path, Id id, Tree& tree) {
  for (const auto& entry : fs::directory_iterator{path}) {
    const auto name = entry.path().filename().string();
    const auto status = look_at(entry.path().string());
    const auto its_id = id_of(status);
    tree[id].entries[name] = its_id;
    auto& inode = tree[its_id];
    inode.status = status;
    if (status.type == base::FileType::regular) inode.content = read_all(entry.path().string());
    if (status.type == base::FileType::symlink) inode.content = fs::read_symlink(entry.path());
    if (status.type == base::FileType::directory) {
      capture_below(entry.path().string(), its_id, tree);
    }
  }
}

void ForgetfulDisk::restore(const Tree& tree) {
  for (const auto& entry : fs::directory_iterator{root_}) fs::remove_all(entry.path());
  std::map<Id, std::string> made;
  const auto& directory = tree.at(root_id_);
  restore_below(root_, directory, tree, made);
  set_attributes(root_, directory.status);
}

void ForgetfulDisk::restore_below(const std::string& path, const Inode& directory, const Tree& tree,
                                  std::map<Id, std::string>& made) {
  for (const auto& [name, id] : directory.entries) {
    const auto its_path = path + "/" + name;
    const auto& inode = tree.at(id);
    if (made.contains(id)) {
      fs::create_hard_link(made.at(id), its_path);
      continue;
    }
    if (inode.status.type == base::FileType::regular) write_all(its_path, inode.content);
    if (inode.status.type == base::FileType::symlink) fs::create_symlink(inode.content, its_path);
    const bool is_special =
        inode.status.type >= base::FileType::fifo && inode.status.type < base::FileType::other;
    if (is_special) {
      real_.make_node(real_.open_root(path).get(), name, inode.status.type,
                      inode.status.device_number);
    }
    if (inode.status.type == base::FileType::directory) {
      fs::create_directory(its_path);
      restore_below(its_path, inode, tree, made);
    } else {
      made[id] = its_path;
    }
    set_attributes(its_path, inode.status);
  }
}

/// A new inode: nothing of it is synced yet, whoever had its number before.
void ForgetfulDisk::remember_new(int directory, const std::string& name) {
  const auto status = real_.status(directory, name).value();
  const auto id = next_id_++;
  live_[{status.device, status.inode}] = id;
  synced_[id] = {.status = status, .content = {}, .entries = {}};
  synced_[id].status.size_bytes = 0;
}

/// Takes an inode over into the synced tree: attributes, content, entries.
void ForgetfulDisk::make_last(int file) {
  const auto status = real_.status_of(file);
  const auto found = live_.find({status.device, status.inode});
  if (found == live_.end()) return;  // outside of the tree, or without a name
  auto& inode = synced_[found->second];
  inode.status = status;
  if (status.type == base::FileType::regular) {
    inode.content = read_all("/proc/self/fd/" + std::to_string(file));
  }
  if (status.type != base::FileType::directory) return;
  inode.entries.clear();
  for (const auto& name : real_.list(file)) {
    const auto entry = real_.status(file, name).value();
    const auto id = id_of(entry);
    synced_[found->second].entries[name] = id;
    auto& synced = synced_[id];  // empty if it was made past this disk
    if (synced.status.inode != 0) continue;
    synced.status = entry;
    if (entry.type == base::FileType::symlink) {
      synced.content = fs::read_symlink("/proc/self/fd/" + std::to_string(file) + "/" + name);
    }
  }
}

base::Fd ForgetfulDisk::open_root(const std::string& path) {
  const std::lock_guard lock{mutex_};
  throw_if_off();
  return real_.open_root(path);
}

std::optional<base::Fd> ForgetfulDisk::open_directory(int directory, const std::string& path) {
  const std::lock_guard lock{mutex_};
  throw_if_off();
  return real_.open_directory(directory, path);
}

std::optional<base::Fd> ForgetfulDisk::open_file(int directory, const std::string& name) {
  const std::lock_guard lock{mutex_};
  throw_if_off();
  return real_.open_file(directory, name);
}

std::optional<base::FileStatus> ForgetfulDisk::status(int directory, const std::string& name) {
  const std::lock_guard lock{mutex_};
  throw_if_off();
  return real_.status(directory, name);
}

base::FileStatus ForgetfulDisk::status_of(int file) {
  const std::lock_guard lock{mutex_};
  throw_if_off();
  return real_.status_of(file);
}

std::optional<base::Fd> ForgetfulDisk::open_node(int directory, const std::string& name) {
  const std::lock_guard lock{mutex_};
  throw_if_off();
  return real_.open_node(directory, name);
}

std::string ForgetfulDisk::link_target(int node) {
  const std::lock_guard lock{mutex_};
  throw_if_off();
  return real_.link_target(node);
}

std::vector<std::string> ForgetfulDisk::attribute_names(int file) {
  const std::lock_guard lock{mutex_};
  throw_if_off();
  return real_.attribute_names(file);
}

std::optional<std::string> ForgetfulDisk::attribute(int file, const std::string& name) {
  const std::lock_guard lock{mutex_};
  throw_if_off();
  return real_.attribute(file, name);
}

std::vector<std::string> ForgetfulDisk::list(int directory) {
  const std::lock_guard lock{mutex_};
  throw_if_off();
  return real_.list(directory);
}

void ForgetfulDisk::make_directory(int directory, const std::string& name, unsigned mode) {
  const std::lock_guard lock{mutex_};
  operate("make_directory", [&] {
    real_.make_directory(directory, name, mode);
    remember_new(directory, name);
  });
}

base::Fd ForgetfulDisk::create_file(int directory, const std::string& name, unsigned mode) {
  const std::lock_guard lock{mutex_};
  base::Fd file;
  operate("create_file", [&] {
    file = real_.create_file(directory, name, mode);
    remember_new(directory, name);
  });
  return file;
}

void ForgetfulDisk::write(int file, std::string_view data, std::uint64_t offset) {
  const std::lock_guard lock{mutex_};
  operate(
      "write", [&] { real_.write(file, data, offset); },
      [&] { real_.write(file, data.substr(0, data.size() / 2), offset); });
}

void ForgetfulDisk::truncate(int file, std::uint64_t size_bytes) {
  const std::lock_guard lock{mutex_};
  operate("truncate", [&] { real_.truncate(file, size_bytes); });
}

void ForgetfulDisk::set_owner(int file, std::uint32_t uid, std::uint32_t gid) {
  const std::lock_guard lock{mutex_};
  operate("set_owner", [&] { real_.set_owner(file, uid, gid); });
}

void ForgetfulDisk::set_mode(int file, std::uint32_t mode) {
  const std::lock_guard lock{mutex_};
  operate("set_mode", [&] { real_.set_mode(file, mode); });
}

void ForgetfulDisk::set_modified(int file, base::FileTime time) {
  const std::lock_guard lock{mutex_};
  operate("set_modified", [&] { real_.set_modified(file, time); });
}

void ForgetfulDisk::set_attribute(int file, const std::string& name, std::string_view value) {
  const std::lock_guard lock{mutex_};
  operate("set_attribute", [&] { real_.set_attribute(file, name, value); });
}

void ForgetfulDisk::remove_attribute(int file, const std::string& name) {
  const std::lock_guard lock{mutex_};
  operate("remove_attribute", [&] { real_.remove_attribute(file, name); });
}

void ForgetfulDisk::make_symlink(int directory, const std::string& name,
                                 const std::string& target) {
  const std::lock_guard lock{mutex_};
  operate("make_symlink", [&] {
    real_.make_symlink(directory, name, target);
    remember_new(directory, name);
    const auto status = real_.status(directory, name).value();
    synced_[live_.at({status.device, status.inode})].content = target;
  });
}

void ForgetfulDisk::make_node(int directory, const std::string& name, base::FileType type,
                              std::uint64_t device_number) {
  const std::lock_guard lock{mutex_};
  operate("make_node", [&] {
    real_.make_node(directory, name, type, device_number);
    remember_new(directory, name);
  });
}

void ForgetfulDisk::make_link(int from, const std::string& old_name, int to,
                              const std::string& new_name) {
  const std::lock_guard lock{mutex_};
  operate("make_link", [&] { real_.make_link(from, old_name, to, new_name); });
}

void ForgetfulDisk::rename(int from, const std::string& old_name, int to,
                           const std::string& new_name) {
  const std::lock_guard lock{mutex_};
  operate("rename", [&] {
    const auto moved = real_.status(from, old_name);
    const auto replaced = real_.status(to, new_name);
    real_.rename(from, old_name, to, new_name);
    const bool is_last =
        replaced && (replaced->links == 1 || replaced->type == base::FileType::directory);
    if (is_last && moved && moved->inode != replaced->inode) {
      live_.erase({replaced->device, replaced->inode});
    }
  });
}

void ForgetfulDisk::remove_file(int directory, const std::string& name) {
  const std::lock_guard lock{mutex_};
  operate("remove_file", [&] {
    const auto removed = real_.status(directory, name);
    real_.remove_file(directory, name);
    if (removed && removed->links == 1) live_.erase({removed->device, removed->inode});
  });
}

void ForgetfulDisk::remove_directory(int directory, const std::string& name) {
  const std::lock_guard lock{mutex_};
  operate("remove_directory", [&] {
    const auto removed = real_.status(directory, name);
    real_.remove_directory(directory, name);
    if (removed) live_.erase({removed->device, removed->inode});
  });
}

void ForgetfulDisk::sync_file(int file) {
  const std::lock_guard lock{mutex_};
  operate("sync_file", [&] { make_last(file); });
}

void ForgetfulDisk::sync_directory(int directory) {
  const std::lock_guard lock{mutex_};
  operate("sync_directory", [&] { make_last(directory); });
}

void ForgetfulDisk::sync_filesystem(int directory) {
  const std::lock_guard lock{mutex_};
  operate("sync_filesystem", [&] {
    (void)real_.status_of(directory);
    everything_lasts();
  });
}

namespace {

/// One run of the work; cut at operation `n`, or not at all if it is 0.
void run_once(const CrashTest& test, std::size_t n, Moment moment, PowerLoss loss,
              std::size_t& operations) {
  const TemporaryDirectory directory;
  if (test.given) test.given(directory.path());
  ForgetfulDisk disk{directory.path()};
  disk.cut_at(n, moment);
  bool finished = false;
  try {
    test.work(disk, directory.path());
    finished = true;
  } catch (const PowerCut&) {
  }
  operations = disk.operations();
  const auto where = n == 0 ? "after everything"
                            : to_text(moment) + " operation " + std::to_string(n) + " (" +
                                  disk.last_operation() + ")";
  disk.power_cut(loss);
  SCOPED_TRACE("power cut " + where + "; " + to_text(loss));
  EXPECT_EQ(n == 0, finished) << "the work went on without power";
  test.check(directory.path(), finished);
}

}  // namespace

std::size_t cut_power_everywhere(const CrashTest& test) {
  std::size_t operations = 0;
  std::size_t ignored = 0;
  std::size_t cuts = 0;
  for (const auto loss : all_power_losses) run_once(test, 0, Moment::before, loss, operations);
  for (std::size_t n = 1; n <= operations; ++n) {
    for (const auto moment : {Moment::before, Moment::during}) {
      for (const auto loss : all_power_losses) {
        run_once(test, n, moment, loss, ignored);
        ++cuts;
      }
    }
  }
  return cuts;
}

}  // namespace hamn::test
