#include "sync/tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "base/interrupt.h"
#include "base/text.h"
#include "sync/attributes.h"

namespace hamn::sync {

namespace {

constexpr int read_attempts = 3;
constexpr std::size_t piece_bytes = 256U << 10U;

Entry to_entry(const struct stat& from, const std::string& name) {
  const auto status = base::to_status(from);
  Entry entry;
  entry.name = name;
  entry.kind = to_kind(status.type).value_or(Kind::file);
  entry.mode = status.mode;
  entry.uid = status.uid;
  entry.gid = status.gid;
  entry.size_bytes = S_ISREG(from.st_mode) ? status.size_bytes : 0;
  entry.modified = status.modified;
  entry.changed = status.changed;
  entry.inode = status.inode;
  return entry;
}

/// The same for a set that carries all kinds; `file` is open, if only as a node.
Entry to_full_entry(const struct stat& from, const std::string& name, int file) {
  base::RealDisk disk;
  auto entry = to_entry(from, name);
  entry.device = from.st_dev;
  entry.device_number = base::to_status(from).device_number;
  if (!S_ISDIR(from.st_mode)) entry.names = from.st_nlink;
  if (S_ISLNK(from.st_mode)) entry.target = disk.link_target(file);
  entry.attributes = read_attributes(disk, file);
  return entry;
}

Entry to_entry(const struct stat& from, const std::string& name, int file, const Looking& looking) {
  return looking.sees_all_kinds ? to_full_entry(from, name, file) : to_entry(from, name);
}

/// Everything that a change of the file would move.
bool same_file(const Entry& a, const Entry& b) {
  return a.size_bytes == b.size_bytes && a.modified == b.modified && a.changed == b.changed &&
         a.inode == b.inode;
}

std::optional<OpenDirectory> opened(int fd, const std::string& path) {
  OpenDirectory directory{.fd = base::Fd{fd}, .path = path};
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return std::nullopt;
    throw base::DiskError{"cannot open directory " + base::printable(path), errno};
  }
  struct stat found {};
  if (::fstat(fd, &found) < 0) throw base::DiskError{"cannot look at " + path, errno};
  directory.device = found.st_dev;
  directory.inode = found.st_ino;
  return directory;
}

int open_for_reading(const OpenDirectory& directory, const std::string& name) {
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
                    (directory.looking.follows_links ? 0 : O_NOFOLLOW);
  const int fd = ::openat(directory.fd.get(), name.c_str(), flags | O_NOATIME);
  if (fd >= 0 || errno != EPERM) return fd;
  return ::openat(directory.fd.get(), name.c_str(), flags);
}

std::string join_path(const std::string& parent, const std::string& name) {
  return parent == "/" ? "/" + name : parent + "/" + name;
}

/// Looks at a name of any kind.
std::optional<Entry> look_at_all_kinds(const OpenDirectory& directory, const std::string& name,
                                       Problem& problem) {
  const int follow = directory.looking.follows_links ? 0 : O_NOFOLLOW;
  const base::Fd fd{::openat(directory.fd.get(), name.c_str(), O_PATH | O_CLOEXEC | follow)};
  struct stat found {};
  if (!fd.is_open() || ::fstat(fd.get(), &found) < 0) {
    const int error = errno;
    const bool is_link = follow == 0 && ::fstatat(directory.fd.get(), name.c_str(), &found,
                                                  AT_SYMLINK_NOFOLLOW) == 0;
    problem.kind = error != ENOENT ? ProblemKind::unreadable
                   : is_link       ? ProblemKind::dangling
                                   : ProblemKind::vanished;
    problem.detail = base::system_error("", error, "").detail();
    return std::nullopt;
  }
  try {
    return to_full_entry(found, name, fd.get());
  } catch (const base::DiskError& error) {
    problem.detail = error.what() + (": " + error.detail());
    return std::nullopt;
  }
}

/// Looks through links. Says in `problem` why the name is left out.
std::optional<Entry> look(const OpenDirectory& directory, const std::string& name,
                          Problem& problem) {
  if (directory.looking.sees_all_kinds) return look_at_all_kinds(directory, name, problem);
  struct stat found {};
  if (::fstatat(directory.fd.get(), name.c_str(), &found, 0) == 0) {
    if (S_ISREG(found.st_mode) || S_ISDIR(found.st_mode)) return to_entry(found, name);
    problem.kind = ProblemKind::special;
    problem.detail = "a device, fifo or socket";
    return std::nullopt;
  }
  const int error = errno;
  const bool is_link =
      ::fstatat(directory.fd.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISLNK(found.st_mode);
  if (error == ENOENT || error == ENOTDIR) {
    problem.kind = is_link ? ProblemKind::dangling : ProblemKind::vanished;
  } else if (error == ELOOP) {
    problem.kind = ProblemKind::loop;
  } else {
    problem.kind = ProblemKind::unreadable;
  }
  problem.detail = base::system_error("", error, "").detail();
  return std::nullopt;
}

/// Reads up to `limit` + 1 bytes, so that a file that grew beyond is noticed.
bool read_content(int fd, std::uint64_t size, std::uint64_t limit, std::string& content) {
  content.resize(std::min(size, limit) + 1);
  std::size_t have = 0;
  while (have < content.size()) {
    const auto got =
        ::pread(fd, content.data() + have, content.size() - have, static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  content.resize(have);
  return true;
}

SmallFile read_once(const OpenDirectory& directory, const std::string& name,
                    std::uint64_t limit_bytes) {
  SmallFile file;
  const base::Fd fd{open_for_reading(directory, name)};
  struct stat before {};
  if (!fd.is_open() || ::fstat(fd.get(), &before) < 0) {
    file.error_number = errno;
    file.result = errno == ENOENT || errno == ENOTDIR || errno == ELOOP
                      ? SmallFile::Result::vanished
                      : SmallFile::Result::unreadable;
    return file;
  }
  if (!S_ISREG(before.st_mode)) {
    file.result = SmallFile::Result::vanished;
    return file;
  }
  file.entry = to_entry(before, name, fd.get(), directory.looking);
  if (!read_content(fd.get(), file.entry.size_bytes, limit_bytes, file.content)) {
    file.error_number = errno;
    file.result = SmallFile::Result::unreadable;
    return file;
  }
  struct stat after {};
  const bool stable = ::fstat(fd.get(), &after) == 0 &&
                      same_file(file.entry, to_entry(after, name)) &&
                      file.content.size() == file.entry.size_bytes;
  if (!stable) file.result = SmallFile::Result::unstable;
  return file;
}

}  // namespace

std::optional<OpenDirectory> open_source(const std::string& path) {
  return opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);
}

std::optional<OpenDirectory> open_below(const OpenDirectory& parent, const std::string& name) {
  const int follow = parent.looking.follows_links ? 0 : O_NOFOLLOW;
  auto directory =
      opened(::openat(parent.fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow),
             join_path(parent.path, name));
  if (directory) {
    directory->looking = parent.looking;
    directory->looking.follows_links = !parent.looking.sees_all_kinds;
  }
  return directory;
}

Listing list_source(const OpenDirectory& directory, const FileSet& set, const DirectoryKey& key) {
  base::RealDisk disk;
  auto names = disk.list(directory.fd.get());
  std::sort(names.begin(), names.end());
  Listing listing;
  for (const auto& name : names) {
    if (key.path.empty() && !matches(set.roots.at(key.root).pattern, name)) continue;
    const auto path = below(key, name).path;
    Problem problem{
        .kind = ProblemKind::unreadable, .path = join_path(directory.path, name), .detail = {}};
    auto entry = look(directory, name, problem);
    const bool is_directory = entry && entry->kind == Kind::directory;
    if (entry && is_protected(set, key.root, path, is_directory)) {
      problem.kind = ProblemKind::host_specific;
      problem.detail = "belongs to one host alone; allow_host_specific would let it pass";
      listing.problems.push_back(std::move(problem));
      continue;
    }
    if (is_left_out(set, key.root, path, is_directory)) continue;
    if (entry) {
      listing.entries.push_back(std::move(*entry));
    } else {
      listing.problems.push_back(std::move(problem));
    }
  }
  return listing;
}

Entry describe(const OpenDirectory& directory, const std::string& name) {
  struct stat found {};
  if (::fstat(directory.fd.get(), &found) < 0) {
    throw base::DiskError{"cannot look at " + directory.path, errno};
  }
  return to_entry(found, name);
}

SmallFile read_small(const OpenDirectory& directory, const std::string& name,
                     std::uint64_t limit_bytes) {
  SmallFile file;
  for (int attempt = 0; attempt < read_attempts; ++attempt) {
    file = read_once(directory, name, limit_bytes);
    if (file.result != SmallFile::Result::unstable) break;
  }
  if (file.result == SmallFile::Result::read) file.entry.content = base::xxh128(file.content);
  return file;
}

std::optional<LargeFile> open_large(const OpenDirectory& directory, const std::string& name) {
  LargeFile file{.fd = base::Fd{open_for_reading(directory, name)}, .entry = {}};
  if (!file.fd.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return std::nullopt;
    throw base::DiskError{"cannot open " + base::printable(join_path(directory.path, name)), errno};
  }
  struct stat found {};
  if (::fstat(file.fd.get(), &found) < 0) throw base::DiskError{"cannot look at a file", errno};
  if (!S_ISREG(found.st_mode)) return std::nullopt;
  file.entry = to_entry(found, name, file.fd.get(), directory.looking);
  return file;
}

std::uint64_t read_pieces(const LargeFile& file,
                          const std::function<void(std::string_view)>& take) {
  std::string buffer(piece_bytes, '\0');
  std::uint64_t offset = 0;
  while (offset < file.entry.size_bytes) {
    base::stop_if_interrupted();
    const auto wanted = std::min<std::uint64_t>(buffer.size(), file.entry.size_bytes - offset);
    const auto got = ::pread(file.fd.get(), buffer.data(), wanted, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    take(std::string_view{buffer}.substr(0, static_cast<std::size_t>(got)));
    offset += static_cast<std::uint64_t>(got);
  }
  return offset;
}

bool is_unchanged(const LargeFile& file) {
  struct stat found {};
  return ::fstat(file.fd.get(), &found) == 0 &&
         same_file(file.entry, to_entry(found, file.entry.name));
}

base::Hash128 hash_of(int file) {
  base::Xxh128 hash;
  std::string buffer(piece_bytes, '\0');
  for (off_t offset = 0;;) {
    const auto got = ::pread(file, buffer.data(), buffer.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw base::DiskError{"cannot read a file", errno};
    if (got == 0) return hash.value();
    hash.add(std::string_view{buffer}.substr(0, static_cast<std::size_t>(got)));
    offset += got;
  }
}

Entry settled(Entry entry) {
  if (is_racy(entry)) entry.changed = {};
  return entry;
}

bool is_racy(const Entry& entry) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto in_ms = [](std::int64_t seconds, std::int64_t nanoseconds) {
    return seconds * 1000 + nanoseconds / 1'000'000;
  };
  return in_ms(entry.changed.seconds, entry.changed.nanoseconds) + racy_window.count() >=
         in_ms(now.tv_sec, now.tv_nsec);
}

}  // namespace hamn::sync
