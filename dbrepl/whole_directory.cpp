#include "dbrepl/whole_directory.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/hash.h"
#include "base/text.h"

namespace hamn::dbrepl {

namespace {

constexpr unsigned private_directory = 0700;
constexpr unsigned private_file = 0600;
using Buffer = std::array<char, 1U << 16U>;

constexpr std::string_view new_suffix = ".new";
constexpr std::string_view old_suffix = ".old";

std::string old_path(const std::string& final_path) {
  return final_path + std::string{old_suffix};
}

/// Reads what is left of `file` from `offset`; 0 at its end.
std::size_t read_at(int file, Buffer& buffer, std::uint64_t offset) {
  for (;;) {
    const auto got = ::pread(file, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw base::DiskError{"cannot read a file of the database's copy", errno};
  }
}

/// Exchanges two names in one step; false if this file system cannot.
bool exchange(int parent, const std::string& one, const std::string& other) {
  if (::renameat2(parent, one.c_str(), parent, other.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) return false;
  throw base::DiskError{"cannot put in place " + base::printable(other), errno};
}

}  // namespace

bool is_directory(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string scratch_path(const std::string& final_path) {
  return final_path + std::string{new_suffix};
}

void remove_entry(base::Disk& disk, int parent, const std::string& name) {
  const auto found = disk.status(parent, name);
  if (!found) return;
  if (found->type != base::FileType::directory) return disk.remove_file(parent, name);
  if (const auto below = disk.open_directory(parent, name)) {
    base::remove_content(disk, below->get());
  }
  disk.remove_directory(parent, name);
}

std::optional<std::string> read_text(base::Disk& disk, int directory, const std::string& name,
                                     std::uint64_t limit_bytes) {
  const auto file = disk.open_file(directory, name);
  if (!file || disk.status_of(file->get()).size_bytes > limit_bytes) return std::nullopt;
  std::string content;
  Buffer buffer;
  while (const auto got = read_at(file->get(), buffer, content.size())) {
    content.append(buffer.data(), got);
    if (content.size() > limit_bytes) return std::nullopt;
  }
  return content;
}

std::string sha256_of(int file) {
  base::Sha256 hash;
  Buffer buffer;
  std::uint64_t offset = 0;
  while (const auto got = read_at(file, buffer, offset)) {
    hash.add({buffer.data(), got});
    offset += got;
  }
  return hash.digits();
}

std::string copy_file(base::Disk& disk, const FileName& from, const FileName& to) {
  const auto source = disk.open_file(from.directory, from.name);
  if (!source) throw base::DiskError{"cannot copy " + base::printable(from.name), ENOENT};
  const auto target = disk.create_file(to.directory, to.name, private_file);
  base::Sha256 hash;
  Buffer buffer;
  std::uint64_t offset = 0;
  while (const auto got = read_at(source->get(), buffer, offset)) {
    disk.write(target.get(), {buffer.data(), got}, offset);
    hash.add({buffer.data(), got});
    offset += got;
  }
  if (::geteuid() == 0) disk.set_owner(target.get(), 0, 0);
  disk.sync_file(target.get());
  return hash.digits();
}

void link_or_copy(base::Disk& disk, const FileName& from, const FileName& to) {
  if (::linkat(from.directory, from.name.c_str(), to.directory, to.name.c_str(), 0) == 0) return;
  const bool cannot_link =
      errno == EXDEV || errno == EMLINK || errno == EPERM || errno == EOPNOTSUPP;
  if (!cannot_link) throw base::DiskError{"cannot link " + base::printable(to.name), errno};
  copy_file(disk, from, to);
}

ScratchDirectory::ScratchDirectory(base::Disk& disk, std::string path)
    : disk_(disk), path_(std::move(path)), parent_(disk.open_root(parent_of(path_))) {
  remove_entry(disk_, parent_.get(), name_of(path_));
  disk_.make_directory(parent_.get(), name_of(path_), private_directory);
  directory_ = disk_.open_root(path_);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void ScratchDirectory::take_place_of(const std::string& final_path) {
  const auto final_name = name_of(final_path);
  const auto own_name = name_of(path_);
  const auto old_name = name_of(old_path(final_path));
  disk_.sync_directory(fd());
  const bool taken = disk_.status(parent_.get(), final_name).has_value();
  if (!taken) {
    disk_.rename(parent_.get(), own_name, parent_.get(), final_name);
  } else if (!exchange(parent_.get(), own_name, final_name)) {
    remove_entry(disk_, parent_.get(), old_name);
    disk_.rename(parent_.get(), final_name, parent_.get(), old_name);
    disk_.sync_directory(parent_.get());
    disk_.rename(parent_.get(), own_name, parent_.get(), final_name);
  }
  disk_.sync_directory(parent_.get());
  remove_entry(disk_, parent_.get(), own_name);
  remove_entry(disk_, parent_.get(), old_name);
}

void settle_directory(base::Disk& disk, const std::string& final_path) {
  const auto parent_path = parent_of(final_path);
  if (!is_directory(parent_path)) return;
  const auto parent = disk.open_root(parent_path);
  const auto old_name = name_of(old_path(final_path));
  const bool is_away = !disk.status(parent.get(), name_of(final_path));
  if (is_away && disk.status(parent.get(), old_name)) {
    disk.rename(parent.get(), old_name, parent.get(), name_of(final_path));
    disk.sync_directory(parent.get());
  }
  remove_entry(disk, parent.get(), old_name);
  remove_entry(disk, parent.get(), name_of(scratch_path(final_path)));
}

void settle_directories_below(base::Disk& disk, const std::string& parent_path) {
  const auto parent = disk.open_root(parent_path);
  for (const auto& name : disk.list(parent.get())) {
    for (const auto suffix : {new_suffix, old_suffix}) {
      if (!name.ends_with(suffix)) continue;
      settle_directory(disk, parent_path + "/" + name.substr(0, name.size() - suffix.size()));
    }
  }
}

}  // namespace hamn::dbrepl
