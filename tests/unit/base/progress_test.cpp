#include "base/progress.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace hamn::base {

using test::FakeClock;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

TEST(ProgressTest, ShowsWhatIsKnownSoFar) {
  struct Case {
    Advance advance;
    Milliseconds elapsed;
    const char* line;
  };
  constexpr std::uint64_t mib = 1U << 20U;
  const std::vector<Case> cases{
      {{.label = "install"}, Milliseconds{0}, "install: 0 files"},
      {{.label = "install", .done_files = 1234}, Milliseconds{0}, "install: 1,234 files"},
      {{.label = "install", .done_files = 5, .total_files = 10},
       Milliseconds{5000},
       "install: 5 of 10 files"},
      {{.label = "install", .done_bytes = mib, .done_files = 5},
       Milliseconds{999},
       "install: 5 files, 1.0 MiB"},
      {{.label = "install", .done_bytes = 0, .total_bytes = mib},
       Milliseconds{5000},
       "install: 0 files, 0 B of 1.0 MiB"},
      {{.label = "install",
        .done_bytes = 10 * mib,
        .total_bytes = 40 * mib,
        .done_files = 5,
        .total_files = 10},
       Milliseconds{2000},
       "install: 5 of 10 files, 10 MiB of 40 MiB, 5.0 MiB/s, 6.00 s left"},
      {{.label = "install",
        .done_bytes = 40 * mib,
        .total_bytes = 40 * mib,
        .done_files = 10,
        .total_files = 10},
       Milliseconds{8000},
       "install: 10 of 10 files, 40 MiB of 40 MiB, 5.0 MiB/s"},
      {{.label = "\x1b[2J", .done_files = 1}, Milliseconds{0}, "\\x1b[2J: 1 files"}};
  for (const auto& each : cases) EXPECT_EQ(each.line, progress_line(each.advance, each.elapsed));
}

TEST(ProgressTest, PromisesNothingThatIsTooFarAway) {
  const Advance advance{.label = "x", .done_bytes = 1, .total_bytes = UINT64_MAX};
  EXPECT_EQ("x: 0 files, 1 B of 16 EiB, 1 B/s", progress_line(advance, Milliseconds{1000}));
}

TEST(ProgressTest, RenewsTheLineAtMostTenTimesASecond) {
  FakeClock clock;
  TerminalProgress progress{clock};
  CaptureStderr();
  for (int i = 0; i < 5; ++i) {
    progress.show({.label = "x", .done_files = static_cast<std::uint64_t>(i)});
    clock.advance(Milliseconds{50});
  }
  EXPECT_EQ("\r\x1b[Kx: 0 files\r\x1b[Kx: 2 files\r\x1b[Kx: 4 files", GetCapturedStderr());
}

TEST(ProgressTest, RemovesItsLineAtTheEnd) {
  FakeClock clock;
  TerminalProgress progress{clock};
  CaptureStderr();
  progress.finish();
  EXPECT_EQ("", GetCapturedStderr());
  CaptureStderr();
  progress.show({.label = "x"});
  progress.finish();
  progress.finish();
  EXPECT_EQ("\r\x1b[Kx: 0 files\r\x1b[K", GetCapturedStderr());
}

TEST(ProgressTest, SaysNothingWithoutATerminal) {
  FakeClock clock;
  CaptureStderr();  // a file, not a terminal
  for (const bool wanted : {true, false}) {
    const auto progress = make_progress(clock, wanted);
    progress->show({.label = "x"});
    progress->finish();
  }
  EXPECT_EQ("", GetCapturedStderr());
}

}  // namespace hamn::base
