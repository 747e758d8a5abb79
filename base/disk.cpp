#include "base/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/disk_nodes.h"
#include "base/hash.h"
#include "base/text.h"

namespace hamn::base {

namespace {

std::string hint_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or inodes there, then run again";
    case EROFS:
      return "mount the file system read-write, then run again";
    case EIO:
      return "look at the kernel log for disk errors: dmesg | tail";
    case EACCES:
    case EPERM:
      return "run as root; look for immutable files (lsattr) and security policies";
    default:
      return "look at the file and its directory on this host";
  }
}

/// For kernels before 5.6: one component at a time, none of them a link.
int open_step_by_step(int directory, const std::string& path, int flags) {
  Fd current{::fcntl(directory, F_DUPFD_CLOEXEC, 0)};
  auto parts = split(path, '/');
  const bool is_absolute = parts.front().empty();
  std::erase_if(parts, [](const std::string& part) { return part.empty() || part == "."; });
  if (is_absolute || std::find(parts.begin(), parts.end(), "..") != parts.end()) {
    errno = EXDEV;
    return -1;
  }
  const auto last = parts.empty() ? std::string{"."} : parts.back();
  if (!parts.empty()) parts.pop_back();
  for (const auto& part : parts) {
    Fd next{::openat(current.get(), part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!next.is_open()) return -1;
    current = std::move(next);
  }
  return ::openat(current.get(), last.c_str(), flags | O_NOFOLLOW);
}

int open_beneath(int directory, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how);
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
    return open_step_by_step(directory, path, flags);
  }
  return static_cast<int>(fd);
}

bool means_absent(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == EXDEV;
}

std::string path_of(int fd) {
  std::array<char, 4096> target{};
  const auto link = process_path(fd);
  const auto size = ::readlink(link.c_str(), target.data(), target.size() - 1);
  return size > 0 ? std::string{target.data(), static_cast<std::size_t>(size)} : link;
}

}  // namespace

DiskError::DiskError(const std::string& what, int error_number)
    : Error(system_error(what, error_number, hint_for(error_number))),
      error_number_(error_number) {}

Fd RealDisk::open_root(const std::string& path) {
  Fd fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  check_result(fd.get(), "open directory", path);
  return fd;
}

