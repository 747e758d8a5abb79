#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/disk.h"
#include "base/hash.h"

namespace hamn::sync {

/// What a name stands for. In a compat set there are files and directories only.
enum class Kind : std::uint8_t {
  file = 1,
  directory = 2,
  symlink = 3,
  fifo = 4,
  socket = 5,
  character_device = 6,
  block_device = 7
};
/// True for what is neither file nor directory: it has no content of its own.
[[nodiscard]] constexpr bool is_node(Kind kind) {
  return kind > Kind::directory;
}

/// One extended attribute; access control lists are two of them (system.posix_acl_*).
struct Attribute {
  std::string name;
  std::string value;

  friend bool operator==(const Attribute&, const Attribute&) = default;
};

/// One name in one directory, with everything by which a change is recognised.
struct Entry {
  std::string name;
  Kind kind = Kind::file;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size_bytes = 0;
  base::FileTime modified;
  base::FileTime changed;      ///< ctime on the sender; zero: look at the content next time
  std::uint64_t inode = 0;     ///< on the sender
  base::Hash128 content = {};  ///< zero: not known

  // Of faithful sets only.
  std::string target;                 ///< of a symbolic link
  std::uint64_t device_number = 0;    ///< of a device: major number * 2^20 + minor number
  std::uint64_t names = 1;            ///< hard links of the file on the sender
  std::vector<Attribute> attributes;  ///< sorted by name
  std::uint64_t device = 0;           ///< file system on the sender; neither sent nor kept

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// A directory of a file set: number of its root, path below the root's parent. The empty path is
/// the parent itself, which is not part of the set.
struct DirectoryKey {
  std::uint16_t root = 0;
  std::string path;

  friend auto operator<=>(const DirectoryKey&, const DirectoryKey&) = default;
};

/// The directory `name` in `directory`; the directory above it; its last name. Pure.
[[nodiscard]] DirectoryKey below(const DirectoryKey& directory, const std::string& name);
[[nodiscard]] DirectoryKey parent_of(const DirectoryKey& directory);
[[nodiscard]] std::string name_of(const DirectoryKey& directory);

/// What can be wrong with one path while the rest of the pass goes on.
enum class ProblemKind : std::uint8_t {
  dangling = 1,  ///< a link to nothing: left out, as there is nothing to copy
  special = 2,   ///< device, fifo or socket: left out in the compat profile
  loop = 3,      ///< a link to a directory above itself: left out
  vanished = 4,  ///< gone between listing and reading: the next pass sees
  unreadable = 5,
  unstable = 6,       ///< changed each time it was read; the old copy stays
  not_written = 7,    ///< the receiver could not put it in place; the old copy stays
  held_back = 8,      ///< deletions that were not carried out
  many_deleted = 9,   ///< so many deletions that only --accept-deletions let them pass
  host_specific = 10  ///< belongs to one host alone: left out
};
/// For people and JSON: "dangling link".
[[nodiscard]] std::string to_text(ProblemKind kind);
/// Notes are told and counted; only real problems change the exit code.
[[nodiscard]] bool is_note(ProblemKind kind);

/// True if owner, mode, time or extended attributes differ: what a user of the copy would see
/// beside the content. Pure.
[[nodiscard]] bool looks_different(const struct Entry& a, const struct Entry& b);

/// One path that a pass could not deal with, and why.
struct Problem {
  ProblemKind kind = ProblemKind::unreadable;
  std::string path;
  std::string detail;

  /// The name in its directory.
  [[nodiscard]] std::string name() const { return path.substr(path.rfind('/') + 1); }
  friend bool operator==(const Problem&, const Problem&) = default;
};

/// How one entry differs from what the index holds.
enum class Change : std::uint8_t {
  none,
  added,
  content,  ///< size, times or inode differ: the content has to be looked at
  metadata  ///< owner or mode only
};

/// What happened to one directory between two passes. Pure result of diff_directory().
struct DirectoryDiff {
  std::vector<std::pair<const Entry*, Change>> changes;  ///< of files; pointers into `now`
  std::vector<const Entry*> directories;                 ///< all of `now`
  std::vector<const Entry*> gone;  ///< names that are no more; pointers into `before`
};

/// Compares two listings, both sorted by name. An entry is unchanged only if kind, size, mtime,
/// ctime, inode, owner and mode are equal, nanoseconds included. Pure.
[[nodiscard]] DirectoryDiff diff_directory(const std::vector<Entry>& before,
                                           const std::vector<Entry>& now);

/// The entry of that name in a sorted listing, or null.
[[nodiscard]] const Entry* find_entry(const std::vector<Entry>& listing, const std::string& name);

}  // namespace hamn::sync
