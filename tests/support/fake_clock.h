#pragma once

#include <functional>
#include <mutex>

#include "base/clock.h"

namespace hamn::test {

/// Time that passes only when somebody sleeps or the test says so. Threads: any.
class FakeClock : public base::Clock {
 public:
  /// Starts at 2026-11-21T03:04:05.678Z.
  FakeClock();
  explicit FakeClock(base::WallTime wall) : wall_(wall) {}

  [[nodiscard]] base::WallTime wall() const override;
  [[nodiscard]] base::SteadyTime steady() const override;
  /// Returns at once; both clocks have moved on.
  void sleep(base::Milliseconds duration) override;

  /// Both clocks move on.
  void advance(base::Milliseconds duration);
  /// Only the wall clock moves, as when somebody sets it. May go back.
  void jump_wall(base::Milliseconds by);
  /// Called after every sleep with its length: a simulated world can move on.
  void on_sleep(std::function<void(base::Milliseconds)> hook);
  /// The sum of all sleeps.
  [[nodiscard]] base::Milliseconds slept() const;

 private:
  mutable std::mutex mutex_;
  base::WallTime wall_;
  base::SteadyTime steady_{std::chrono::hours{1}};
  base::Milliseconds slept_{0};
  std::function<void(base::Milliseconds)> hook_;
};

}  // namespace hamn::test
