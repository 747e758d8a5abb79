#include "base/clock.h"

#include <gtest/gtest.h>

namespace hamn::base {

TEST(ClockTest, WritesAndReadsWallTimes) {
  struct Case {
    std::int64_t since_1970_ms;
    const char* text;
  };
  const std::vector<Case> cases{{0, "1970-01-01T00:00:00.000Z"},
                                {-1, "1969-12-31T23:59:59.999Z"},
                                {951'782'399'999, "2000-02-28T23:59:59.999Z"},
                                {951'782'400'000, "2000-02-29T00:00:00.000Z"},
                                {1'795'230'245'678, "2026-11-21T03:04:05.678Z"},
                                {4'107'542'399'000, "2100-02-28T23:59:59.000Z"},
                                {4'107'542'400'000, "2100-03-01T00:00:00.000Z"},
                                {253'402'300'799'999, "9999-12-31T23:59:59.999Z"}};
  for (const auto& each : cases) {
    const WallTime time{Milliseconds{each.since_1970_ms}};
    EXPECT_EQ(each.text, to_text(time));
    EXPECT_EQ(time, parse_wall_time(each.text)) << each.text;
  }
}

TEST(ClockTest, RefusesWhatIsNotSuchATime) {
  for (const char* bad :
       {"", "2026-11-21", "2026-11-21T03:04:05Z", "2026-11-21T03:04:05.678",
        "2026-11-21 03:04:05.678Z", "2026-11-21T03:04:05.678z", "2026-11-21T03:04:05.6789Z",
        "2026-13-21T03:04:05.678Z", "2026-00-21T03:04:05.678Z", "2026-11-31T03:04:05.678Z",
        "2026-02-29T03:04:05.678Z", "2026-11-21T24:04:05.678Z", "2026-11-21T03:60:05.678Z",
        "2026-11-21T03:04:60.678Z", "2026-11-21T03:04:05.678+00:00", "+026-11-21T03:04:05.678Z",
        "2026-11-21T03:04:05.67 Z", " 2026-11-21T03:04:05.678Z"}) {
    EXPECT_EQ(std::nullopt, parse_wall_time(bad)) << bad;
  }
}

TEST(ClockTest, NeverCountsANegativeAge) {
  const auto now = parse_wall_time("2026-11-21T03:04:05.678Z").value();
  EXPECT_EQ(Milliseconds{0}, age(now, now));
  EXPECT_EQ(Milliseconds{1500}, age(now - Milliseconds{1500}, now));
  EXPECT_EQ(Milliseconds{0}, age(now + Milliseconds{1500}, now));
}

TEST(ClockTest, RealClockMovesOnWhileItSleeps) {
  RealClock clock;
  const auto before = clock.steady();
  clock.sleep(Milliseconds{5});
  EXPECT_GE(clock.steady() - before, Milliseconds{5});
  EXPECT_LT(age(clock.wall(), WallTime{Milliseconds{0}}), Milliseconds{1});
  clock.sleep(Milliseconds{-5});  // returns at once
}

}  // namespace hamn::base
