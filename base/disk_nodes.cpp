#include "base/disk_nodes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/disk.h"
#include "base/text.h"

namespace hamn::base {

namespace {

constexpr std::size_t most_attribute_bytes = 64U << 10U;
constexpr unsigned minor_bits = 20;
constexpr unsigned minor_mask = (1U << minor_bits) - 1;

FileTime to_file_time(const timespec& time) {
  return {.seconds = time.tv_sec, .nanoseconds = static_cast<std::uint32_t>(time.tv_nsec)};
}

FileType to_type(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileType::regular;
    case S_IFDIR:
      return FileType::directory;
    case S_IFLNK:
      return FileType::symlink;
    case S_IFIFO:
      return FileType::fifo;
    case S_IFSOCK:
      return FileType::socket;
    case S_IFCHR:
      return FileType::character_device;
    case S_IFBLK:
      return FileType::block_device;
    default:
      return FileType::other;
  }
}

mode_t to_format(FileType type) {
  switch (type) {
    case FileType::fifo:
      return S_IFIFO;
    case FileType::socket:
      return S_IFSOCK;
    case FileType::character_device:
      return S_IFCHR;
    case FileType::block_device:
      return S_IFBLK;
    default:
      return 0;
  }
}

}  // namespace

void check_result(int result, const std::string& verb, const std::string& name) {
  if (result < 0) throw DiskError{"cannot " + verb + " " + printable(name), errno};
}

bool is_component(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

void check_component(const std::string& verb, const std::string& name) {
  if (!is_component(name)) throw DiskError{"cannot " + verb + " " + printable(name), EINVAL};
}

std::string process_path(int file) {
  return "/proc/self/fd/" + std::to_string(file);
}

FileStatus to_status(const struct stat& from) {
  FileStatus to;
  to.type = to_type(from.st_mode);
  to.size_bytes = static_cast<std::uint64_t>(from.st_size);
  to.modified = to_file_time(from.st_mtim);
  to.changed = to_file_time(from.st_ctim);
  to.mode = from.st_mode & 07777U;
  to.uid = from.st_uid;
  to.gid = from.st_gid;
  to.device = from.st_dev;
  to.inode = from.st_ino;
  to.links = from.st_nlink;
  if (to.type == FileType::character_device || to.type == FileType::block_device) {
    to.device_number = (std::uint64_t{major(from.st_rdev)} << minor_bits) + minor(from.st_rdev);
  }
  return to;
}

std::optional<Fd> RealDisk::open_node(int directory, const std::string& name) {
  check_component("open", name);
  Fd fd{::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd.is_open() && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  check_result(fd.get(), "open", name);
  return fd;
}

std::string RealDisk::link_target(int node) {
  std::array<char, 4096> target{};
  const auto size = ::readlinkat(node, "", target.data(), target.size());
  if (size < 0) throw DiskError{"cannot read a symbolic link", errno};
  return {target.data(), static_cast<std::size_t>(size)};
}

std::vector<std::string> RealDisk::attribute_names(int file) {
  std::string names(most_attribute_bytes, '\0');
  const auto size = ::listxattr(process_path(file).c_str(), names.data(), names.size());
  if (size < 0 && errno == ENOTSUP) return {};
  if (size < 0) throw DiskError{"cannot list extended attributes", errno};
  names.resize(static_cast<std::size_t>(size));
  auto list = split(names, '\0');
  std::erase(list, "");
  std::sort(list.begin(), list.end());
  return list;
}

std::optional<std::string> RealDisk::attribute(int file, const std::string& name) {
  std::string value(most_attribute_bytes, '\0');
  const auto size =
      ::getxattr(process_path(file).c_str(), name.c_str(), value.data(), value.size());
  if (size < 0 && (errno == ENODATA || errno == ENOTSUP)) return std::nullopt;
  if (size < 0) throw DiskError{"cannot read the extended attribute " + printable(name), errno};
  value.resize(static_cast<std::size_t>(size));
  return value;
}

void RealDisk::set_attribute(int file, const std::string& name, std::string_view value) {
  check_result(::setxattr(process_path(file).c_str(), name.c_str(), value.data(), value.size(), 0),
               "set the extended attribute", name);
}

void RealDisk::remove_attribute(int file, const std::string& name) {
  const int result = ::removexattr(process_path(file).c_str(), name.c_str());
  if (result < 0 && errno == ENODATA) return;
  check_result(result, "remove the extended attribute", name);
}

void RealDisk::make_symlink(int directory, const std::string& name, const std::string& target) {
  check_component("make link", name);
  check_result(::symlinkat(target.c_str(), directory, name.c_str()), "make link", name);
}

void RealDisk::make_node(int directory, const std::string& name, FileType type,
                         std::uint64_t device_number) {
  check_component("make", name);
  const auto format = to_format(type);
  if (format == 0) throw DiskError{"cannot make " + printable(name), EINVAL};
  const auto device = makedev(static_cast<unsigned>(device_number >> minor_bits),
                              static_cast<unsigned>(device_number & minor_mask));
  check_result(::mknodat(directory, name.c_str(), format | 0600U, device), "make", name);
}

void RealDisk::make_link(int from, const std::string& old_name, int to,
                         const std::string& new_name) {
  check_component("link", old_name);
  check_component("link", new_name);
  check_result(::linkat(from, old_name.c_str(), to, new_name.c_str(), 0), "link", new_name);
}

}  // namespace hamn::base
