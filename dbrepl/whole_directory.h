#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/disk.h"
#include "base/fd.h"

namespace hamn::dbrepl {

/// Directories of copies are replaced as a whole: built beside their place under another name,
/// synced, and then exchanged with what is there in one rename. Whoever looks, at any time and
/// after any crash, sees the old directory or the new one.

/// Whether there is a directory, looking through links.
[[nodiscard]] bool is_directory(const std::string& path);
/// The directory that holds `path`: "/a/b" gives "/a".
[[nodiscard]] std::string parent_of(const std::string& path);
/// The last component of `path`.
[[nodiscard]] std::string name_of(const std::string& path);

/// A small file below an open directory; nothing if it is missing or larger than `limit_bytes`.
[[nodiscard]] std::optional<std::string> read_text(base::Disk& disk, int directory,
                                                   const std::string& name,
                                                   std::uint64_t limit_bytes);
/// SHA-256 of an open file from its beginning.
[[nodiscard]] std::string sha256_of(int file);

/// A file that is to be seen under a second name.
struct FileName {
  int directory;
  std::string name;
};
/// A new file with the content of `from`, mode 0600, root's if root runs this, synced. Answers the
/// SHA-256 of what was written.
std::string copy_file(base::Disk& disk, const FileName& from, const FileName& to);
/// A hard link, so that a copy costs nothing; a true copy where the file system cannot link.
void link_or_copy(base::Disk& disk, const FileName& from, const FileName& to);

/// A directory under construction. What a crash left under its name is removed first; what is in
/// it at the end of its life is removed too.
class ScratchDirectory {
 public:
  /// `disk` outlives it. The parent directory exists.
  ScratchDirectory(base::Disk& disk, std::string path);
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory();
  [[nodiscard]] int fd() const noexcept { return directory_.get(); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Puts the directory in the place of `final_path`, which is beside it and may be taken: by then
  /// everything is synced. Files must have been synced before.
  void take_place_of(const std::string& final_path);

 private:
  base::Disk& disk_;
  std::string path_;
  base::Fd parent_;
  base::Fd directory_;
};

/// Removes what a crash left beside `final_path`. Where the file system cannot exchange two names,
/// replacing takes two renames; this ends what a crash between them began, by bringing the old
/// directory back. Call before looking at `final_path`.
void settle_directory(base::Disk& disk, const std::string& final_path);

/// The same for all directories below `parent_path` that are replaced this way.
void settle_directories_below(base::Disk& disk, const std::string& parent_path);

/// Removes a file, or a directory with all that is in it; nothing there is fine.
void remove_entry(base::Disk& disk, int parent, const std::string& name);

/// For the name of a directory under construction beside `final_path`.
[[nodiscard]] std::string scratch_path(const std::string& final_path);

}  // namespace hamn::dbrepl
