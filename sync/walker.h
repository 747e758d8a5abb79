#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/worker.h"
#include "sync/index.h"
#include "sync/tree.h"

namespace hamn::sync {

/// A directory of the source as the walk found it, compared with what the index holds of it.
struct FoundDirectory {
  /// A directory in it that is to be walked.
  struct Child {
    Entry self;
    bool is_visibly_different = true;  ///< new, or owner, mode or time are not what they were
    bool is_different = true;          ///< or ctime or inode
  };

  OpenDirectory directory;
  DirectoryKey key;
  Child child;  ///< what the directory above says of it
  std::shared_ptr<const FoundDirectory> above;
  std::size_t depth = 0;
  std::vector<Child> children;

  bool is_listed = false;    ///< false: it could not be read; `problems` tell why
  bool is_unchanged = true;  ///< its files are what the index says; `listing`, `before` stay empty
  Listing listing;
  std::vector<Entry> before;  ///< what the index holds
  std::vector<Problem> problems;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

/// Walks the source with several threads and compares each directory with the index where it is
/// read, so that the thread that sends only hears of what changed. A million files that did not
/// change cost one statx(2) each and next to nothing else: the index's row of a directory is
/// compared while it is taken apart, and no listing is made.
///
/// A directory comes out of next() after the one above it. Memory: one listing per thread, some
/// twenty thousand entries that wait for next(), and the names of the directories still to be
/// walked (the one found last is walked first, so these stay few). Threads: next() from one.
class Walker {
 public:
  /// With `compare`, only what differs from the index is listed; without, everything. If there are
  /// `dirty` directories (absolute), a comparing walk enters only these, those that lead to them,
  /// and those that look other than the index has them.
  Walker(const FileSet& set, const std::string& index_path, bool compare,
         const std::set<std::string>* dirty = nullptr);
  Walker(const Walker&) = delete;
  Walker& operator=(const Walker&) = delete;
  ~Walker();
  /// Adds the directories in `top->children`. Not while next() still gives.
  void add(const std::shared_ptr<FoundDirectory>& top);
  /// The next directory; null when all were walked. Throws what a thread could not deal with.
  [[nodiscard]] std::shared_ptr<FoundDirectory> next();

 private:
  /// A directory whose children are being handed out.
  struct Open {
    std::shared_ptr<FoundDirectory> directory;
    std::size_t next_child = 0;
  };

  void run() noexcept;
  void work();
  [[nodiscard]] bool take(std::shared_ptr<FoundDirectory>& above, std::size_t& child);
  [[nodiscard]] bool put(const std::shared_ptr<FoundDirectory>& found);
  /// Forgets the children that the walk need not enter.
  void drop_clean(FoundDirectory& found) const;

  const FileSet& set_;
  std::string index_path_;
  bool compare_;
  const std::set<std::string>* dirty_;
  std::mutex mutex_;
  std::condition_variable work_came_;
  std::condition_variable result_came_;
  std::condition_variable room_came_;
  std::vector<Open> open_;
  std::size_t unfinished_ = 0;  ///< children that were not put yet
  std::deque<std::shared_ptr<FoundDirectory>> results_;
  std::size_t waiting_entries_ = 0;
  bool stopped_ = false;
  std::exception_ptr failure_;
  std::list<base::Worker> workers_;
};

/// Fills children, files and bytes of a directory from its listing; all children are new if it does
/// not `compare`.
void take_listing(FoundDirectory& found, bool compare);

/// Whether a directory entry says more than it said at the last pass. `before` is null if it is
/// new. Pure.
[[nodiscard]] FoundDirectory::Child compare_child(const Entry* before, const Entry& now);

}  // namespace hamn::sync
