#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <list>
#include <mutex>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/worker.h"
#include "sync/entry.h"
#include "sync/file_set.h"

namespace hamn::sync {

/// Writes small files with several threads: making a file costs the kernel more than everything
/// else that is done for it. Files go out in turns to one thread after the other, each in a
/// directory of its own, because a directory takes one new name at a time. Meanwhile the file
/// system is synced now and then, so that little is left to wait for when the batch ends; what has
/// to last is synced again then.
///
/// Threads: all calls from one.
class FileWriters {
 public:
  struct Job {
    int directory = -1;  ///< where the file is made; stays open until finish()
    std::string name;
    Entry entry;  ///< owner and group as numbers of this host
    std::string content;
    std::uint64_t tag = 0;
    bool keep_open = false;  ///< hand the descriptor back, for a sync of its own
  };
  /// What became of a job that failed or whose file stays open.
  struct Outcome {
    std::uint64_t tag = 0;
    base::Fd fd;
    std::string trouble;
  };

  FileWriters(base::Disk& disk, Profile profile);
  FileWriters(const FileWriters&) = delete;
  FileWriters& operator=(const FileWriters&) = delete;
  ~FileWriters();
  /// The thread that takes the next job, from 0.
  [[nodiscard]] unsigned turn() const noexcept { return turn_; }
  [[nodiscard]] static unsigned count();
  /// Waits if much is waiting already. Throws Error if the content of an earlier file does not have
  /// its hash.
  void put(Job job);
  /// Waits until everything is written. What is not answered for is written and closed.
  [[nodiscard]] std::vector<Outcome> finish();

 private:
  struct Chunk {
    std::vector<Job> jobs;
    std::uint64_t bytes = 0;
  };

  void hand_over();
  void start();
  void run(unsigned number) noexcept;
  void run_flusher() noexcept;
  void fail() noexcept;
  [[nodiscard]] bool take(unsigned number, Chunk& chunk);
  void write(const Job& job, std::vector<Outcome>& outcomes);

  base::Disk& disk_;
  Profile profile_;
  Chunk collected_;
  unsigned turn_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::deque<Chunk>> queues_;
  std::size_t unfinished_ = 0;  ///< chunks
  std::vector<Outcome> outcomes_;
  std::exception_ptr failure_;
  bool stopped_ = false;
  std::uint64_t bytes_since_flush_ = 0;
  int to_flush_ = -1;  ///< a directory on the file system to be synced
  std::list<base::Worker> workers_;
};

}  // namespace hamn::sync
