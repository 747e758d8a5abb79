#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"

namespace hamn::sync {

/// Where the receiver keeps what is not complete yet: a directory of its own on every file system
/// that the set reaches, so that a finished file only needs a rename. Nothing reaches its final
/// name before commit() has synced it; a crash at any point leaves old or new, never a part.
///
/// The place of a staging directory is written down before it is made, so that the next run finds
/// and empties it, whatever happened. Threads: one.
class Staging {
 public:
  /// A file under way. Owner, mode and time are set by finish().
  struct File {
    base::Fd fd;
    int place = -1;    ///< index of the staging directory
    int part = -1;     ///< directory in it, or -1
    std::string name;  ///< in the staging directory
  };
  /// A name that could not be put in place.
  struct Failure {
    std::uint64_t tag = 0;
    std::string detail;
    int error_number = 0;
  };

  /// `record` is the file in which staging directories are written down; `name` theirs.
  Staging(base::Disk& disk, std::string record, std::string name);
  /// Empties and removes what an earlier run left behind. Missing places are fine.
  void sweep();

  /// A new empty file on the file system of `directory`. `top` is the directory that should hold
  /// the staging directory if it is on the same one; `top_path` its path.
  [[nodiscard]] File create(int directory, int top, const std::string& top_path,
                            const std::string& directory_path);
  /// Something else that `make` makes under the given name in the staging directory; it has no
  /// descriptor.
  [[nodiscard]] File create_other(int directory, int top, const std::string& top_path,
                                  const std::string& directory_path,
                                  const std::function<void(int, const std::string&)>& make);
  /// Where create() would make a file; answers change only when a new staging directory is made.
  [[nodiscard]] int place_for(int directory, int top, const std::string& top_path,
                              const std::string& directory_path);
  /// A name for a file that somebody else makes, in directory_of() the answer. `part` spreads many
  /// files over several directories, so that threads do not wait for each other there.
  [[nodiscard]] File reserve(int place, unsigned part);
  [[nodiscard]] int directory_of(const File& file) const;
  /// A reserved file that was added is written after all (its descriptor, if it is kept open), or
  /// it could not be written and is forgotten. `tag` as in add().
  void written(std::uint64_t tag, base::Fd fd);
  void forget(std::uint64_t tag);
  /// Takes a complete file for the next commit; `directory` is the caller's number of the directory
  /// it belongs to, `tag` comes back if it cannot be put there.
  void add(File file, std::uint32_t directory, const std::string& final_name, std::uint64_t tag);
  /// Removes a file that is not wanted after all.
  void discard(const File& file);

  /// Syncs all files, then renames them into place, many of them by two threads; `open` gives the
  /// descriptor of a directory by its number, which stays open while sixteen others are. The
  /// directories themselves still have to be synced.
  [[nodiscard]] std::vector<Failure> commit(const std::function<int(std::uint32_t)>& open);
  /// True if one sync per file system is better than one per file.
  [[nodiscard]] bool is_large() const { return pending_.size() > large_batch; }
  /// Removes the staging directories and gives the directories that held them their time back.
  void close();

 private:
  struct Place {
    std::uint64_t device;
    base::Fd directory;
    base::Fd holder;
    base::FileTime holder_modified;
    std::vector<base::Fd> parts;
  };
  struct Pending {
    File file;
    std::uint32_t directory;
    std::string final_name;
    std::uint64_t tag;
    bool is_forgotten = false;
  };
  static constexpr std::size_t large_batch = 64;

  [[nodiscard]] Pending& pending_with(std::uint64_t tag);
  int make_place(int holder, const std::string& path);
  void sync_pending();
  [[nodiscard]] std::optional<Failure> put_in_place(const Pending& pending, int directory);
  /// How far the pending files reach whose directories may be open at the same time.
  [[nodiscard]] std::size_t end_of_round(std::size_t begin) const;
  void put_round_in_place(std::size_t begin, std::size_t end,
                          const std::function<int(std::uint32_t)>& open,
                          std::vector<Failure>& failures);

  base::Disk& disk_;
  std::string record_;
  std::string name_;
  std::vector<std::string> recorded_;
  std::vector<Place> places_;
  std::vector<Pending> pending_;
  std::uint64_t counter_ = 0;
};

}  // namespace hamn::sync
