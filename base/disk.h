#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/host.h"

struct stat;

namespace hamn::base {

/// Seconds and nanoseconds since 1970, as the file system keeps them. Seconds may be negative.
struct FileTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  friend auto operator<=>(const FileTime&, const FileTime&) = default;
};

enum class FileType : std::uint8_t {
  regular,
  directory,
  symlink,
  fifo,
  socket,
  character_device,
  block_device,
  other
};

/// What stat(2) says of one file, with the fields that hamn uses.
struct FileStatus {
  FileType type = FileType::other;
  std::uint64_t size_bytes = 0;
  FileTime modified;
  FileTime changed;        ///< ctime
  std::uint32_t mode = 0;  ///< permission bits with setuid, setgid and sticky: 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t links = 0;
  std::uint64_t device_number = 0;  ///< of a device: major number * 2^20 + minor number
};
/// From what stat(2) filled in.
[[nodiscard]] FileStatus to_status(const struct stat& from);

/// An Error of the file system that keeps its errno, because one full or read-only file is the
/// trouble of that file, and a full disk is the trouble of the whole pass.
class DiskError : public Error {
 public:
  DiskError(const std::string& what, int error_number);
  [[nodiscard]] int error_number() const noexcept { return error_number_; }

 private:
  int error_number_;
};

/// What hamn does to a file system, so that a test can count, fail or forget it.
///
/// Everything starts at a directory descriptor. Looking takes a path relative to it, which is
/// resolved without following any link and without leaving it (openat2(2), or one component at a
/// time with O_NOFOLLOW where the kernel lacks it). Changing takes a single name. What is not
/// synced may be gone after a power cut: a file's content needs sync_file(), its name needs
/// sync_directory(). All functions throw DiskError. Threads: any.
class Disk {
 public:
  virtual ~Disk() = default;

  // Looking.
  /// The directory at an absolute path that this host's own configuration names.
  [[nodiscard]] virtual Fd open_root(const std::string& path) = 0;
  /// A directory below `directory`; nothing if there is none or a link lies on the way.
  [[nodiscard]] virtual std::optional<Fd> open_directory(int directory,
                                                         const std::string& path) = 0;
  /// A regular file for reading; nothing if there is none, or something else (a link, a device).
  [[nodiscard]] virtual std::optional<Fd> open_file(int directory, const std::string& name) = 0;
  [[nodiscard]] virtual std::optional<FileStatus> status(int directory,
                                                         const std::string& name) = 0;
  [[nodiscard]] virtual FileStatus status_of(int file) = 0;
  /// Whatever `name` is, without opening or following it: for changing its attributes. Nothing if
  /// there is nothing.
  [[nodiscard]] virtual std::optional<Fd> open_node(int directory, const std::string& name) = 0;
  /// The target of the symbolic link that open_node() opened.
  [[nodiscard]] virtual std::string link_target(int node) = 0;
  /// Names of extended attributes, sorted; none on a file system without them.
  [[nodiscard]] virtual std::vector<std::string> attribute_names(int file) = 0;
  [[nodiscard]] virtual std::optional<std::string> attribute(int file, const std::string& name) = 0;
  /// Names in `directory` without "." and "..", in no particular order.
  [[nodiscard]] virtual std::vector<std::string> list(int directory) = 0;

