#include "sync/watch.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/error.h"
#include "tests/support/fake_clock.h"

namespace hamn::sync {
namespace {

using namespace std::chrono_literals;

/// Gives events at set times of a fake clock.
class FakeSource : public EventSource {
 public:
  explicit FakeSource(test::FakeClock& clock) : clock_(clock), start_(clock.steady()) {}
  [[nodiscard]] std::string name() const override { return "fake"; }
  [[nodiscard]] ChangeEvents wait(base::Milliseconds limit) override {
    const auto now = std::chrono::duration_cast<base::Milliseconds>(clock_.steady() - start_);
    if (events.empty() || events.front().first > now + limit) {
      clock_.advance(limit);
      return {};
    }
    clock_.advance(std::max(events.front().first - now, base::Milliseconds{0}));
    auto found = events.front().second;
    events.pop_front();
    return found;
  }
  std::deque<std::pair<base::Milliseconds, ChangeEvents>> events;

 private:
  test::FakeClock& clock_;
  base::SteadyTime start_;
};

class FakePasses : public WatchedPasses {
 public:
  [[nodiscard]] SentPasses send(const std::map<std::string, Dirty>& sets) override {
    sent.push_back(sets.at("s"));
    if (failures > 0) {
      --failures;
      throw base::Error{{.what = "cut", .detail = "d", .hint = "h", .code = code}};
    }
    if (troubles == 0) return {};
    --troubles;
    return {.again = sets, .trouble = "one set could not be sent"};
  }
  [[nodiscard]] bool may_go_on() override { return true; }
  std::vector<Dirty> sent;
  int failures = 0;
  int troubles = 0;  ///< passes of which a part could not be sent
  base::Exit code = base::Exit::failed;
};

class WatchTest : public testing::Test {
 protected:
  void go(base::Milliseconds duration) {
    const auto end = clock.steady() + duration;
    while (clock.steady() < end) watch.step();
  }
  const std::vector<FileSet> sets{{.name = "s", .roots = {{"/", "/", "install"}}, .filter = {}}};
  test::FakeClock clock;
  FakeSource source{clock};
  FakePasses passes;
  Watch watch{sets, source, passes, clock, WatchTimes{}};
  const Dirty everything{.everything = true, .directories = {}};
};

TEST_F(WatchTest, BeginsWithEverythingAndThenSendsWhatChanged) {
  source.events = {{5000ms, {.events = {{"/install/a", "f"}, {"/etc", "hosts"}}}}};
  go(6s);
  EXPECT_EQ(passes.sent, (std::vector<Dirty>{everything, {false, {"/install/a"}}}));
}

TEST_F(WatchTest, WaitsForQuietButNotForever) {
  for (int i = 0; i < 40; ++i) {
    source.events.push_back({5000ms + i * 100ms, {.events = {{"/install/a", "f"}}}});
  }
  go(6850ms);
  EXPECT_EQ(passes.sent.size(), 1U);
  go(300ms);
  EXPECT_EQ(passes.sent.size(), 2U);
}

TEST_F(WatchTest, LostEventsMakeEverythingDirty) {
  source.events = {{3000ms, {.events = {}, .lost = true}}};
  go(4s);
  EXPECT_EQ(passes.sent, (std::vector<Dirty>{everything, everything}));
}

TEST_F(WatchTest, AHeartbeatSendsNothingButKeepsTheCopyFresh) {
  go(21500ms);
  EXPECT_EQ(passes.sent, (std::vector<Dirty>{everything, {}}));
}

TEST_F(WatchTest, KeepsWhatCouldNotBeSentAndTriesLessAndLess) {
  passes.failures = 5;
  go(60s);
  ASSERT_GE(passes.sent.size(), 6U);
  EXPECT_EQ(passes.sent[5], everything);
  EXPECT_LE(passes.sent.size(), 9U);
}

TEST_F(WatchTest, ARefusalEndsTheAgent) {
  passes.failures = 1;
  passes.code = base::Exit::refused;
  EXPECT_THROW(go(1s), base::Error);
}

TEST_F(WatchTest, TriesLaterAndLaterWhatCannotBeSent) {
  passes.troubles = 1000;
  go(60s);
  EXPECT_GE(passes.sent.size(), 5U);
  EXPECT_LE(passes.sent.size(), 12U);
  EXPECT_EQ(passes.sent.back(), everything);
}

TEST(ConcernsTest, KnowsWhatABelongsToASet) {
  const FileSet set{.name = "s", .roots = {{"/etc", "/etc", "host*"}}, .filter = {}};
  EXPECT_TRUE(concerns(set, {"/etc", "hosts"}));
  EXPECT_TRUE(concerns(set, {"/etc", ""}));
  EXPECT_TRUE(concerns(set, {"/etc/hosts.d/x", "f"}));
  EXPECT_FALSE(concerns(set, {"/etc", "passwd"}));
  EXPECT_FALSE(concerns(set, {"/etcetera", "hosts"}));
  EXPECT_FALSE(concerns(set, {"/etc/other", "hosts"}));
}

}  // namespace
}  // namespace hamn::sync
