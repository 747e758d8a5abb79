#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

#include "base/worker.h"
#include "sync/block.h"

namespace hamn::sync {

/// What the receiver has to say, written by a thread of its own, so that the receiver goes on
/// reading while a signature is computed or the sender does not listen. That is what keeps the two
/// from waiting for each other. Threads: push() and finish() from one.
class Outbox {
 public:
  /// Something that writes messages when its turn comes.
  using Item = std::function<void(BlockWriter&)>;

  Outbox(base::Stream& stream, base::Milliseconds limit);
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox();
  void push(Item item);
  void push(std::uint8_t type, std::string payload);
  /// Waits until everything is written; rethrows what went wrong.
  void finish();

 private:
  void run();
  [[nodiscard]] bool take(Item& item, bool& was_last);

  BlockWriter writer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  bool finished_ = false;
  bool failed_ = false;
  base::Worker worker_;
};

}  // namespace hamn::sync
