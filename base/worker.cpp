#include "base/worker.h"

#include <utility>

namespace hamn::base {

Worker::Worker(std::function<void()> work)
    : thread_([this, work = std::move(work)]() noexcept {
        try {
          work();
        } catch (...) {
          failure_ = std::current_exception();
        }
      }) {}

Worker::~Worker() {
  if (thread_.joinable()) thread_.join();
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace hamn::base