std::optional<Fd> RealDisk::open_directory(int directory, const std::string& path) {
  Fd fd{open_beneath(directory, path.empty() ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.is_open() && means_absent(errno)) return std::nullopt;
  check_result(fd.get(), "open directory", path);
  return fd;
}

std::optional<Fd> RealDisk::open_file(int directory, const std::string& name) {
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  Fd fd{open_beneath(directory, name, flags | O_NOATIME)};
  if (!fd.is_open() && errno == EPERM) fd = Fd{open_beneath(directory, name, flags)};
  if (!fd.is_open() && (means_absent(errno) || errno == ENXIO)) return std::nullopt;
  check_result(fd.get(), "open", name);
  if (status_of(fd.get()).type != FileType::regular) return std::nullopt;
  return fd;
}

std::optional<FileStatus> RealDisk::status(int directory, const std::string& name) {
  struct stat found {};
  int result = 0;
  if (is_component(name)) {
    result = ::fstatat(directory, name.c_str(), &found, AT_SYMLINK_NOFOLLOW);
  } else {
    const Fd fd{open_beneath(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    result = fd.is_open() ? ::fstat(fd.get(), &found) : -1;
  }
  if (result < 0 && means_absent(errno)) return std::nullopt;
  check_result(result, "look at", name);
  return to_status(found);
}

FileStatus RealDisk::status_of(int file) {
  struct stat found {};
  if (::fstat(file, &found) < 0) throw DiskError{"cannot look at an open file", errno};
  return to_status(found);
}

std::vector<std::string> RealDisk::list(int directory) {
  // A descriptor of its own: a directory stream moves the position of the one it was given.
  const int own = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check_result(own, "open directory", path_of(directory));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream{::fdopendir(own), ::closedir};
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) throw DiskError{"cannot list " + path_of(directory), errno};
  return names;
}

void RealDisk::make_directory(int directory, const std::string& name, unsigned mode) {
  check_component("make directory", name);
  check_result(::mkdirat(directory, name.c_str(), mode), "make directory", name);
}

Fd RealDisk::create_file(int directory, const std::string& name, unsigned mode) {
  check_component("create", name);
  Fd fd{
      ::openat(directory, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)};
  check_result(fd.get(), "create", name);
  return fd;
}

void RealDisk::write(int file, std::string_view data, std::uint64_t offset) {
  while (!data.empty()) {
    const auto put = ::pwrite(file, data.data(), data.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw DiskError{"cannot write to " + path_of(file), errno};
    data.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
}

bool Disk::share_content(int /*from*/, int /*to*/) {
  return false;
}

void Disk::start_sync(int /*file*/) {}

bool RealDisk::share_content(int from, int to) {
  return ::ioctl(to, FICLONE, from) == 0;
}

void RealDisk::start_sync(int file) {
  (void)::sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE);
}

void RealDisk::truncate(int file, std::uint64_t size_bytes) {
  if (::ftruncate(file, static_cast<off_t>(size_bytes)) < 0) {
    throw DiskError{"cannot set the size of " + path_of(file), errno};
  }
}

void RealDisk::set_owner(int file, std::uint32_t uid, std::uint32_t gid) {
  if (::fchownat(file, "", uid, gid, AT_EMPTY_PATH) < 0)
    throw DiskError{"cannot set the owner of " + path_of(file), errno};
}

void RealDisk::set_mode(int file, std::uint32_t mode) {
  int result = ::fchmod(file, mode);
  if (result < 0 && errno == EBADF) result = ::chmod(process_path(file).c_str(), mode);
  if (result < 0) throw DiskError{"cannot set the mode of " + path_of(file), errno};
}

void RealDisk::set_modified(int file, FileTime time) {
  const std::array<timespec, 2> times{{{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                                       {.tv_sec = time.seconds, .tv_nsec = time.nanoseconds}}};
  int result = ::futimens(file, times.data());
  if (result < 0 && errno == EBADF) {
    result = ::utimensat(AT_FDCWD, process_path(file).c_str(), times.data(), 0);
  }
  if (result < 0) {
    throw DiskError{"cannot set the time of " + path_of(file), errno};
  }
}

void RealDisk::rename(int from, const std::string& old_name, int to, const std::string& new_name) {
  check_component("rename", old_name);
  check_component("put in place", new_name);
  check_result(::renameat(from, old_name.c_str(), to, new_name.c_str()), "put in place", new_name);
}

void RealDisk::remove_file(int directory, const std::string& name) {
  check_component("remove", name);
  check_result(::unlinkat(directory, name.c_str(), 0), "remove", name);
}

void RealDisk::remove_directory(int directory, const std::string& name) {
  check_component("remove directory", name);
  check_result(::unlinkat(directory, name.c_str(), AT_REMOVEDIR), "remove directory", name);
}

void RealDisk::sync_file(int file) {
  if (::fsync(file) < 0) throw DiskError{"cannot sync " + path_of(file), errno};
}

void RealDisk::sync_directory(int directory) {
  sync_file(directory);
}

void RealDisk::sync_filesystem(int directory) {
  if (::syncfs(directory) < 0) {
    throw DiskError{"cannot sync the file system of " + path_of(directory), errno};
  }
}

std::optional<std::string> read_file(const std::string& path, std::uint64_t limit_bytes) {
  const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!fd.is_open() && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  check_result(fd.get(), "read", path);
  std::string content;
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    check_result(static_cast<int>(got), "read", path);
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (content.size() > limit_bytes) {
      throw Error{{.what = "cannot read " + printable(path),
                   .detail = "it is larger than " + human_size(limit_bytes),
                   .hint = "look whether this is the file that was meant"}};
    }
  }
}

namespace {

struct Owner {
  std::uint32_t uid;
  std::uint32_t gid;
};

Owner look_up_owner(const std::string& text) {
  const auto parts = split(text, ':');
  std::array<char, 16384> user_room{};
  std::array<char, 16384> group_room{};
  passwd user_entry{};
  group group_entry{};
  passwd* user = nullptr;
  group* its_group = nullptr;
  // The forms for threads: sender and receiver may be in one process.
  (void)::getpwnam_r(parts.front().c_str(), &user_entry, user_room.data(), user_room.size(), &user);
  if (parts.size() > 1) {
    (void)::getgrnam_r(parts[1].c_str(), &group_entry, group_room.data(), group_room.size(),
                       &its_group);
  }
  if (user == nullptr || (parts.size() > 1 && its_group == nullptr)) {
    throw Error{{.what = "cannot give a file to " + text,
                 .detail = "there is no such user or group on this host",
                 .hint = "create it, or correct the configuration"}};
  }
  return {.uid = user->pw_uid, .gid = its_group != nullptr ? its_group->gr_gid : user->pw_gid};
}

/// Removes the temporary file again unless it got its final name.
struct Temporary {
  int directory;
  std::string name;

  ~Temporary() {
    if (!name.empty()) ::unlinkat(directory, name.c_str(), 0);
  }
};

}  // namespace

void replace_file(Disk& disk, const FileWrite& file) {
  const auto slash = file.path.rfind('/');
  const auto name = file.path.substr(slash + 1);
  if (!file.path.starts_with("/") || name.empty()) {
    throw Error{{.what = "cannot write " + printable(file.path),
                 .detail = "not the absolute path of a file",
                 .hint = "give the whole path of a file"}};
  }
  const Fd directory = disk.open_root(slash == 0 ? "/" : file.path.substr(0, slash));
  Temporary temporary{.directory = directory.get(),
                      .name = "." + name + ".hamn-" + random_digits(6)};
  const Fd fd = disk.create_file(directory.get(), temporary.name, 0600);
  disk.write(fd.get(), file.content, 0);
  if (::geteuid() == 0) {
    const auto owner = look_up_owner(file.owner);
    disk.set_owner(fd.get(), owner.uid, owner.gid);
  }
  disk.set_mode(fd.get(), file.mode);
  disk.sync_file(fd.get());
  disk.rename(directory.get(), temporary.name, directory.get(), name);
  temporary.name.clear();
  disk.sync_directory(directory.get());
}

namespace {

void sync_parent(const std::string& path) {
  const auto parent = path.substr(0, std::max<std::size_t>(1, path.rfind('/')));
  const Fd directory{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  check_result(directory.get(), "open directory", parent);
  check_result(::fsync(directory.get()), "sync directory", parent);
}

}  // namespace

void make_directories(const std::string& path, unsigned mode) {
  for (auto end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const auto part = path.substr(0, end);
    if (::mkdir(part.c_str(), mode) == 0) {
      sync_parent(part);
    } else if (errno != EEXIST) {
      check_result(-1, "make directory", part);
    }
    if (end == std::string::npos) return;
  }
}

void remove_content(Disk& disk, int directory) {
  const auto device = disk.status_of(directory).device;
  for (const auto& name : disk.list(directory)) {
    const auto found = disk.status(directory, name);
    if (!found) continue;
    if (found->type != FileType::directory) {
      disk.remove_file(directory, name);
      continue;
    }
    if (found->device != device) throw DiskError{"cannot remove " + printable(name), EXDEV};
    if (const auto below = disk.open_directory(directory, name)) {
      remove_content(disk, below->get());
    }
    disk.remove_directory(directory, name);
  }
}

}  // namespace hamn::base
