#include "sync/delta.h"

#include <librsync.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include "base/disk.h"
#include "sync/bytes.h"

namespace hamn::sync {

namespace {

constexpr std::size_t strong_bytes = 16;
constexpr std::size_t buffer_bytes = 256U << 10U;
constexpr std::size_t largest_signature_bytes = 64U << 20U;
constexpr std::uint32_t smallest_block = 512;
constexpr std::uint32_t largest_block = 1U << 20U;

void silence_library() {
  static const bool done = [] {
    rs_trace_to([](rs_loglevel, char const*) {});
    return true;
  }();
  (void)done;
}

/// A librsync job that is fed by pieces.
class Job {
 public:
  explicit Job(rs_job_t* job) : job_(job), out_(buffer_bytes, '\0') {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job() { rs_job_free(job_); }

  void feed(std::string_view input, bool last, const Sink& sink) {
    if (done_) {
      if (!input.empty()) damaged_message("a delta goes on after its end");
      return;
    }
    pending_.append(input);
    rs_buffers_t buffers{};
    buffers.next_in = pending_.data();
    buffers.avail_in = pending_.size();
    buffers.eof_in = last ? 1 : 0;
    while (step(buffers, sink)) {
    }
    pending_.erase(0, pending_.size() - buffers.avail_in);
    if (last && !done_) damaged_message("a delta ends too early");
  }

 private:
  /// One call of librsync. False if it is done or cannot go on without more input.
  bool step(rs_buffers_t& buffers, const Sink& sink) {
    buffers.next_out = out_.data();
    buffers.avail_out = out_.size();
    const auto before_in = buffers.avail_in;
    const rs_result result = rs_job_iter(job_, &buffers);
    const auto made = out_.size() - buffers.avail_out;
    if (made > 0) sink(std::string_view{out_}.substr(0, made));
    done_ = result == RS_DONE;
    if (!done_ && result != RS_BLOCKED)
      damaged_message(std::string{"librsync: "} + rs_strerror(result));
    return !done_ && (made > 0 || buffers.avail_in != before_in);
  }

  rs_job_t* job_;
  std::string out_;
  std::string pending_;
  bool done_ = false;
};

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

void check_signature(std::string_view signature) {
  if (signature.size() < 12 || signature.size() > largest_signature_bytes) {
    damaged_message("a signature has an impossible size");
  }
  const auto block = big_endian(signature.substr(4, 4));
  if (big_endian(signature.substr(0, 4)) != RS_RK_BLAKE2_SIG_MAGIC || block < smallest_block ||
      block > largest_block || big_endian(signature.substr(8, 4)) != strong_bytes) {
    damaged_message("a signature of another kind");
  }
}

}  // namespace

std::uint32_t block_length_for(std::uint64_t size_bytes) {
  const auto root = static_cast<std::uint32_t>(std::sqrt(static_cast<double>(size_bytes)));
  return std::clamp<std::uint32_t>(root / 128 * 128, 1024, 16384);
}

void make_signature(int file, std::uint32_t block_length, const Sink& sink) {
  silence_library();
  Job job{rs_sig_begin(block_length, strong_bytes, RS_RK_BLAKE2_SIG_MAGIC)};
  std::string buffer(buffer_bytes, '\0');
  for (std::uint64_t offset = 0;;) {
    const auto got = ::pread(file, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw base::DiskError{"cannot read the old copy of a file", errno};
    job.feed(std::string_view{buffer}.substr(0, static_cast<std::size_t>(got)), got == 0, sink);
    if (got == 0) return;
    offset += static_cast<std::uint64_t>(got);
  }
}

struct DeltaMaker::State {
  rs_signature_t* signature = nullptr;
  std::unique_ptr<Job> job;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    job.reset();
    if (signature != nullptr) rs_free_sumset(signature);
  }
};

DeltaMaker::DeltaMaker(std::string_view signature) : state_(std::make_unique<State>()) {
  silence_library();
  check_signature(signature);
  {
    Job load{rs_loadsig_begin(&state_->signature)};
    load.feed(signature, true, [](std::string_view) {});
  }
  if (rs_build_hash_table(state_->signature) != RS_DONE) {
    damaged_message("librsync does not accept a signature");
  }
  state_->job = std::make_unique<Job>(rs_delta_begin(state_->signature));
}
DeltaMaker::~DeltaMaker() = default;

void DeltaMaker::feed(std::string_view content, const Sink& sink) {
  state_->job->feed(content, false, sink);
}

void DeltaMaker::finish(const Sink& sink) {
  state_->job->feed({}, true, sink);
}

}  // namespace hamn::sync
