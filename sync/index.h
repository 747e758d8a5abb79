#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "sync/entry.h"

namespace hamn::sync {

/// What an index says about itself.
struct IndexState {
  std::uint64_t generation = 0;
  std::string token;      ///< minted by the receiver at each commit; both sides keep the last one
  bool complete = false;  ///< false while a first or full pass is under way
  std::string roots;      ///< fingerprint() of the set; entries belong to its roots by number
  std::string peer;       ///< the host at the other end
  std::uint64_t epoch = 0;
  base::WallTime as_of;      ///< the sender's clock: the source was like this at that time or later
  base::WallTime committed;  ///< this host's clock at the last commit
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;

  friend bool operator==(const IndexState&, const IndexState&) = default;
};

/// Changes of one batch, applied together with the new state or not at all.
struct IndexBatch {
  struct Directory {
    bool starts_empty = false;  ///< full pass: forget what was known of this directory
    std::map<std::string, std::optional<Entry>> entries;  ///< nothing: no longer there
  };
  std::map<DirectoryKey, Directory> directories;

  void put(const DirectoryKey& directory, const Entry& entry);
  void remove(const DirectoryKey& directory, const std::string& name);
  [[nodiscard]] std::size_t size() const;
};

/// The index cannot be read any more. It is a cache: whoever reacts sets it aside, and the next
/// pass compares both sides anew.
class IndexDamaged : public base::Error {
 public:
  using Error::Error;
};

/// What one side remembers of a file set after its last commit: per directory the entries as the
/// sender saw them. One SQLite database, one row per directory holding all its entries, so that a
/// pass over a million files reads some ten thousand rows. A row carries its own checksum. Memory
/// does not grow with the set. docs/formats/index.md.
///
/// Threads: one. Throws IndexDamaged, or Error if the disk is full or the like.
class Index {
 public:
  /// Opens or makes the file.
  explicit Index(const std::string& path);
  ~Index();
  Index(Index&&) noexcept;
  Index& operator=(Index&&) = delete;

  [[nodiscard]] IndexState state() const;
  /// Entries sorted by name; empty if the directory is not known.
  [[nodiscard]] std::vector<Entry> directory(const DirectoryKey& key) const;
  /// All directories of the index in the order of their paths, for verification.
  [[nodiscard]] std::vector<DirectoryKey> directories() const;
  /// Applies a batch durably. A directory entry that goes takes all that is below it along. Files
  /// and bytes of `state` are counted by the index itself.
  void commit(const IndexBatch& batch, const IndexState& state);
  /// Begins a full pass: rows that no batch touches from here on are dropped by finish_full_pass().
  void start_full_pass();
  void finish_full_pass();
  /// Forgets everything: the set has other roots than it had.
  void clear();

 private:
  friend class IndexReader;
  struct Database;
  void write_state(const IndexState& state);
  void store(const DirectoryKey& key, const std::vector<Entry>& entries);
  void remove_subtree(const DirectoryKey& key);
  [[nodiscard]] std::vector<Entry> merged(const DirectoryKey& key,
                                          const IndexBatch::Directory& changes);

  std::unique_ptr<Database> database_;
};

/// Reads rows of an index beside the one who writes it; each thread of a walk has its own. It keeps
/// a small cache of pages only, whatever the size of the index. Threads: one. Throws as Index does.
class IndexReader {
 public:
  /// The file is there: an Index has it open.
  explicit IndexReader(const std::string& path);
  ~IndexReader();
  IndexReader(const IndexReader&) = delete;
  IndexReader& operator=(const IndexReader&) = delete;
  /// The entries of a directory as the index holds them: their number, then one after the other as
  /// read_entry() reads them; empty if it is not known. The checksum was checked. Valid until the
  /// next call.
  [[nodiscard]] std::string_view row(const DirectoryKey& key);
  /// As Index::directory().
  [[nodiscard]] std::vector<Entry> directory(const DirectoryKey& key);

 private:
  struct State;
  [[nodiscard]] bool find(const DirectoryKey& key);
  std::unique_ptr<State> state_;
};

/// What the index at `path` says about itself; nothing if there is no index. Throws IndexDamaged.
[[nodiscard]] std::optional<IndexState> read_index_state(const std::string& path);

/// Renames an index that turned out to be damaged to `path`.damaged; the next pass starts without
/// one. Nobody has it open.
void set_index_aside(const std::string& path);

/// Opens the index at `path` for a set with the given fingerprint; an index of other roots starts
/// empty. A damaged one is renamed to `path`.damaged and replaced by an empty one; `problem` then
/// says what was wrong.
[[nodiscard]] Index open_or_replace_index(const std::string& path, const std::string& roots,
                                          std::string& problem);

}  // namespace hamn::sync
