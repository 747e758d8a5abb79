#include "tests/support/fake_clock.h"

namespace hamn::test {

FakeClock::FakeClock() : FakeClock(base::parse_wall_time("2026-11-21T03:04:05.678Z").value()) {}

base::WallTime FakeClock::wall() const {
  const std::lock_guard lock{mutex_};
  return wall_;
}

base::SteadyTime FakeClock::steady() const {
  const std::lock_guard lock{mutex_};
  return steady_;
}

void FakeClock::sleep(base::Milliseconds duration) {
  advance(duration);
  std::function<void(base::Milliseconds)> hook;
  {
    const std::lock_guard lock{mutex_};
    slept_ += duration;
    hook = hook_;
  }
  if (hook) hook(duration);
}

void FakeClock::advance(base::Milliseconds duration) {
  const std::lock_guard lock{mutex_};
  wall_ += duration;
  steady_ += duration;
}

void FakeClock::jump_wall(base::Milliseconds by) {
  const std::lock_guard lock{mutex_};
  wall_ += by;
}

void FakeClock::on_sleep(std::function<void(base::Milliseconds)> hook) {
  const std::lock_guard lock{mutex_};
  hook_ = std::move(hook);
}

base::Milliseconds FakeClock::slept() const {
  const std::lock_guard lock{mutex_};
  return slept_;
}

}  // namespace hamn::test
