#include "sync/file_writers.h"

#include <algorithm>
#include <iterator>
#include <thread>

#include "sync/bytes.h"
#include "sync/directory_table.h"
#include "sync/sparse.h"

namespace hamn::sync {

namespace {

constexpr unsigned most_threads = 4;
constexpr std::size_t most_jobs_per_chunk = 32;
constexpr std::uint64_t most_bytes_per_chunk = 256U << 10U;
constexpr std::size_t most_chunks_per_thread = 8;
constexpr std::uint64_t flush_bytes = 48U << 20U;

}  // namespace

unsigned FileWriters::count() {
  static const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1U, most_threads);
  return threads;
}

FileWriters::FileWriters(base::Disk& disk, Profile profile)
    : disk_(disk), profile_(profile), queues_(count()) {}

FileWriters::~FileWriters() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  changed_.notify_all();
}

void FileWriters::start() {
  for (unsigned i = 0; i < count(); ++i) workers_.emplace_back([this, i] { run(i); });
  workers_.emplace_back([this] { run_flusher(); });
}

void FileWriters::put(Job job) {
  collected_.bytes += job.content.size();
  collected_.jobs.push_back(std::move(job));
  if (collected_.jobs.size() >= most_jobs_per_chunk || collected_.bytes >= most_bytes_per_chunk) {
    hand_over();
  }
}

void FileWriters::hand_over() {
  if (workers_.empty()) start();
  std::unique_lock lock{mutex_};
  auto& queue = queues_[turn_];
  changed_.wait(lock, [&] { return failure_ != nullptr || queue.size() < most_chunks_per_thread; });
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  bytes_since_flush_ += collected_.bytes;
  if (bytes_since_flush_ >= flush_bytes && to_flush_ < 0) {
    to_flush_ = collected_.jobs.front().directory;
    bytes_since_flush_ = 0;
  }
  queue.push_back(std::move(collected_));
  collected_ = {};
  ++unfinished_;
  turn_ = (turn_ + 1) % count();
  changed_.notify_all();
}

std::vector<FileWriters::Outcome> FileWriters::finish() {
  std::vector<Outcome> outcomes;
  if (workers_.empty()) {
    // So few that a thread would cost more than it saves.
    for (const auto& job : collected_.jobs) write(job, outcomes);
    collected_ = {};
    return outcomes;
  }
  if (!collected_.jobs.empty()) hand_over();
  std::unique_lock lock{mutex_};
  changed_.wait(lock,
                [this] { return failure_ != nullptr || (unfinished_ == 0 && to_flush_ < 0); });
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  outcomes.swap(outcomes_);
  return outcomes;
}

bool FileWriters::take(unsigned number, Chunk& chunk) {
  std::unique_lock lock{mutex_};
  auto& queue = queues_[number];
  changed_.wait(lock, [&] { return stopped_ || !queue.empty(); });
  if (stopped_) return false;
  const bool was_full = queue.size() >= most_chunks_per_thread;
  chunk = std::move(queue.front());
  queue.pop_front();
  if (was_full) changed_.notify_all();
  return true;
}

void FileWriters::write(const Job& job, std::vector<Outcome>& outcomes) {
  static const OwnerMap as_they_are;
  if (base::xxh128(job.content) != job.entry.content) {
    damaged_message("a file's content does not have its hash");
  }
  try {
    auto fd = disk_.create_file(job.directory, job.name, 0600);
    SparseWriter writer{disk_, fd.get()};
    writer.write(job.content);
    writer.finish();
    set_attributes(disk_, fd.get(), job.entry, as_they_are, profile_);
    if (job.keep_open) outcomes.push_back({.tag = job.tag, .fd = std::move(fd), .trouble = {}});
  } catch (const base::DiskError& error) {
    outcomes.push_back(
        {.tag = job.tag, .fd = {}, .trouble = error.what() + (": " + error.detail())});
  }
}

void FileWriters::run(unsigned number) noexcept {
  try {
    Chunk chunk;
    while (take(number, chunk)) {
      std::vector<Outcome> outcomes;
      for (const auto& job : chunk.jobs) write(job, outcomes);
      const std::lock_guard lock{mutex_};
      std::move(outcomes.begin(), outcomes.end(), std::back_inserter(outcomes_));
      if (--unfinished_ == 0) changed_.notify_all();
    }
  } catch (...) {
    fail();
  }
}

void FileWriters::run_flusher() noexcept {
  try {
    for (;;) {
      int directory = -1;
      {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return stopped_ || to_flush_ >= 0; });
        if (stopped_) return;
        directory = to_flush_;
      }
      disk_.sync_filesystem(directory);
      const std::lock_guard lock{mutex_};
      to_flush_ = -1;
      changed_.notify_all();
    }
  } catch (...) {
    fail();
  }
}

void FileWriters::fail() noexcept {
  const std::lock_guard lock{mutex_};
  failure_ = std::current_exception();
  changed_.notify_all();
}

}  // namespace hamn::sync
