#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <variant>

#include "base/worker.h"
#include "sync/block.h"
#include "sync/wire.h"

namespace hamn::sync {

/// Whatever a receiver may say.
using Reply = std::variant<Welcome, Refusal, Verdict, Signature, Trouble, Done, Deleted>;

/// What the receiver says, read by a thread of its own, so that the receiver can always get rid of
/// its answers. The sender bounds the queue by what it leaves unanswered. Threads: take() from one.
class Inbox {
 public:
  Inbox(base::Stream& stream, base::Milliseconds limit);
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;
  /// The caller has closed the stream before, so that the reading thread ends.
  ~Inbox() = default;
  /// Nothing if there is nothing yet. Throws what ended the stream once everything was taken.
  [[nodiscard]] std::optional<Reply> try_take();
  /// Waits for the next reply.
  [[nodiscard]] Reply take();
  [[nodiscard]] std::uint64_t read_bytes() const noexcept { return reader_.read_bytes(); }

 private:
  void run();

  BlockReader reader_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Reply> replies_;
  bool ended_ = false;
  std::exception_ptr failure_;
  base::Worker worker_;
};

}  // namespace hamn::sync
