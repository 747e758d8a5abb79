#pragma once

#include <exception>
#include <functional>
#include <thread>

namespace hamn::base {

/// A thread that hands its exception to whoever joins it.
class Worker {
 public:
  explicit Worker(std::function<void()> work);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  /// Waits without rethrowing: whoever cares about the exception calls join() first.
  ~Worker();
  /// Waits for the end of the work and rethrows what ended it.
  void join();

 private:
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace hamn::base
