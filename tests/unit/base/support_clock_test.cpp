#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_journal.h"
#include "tests/support/temporary_directory.h"

namespace hamn::test {

using base::Milliseconds;

TEST(FakeClockTest, StandsStillUntilSomebodySleeps) {
  FakeClock clock;
  const auto wall = clock.wall();
  const auto steady = clock.steady();
  EXPECT_EQ("2026-11-21T03:04:05.678Z", base::to_text(wall));
  clock.sleep(Milliseconds{250});
  clock.advance(Milliseconds{50});
  EXPECT_EQ(wall + Milliseconds{300}, clock.wall());
  EXPECT_EQ(steady + Milliseconds{300}, clock.steady());
  EXPECT_EQ(Milliseconds{250}, clock.slept());
}

TEST(FakeClockTest, LetsTheWallClockJumpAlone) {
  FakeClock clock;
  const auto wall = clock.wall();
  const auto steady = clock.steady();
  clock.jump_wall(-std::chrono::hours{2});
  EXPECT_EQ(wall - std::chrono::hours{2}, clock.wall());
  EXPECT_EQ(steady, clock.steady());
}

TEST(FakeClockTest, TellsASimulatedWorldThatTimePassed) {
  FakeClock clock;
  Milliseconds told{0};
  clock.on_sleep([&](Milliseconds slept) {
    told += slept;
    clock.advance(Milliseconds{1});  // the hook may use the clock
  });
  clock.sleep(Milliseconds{10});
  clock.sleep(Milliseconds{20});
  EXPECT_EQ(Milliseconds{30}, told);
}

TEST(MemoryJournalTest, KeepsItsEventsInOrder) {
  MemoryJournal journal{"run-7"};
  journal.append("run_started", {});
  journal.append("action_started", {{"host", "mn2"}});
  EXPECT_EQ("run-7", journal.run());
  EXPECT_EQ("run_started action_started", journal.kinds());
  EXPECT_EQ((base::Facts{{"host", "mn2"}}), journal.facts_of("action_started"));
  ASSERT_EQ(2U, journal.events().size());
  EXPECT_EQ(2U, journal.events()[1].number);
  EXPECT_EQ("run-7", journal.events()[1].run);
  EXPECT_LT(journal.events()[0].time, journal.events()[1].time);
}

TEST(MemoryJournalTest, TakesItsTimeFromAClockIfItHasOne) {
  FakeClock clock;
  MemoryJournal journal{"run-1", &clock};
  clock.advance(Milliseconds{5});
  journal.append("a", {});
  EXPECT_EQ(clock.wall(), journal.events()[0].time);
}

TEST(MemoryJournalTest, FailsTheNthAppendAndKeepsNothingOfIt) {
  MemoryJournal journal;
  journal.fail_at(2);
  journal.append("a", {});
  EXPECT_THROW(journal.append("b", {}), base::Error);
  journal.append("c", {});
  EXPECT_EQ("a c", journal.kinds());
}

TEST(MemoryJournalTest, CallsTheTestBeforeAndAfterAnAppend) {
  MemoryJournal journal;
  std::string seen;
  journal.call_before(2, [&] { seen += "[" + journal.kinds() + "]"; });
  journal.call_after(2, [&] { seen += "[" + journal.kinds() + "]"; });
  journal.append("a", {});
  journal.append("b", {});
  EXPECT_EQ("[a][a b]", seen);
}

TEST(MemoryJournalTest, FailsTheTestThatAsksForAnEventThatIsNotThere) {
  MemoryJournal journal;
  journal.append("a", {});
  EXPECT_NONFATAL_FAILURE((void)journal.facts_of("b"), "events of the kind b among: a");
}

TEST(TemporaryDirectoryTest, IsGoneWithAllThatIsInIt) {
  std::string path;
  {
    const TemporaryDirectory directory;
    path = directory.path();
    given_file(directory / "a/b/c", "content");
    EXPECT_EQ("content", content_of(directory / "a/b/c"));
    EXPECT_TRUE(exists(directory / "a"));
    EXPECT_FALSE(exists(directory / "x"));
  }
  EXPECT_FALSE(exists(path));
}

TEST(TemporaryDirectoryTest, FailsTheTestThatReadsAMissingFile) {
  EXPECT_NONFATAL_FAILURE((void)content_of("/nowhere/at/all"), "there is no /nowhere/at/all");
}

}  // namespace hamn::test
