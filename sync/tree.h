#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "sync/entry.h"
#include "sync/file_set.h"

namespace hamn::sync {

/// How the names of one directory are looked at.
struct Looking {
  bool follows_links = true;    ///< a link stands for what it points to
  bool sees_all_kinds = false;  ///< links, devices, hard links and extended attributes too
};

/// What one directory of the source holds. Names that are left out come back as problems.
struct Listing {
  std::vector<Entry> entries;  ///< sorted by name
  std::vector<Problem> problems;
};

/// A directory of the source that is being walked.
struct OpenDirectory {
  base::Fd fd;
  std::string path;  ///< absolute, for messages and exclude patterns
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  Looking looking = {};
};

/// Opens a directory of the source, following links. Nothing if it is not there.
[[nodiscard]] std::optional<OpenDirectory> open_source(const std::string& path);
/// Opens `name` in `parent`, through a link only if `parent` follows links. Below a directory that
/// sees all kinds no link is followed. Nothing if it vanished; throws DiskError if it cannot be
/// read.
[[nodiscard]] std::optional<OpenDirectory> open_below(const OpenDirectory& parent,
                                                      const std::string& name);

/// Lists the directory `key` of a set. Directly below the parent of a root only what matches the
/// root's pattern. Throws DiskError if the directory cannot be read, because then nothing may be
/// concluded from what is missing.
[[nodiscard]] Listing list_source(const OpenDirectory& directory, const FileSet& set,
                                  const DirectoryKey& key);

/// The attributes of an open directory as an entry named `name`.
[[nodiscard]] Entry describe(const OpenDirectory& directory, const std::string& name);

/// Files up to this size are sent without being asked for, and their content is compared before a
/// copy that somebody else made is believed.
constexpr std::uint64_t small_file_bytes = 256U << 10U;

/// Outcome of reading a whole small file between two looks at it.
struct SmallFile {
  enum class Result { read, vanished, unreadable, unstable };
  Result result = Result::read;
  Entry entry;  ///< as it was when it was read; content hash filled in
  std::string content;
  int error_number = 0;
};

/// Reads a file of at most `limit_bytes` so that content and attributes belong together: it is
/// looked at before and after, and read again if it changed meanwhile, three times at most.
[[nodiscard]] SmallFile read_small(const OpenDirectory& directory, const std::string& name,
                                   std::uint64_t limit_bytes);

/// A larger file, opened for reading in pieces.
struct LargeFile {
  base::Fd fd;
  Entry entry;
};

/// Nothing if it vanished or is no regular file any more; throws DiskError if it cannot be opened.
[[nodiscard]] std::optional<LargeFile> open_large(const OpenDirectory& directory,
                                                  const std::string& name);
/// Reads the file from its beginning as far as it was when it was opened, piece by piece. Answers
/// how many bytes there were. Throws Error if the run is interrupted.
[[nodiscard]] std::uint64_t read_pieces(const LargeFile& file,
                                        const std::function<void(std::string_view)>& take);
/// True if the file is still as `entry` says.
[[nodiscard]] bool is_unchanged(const LargeFile& file);
/// XXH3 of an open file.
[[nodiscard]] base::Hash128 hash_of(int file);

/// Files whose ctime is this close to the moment of reading may change again within the same tick
/// of the kernel's clock: their ctime is not remembered, and the next pass looks at the content
/// (the "racily clean" rule of git).
constexpr std::chrono::milliseconds racy_window{50};
[[nodiscard]] bool is_racy(const Entry& entry);
/// The entry as it may be remembered, judged right after it was read.
[[nodiscard]] Entry settled(Entry entry);

}  // namespace hamn::sync