  // Changing.
  virtual void make_directory(int directory, const std::string& name, unsigned mode) = 0;
  /// A new empty file for writing and reading; fails if the name is taken.
  [[nodiscard]] virtual Fd create_file(int directory, const std::string& name, unsigned mode) = 0;
  virtual void write(int file, std::string_view data, std::uint64_t offset) = 0;
  /// Lets the empty file `to` share the blocks of `from`, where the file system can; else false.
  [[nodiscard]] virtual bool share_content(int from, int to);
  /// Begins to bring what was written to the disk, without waiting: sync_file() is then quicker.
  virtual void start_sync(int file);
  virtual void truncate(int file, std::uint64_t size_bytes) = 0;
  /// Owner, mode, time and attributes also of what open_node() opened; a link has no mode.
  virtual void set_owner(int file, std::uint32_t uid, std::uint32_t gid) = 0;
  virtual void set_mode(int file, std::uint32_t mode) = 0;
  virtual void set_modified(int file, FileTime time) = 0;
  virtual void set_attribute(int file, const std::string& name, std::string_view value) = 0;
  virtual void remove_attribute(int file, const std::string& name) = 0;
  virtual void make_symlink(int directory, const std::string& name, const std::string& target) = 0;
  /// A fifo, socket or device.
  virtual void make_node(int directory, const std::string& name, FileType type,
                         std::uint64_t device_number) = 0;
  /// One more name of a file or node.
  virtual void make_link(int from, const std::string& old_name, int to,
                         const std::string& new_name) = 0;
  virtual void rename(int from, const std::string& old_name, int to,
                      const std::string& new_name) = 0;
  virtual void remove_file(int directory, const std::string& name) = 0;
  virtual void remove_directory(int directory, const std::string& name) = 0;

  // Making it last.
  virtual void sync_file(int file) = 0;
  virtual void sync_directory(int directory) = 0;
  /// Everything on the file system that holds `directory`.
  virtual void sync_filesystem(int directory) = 0;
};

/// The kernel's file systems.
class RealDisk : public Disk {
 public:
  [[nodiscard]] Fd open_root(const std::string& path) override;
  [[nodiscard]] std::optional<Fd> open_directory(int directory, const std::string& path) override;
  [[nodiscard]] std::optional<Fd> open_file(int directory, const std::string& name) override;
  [[nodiscard]] std::optional<FileStatus> status(int directory, const std::string& name) override;
  [[nodiscard]] FileStatus status_of(int file) override;
  [[nodiscard]] std::optional<Fd> open_node(int directory, const std::string& name) override;
  [[nodiscard]] std::string link_target(int node) override;
  [[nodiscard]] std::vector<std::string> attribute_names(int file) override;
  [[nodiscard]] std::optional<std::string> attribute(int file, const std::string& name) override;
  [[nodiscard]] std::vector<std::string> list(int directory) override;
  void make_directory(int directory, const std::string& name, unsigned mode) override;
  [[nodiscard]] Fd create_file(int directory, const std::string& name, unsigned mode) override;
  void write(int file, std::string_view data, std::uint64_t offset) override;
  [[nodiscard]] bool share_content(int from, int to) override;
  void start_sync(int file) override;
  void truncate(int file, std::uint64_t size_bytes) override;
  void set_owner(int file, std::uint32_t uid, std::uint32_t gid) override;
  void set_mode(int file, std::uint32_t mode) override;
  void set_modified(int file, FileTime time) override;
  void set_attribute(int file, const std::string& name, std::string_view value) override;
  void remove_attribute(int file, const std::string& name) override;
  void make_symlink(int directory, const std::string& name, const std::string& target) override;
  void make_node(int directory, const std::string& name, FileType type,
                 std::uint64_t device_number) override;
  void make_link(int from, const std::string& old_name, int to,
                 const std::string& new_name) override;
  void rename(int from, const std::string& old_name, int to, const std::string& new_name) override;
  void remove_file(int directory, const std::string& name) override;
  void remove_directory(int directory, const std::string& name) override;
  void sync_file(int file) override;
  void sync_directory(int directory) override;
  void sync_filesystem(int directory) override;
};

/// A whole file at an absolute path; nothing if there is none. Throws Error beyond `limit_bytes`.
[[nodiscard]] std::optional<std::string> read_file(
    const std::string& path, std::uint64_t limit_bytes = default_read_limit_bytes);

/// Puts a file in place as a whole and durably: temporary file in the same directory, owner and
/// mode, sync, rename, directory sync. Symbolic links at `path` are replaced, not followed.
void replace_file(Disk& disk, const FileWrite& file);

/// mkdir -p, durably, for directories that hamn itself owns; existing ones keep their mode.
void make_directories(const std::string& path, unsigned mode);

/// Removes what is below `directory`, following nothing and entering no other file system; the
/// directory itself stays.
void remove_content(Disk& disk, int directory);

}  // namespace hamn::base
