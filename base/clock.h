#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace hamn::base {

/// Wall time, for records that people read. May jump; never subtract two of them to get a duration.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
/// Steady time, for durations and limits.
using SteadyTime = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

/// Where time comes from. The real clock in production, a fake one in tests (no test sleeps).
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const = 0;
  [[nodiscard]] virtual SteadyTime steady() const = 0;
  virtual void sleep(Milliseconds duration) = 0;
};

/// The machine's clock. sleep() returns early when the run is interrupted (see interrupt.h).
class RealClock : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] SteadyTime steady() const override;
  void sleep(Milliseconds duration) override;
};

/// The last moment that the texts below can hold: the end of the year 9999.
inline constexpr WallTime last_wall_time{Milliseconds{253'402'300'799'999}};

/// "2026-11-21T03:04:05.678Z" (RFC 3339, always UTC).
[[nodiscard]] std::string to_text(WallTime time);
[[nodiscard]] std::optional<WallTime> parse_wall_time(std::string_view text);

/// How long ago `then` was, seen from `now`; never negative, since clocks of two hosts differ.
[[nodiscard]] Milliseconds age(WallTime then, WallTime now);
/// True if `then` is so far ahead of `now` that one of the two clocks is wrong; the age of what was
/// made then is not known. Pure.
[[nodiscard]] bool is_ahead(WallTime then, WallTime now);

}  // namespace hamn::base
