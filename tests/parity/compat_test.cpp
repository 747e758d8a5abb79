// hamn's profile "compat" against a real `rsync -Lprgotz`: the same trees arrive, but for what
// docs/rsync-differences.md lists; each of those differences has a test here.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/parity/pair.h"

namespace hamn::parity {
namespace {

namespace fs = std::filesystem;

constexpr unsigned seeds = 30;

/// A tree, then changes, each sent by both.
void compare_passes(unsigned seed, bool may_remove) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Pair pair{{"-Lprgotz"}};
  TreeMaker maker{pair.world.source("data"),
                  {.hard_links = true, .specials = true, .attributes = true, .outside_links = true},
                  seed};
  maker.make();
  for (int pass = 0; pass < 3; ++pass) {
    pair.send();
    EXPECT_EQ(pair.compare({}), "") << "pass " << pass;
    maker.change(may_remove);
  }
}

TEST(CompatParityTest, GeneratedTreesArriveAsRsyncBringsThem) {
  for (unsigned seed = 1; seed <= seeds; ++seed) compare_passes(seed, false);
}

TEST(CompatParityTest, GeneratedRemovalsAndChangesOfKindEndAsInRsync) {
  for (unsigned seed = 1; seed <= seeds; ++seed) compare_passes(seed + 1000, true);
}

TEST(CompatParityTest, ACopyThatWasThereBeforeEndsAsInRsync) {
  for (unsigned seed = 1; seed <= seeds / 2; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pair pair{{"-Lprgotz"}};
    TreeMaker before{pair.world.source("data"), {}, seed};
    before.make();
    pair.send();
    pair.forget_indexes();
    fs::remove_all(pair.world.source("data"));
    fs::create_directories(pair.world.source("data"));
    TreeMaker now{pair.world.source("data"), {}, seed + 1};
    now.make();
    pair.send();
    EXPECT_EQ(pair.compare({}), "");
  }
}

TEST(CompatParityTest, ALinkToADirectoryAndALinkOutsideArriveAsWhatTheyPointTo) {
  Pair pair{{"-Lprgotz"}};
  pair.world.given("real/deep/file", "content");
  test::given_file(pair.world.source("outside/file"), "outside");
  fs::create_symlink("real", pair.world.source("data/link"));
  fs::create_symlink(pair.world.source("outside"), pair.world.source("data/out"));
  pair.send();
  EXPECT_EQ(pair.compare({}), "");
  EXPECT_EQ(test::content_of(pair.world.target("data/out/file")), "outside");
}

TEST(CompatParityTest, ALinkInPlaceOfAFileAtTheDestinationIsReplaced) {
  Pair pair{{"-Lprgotz"}};
  pair.world.given("hosts", "new");
  for (const auto& place : {pair.world.target("data"), pair.reference("data")}) {
    test::given_file(place + "/elsewhere", "untouched");
    fs::create_symlink("elsewhere", place + "/hosts");
  }
  pair.send();
  EXPECT_EQ(pair.compare({}), "");
  EXPECT_EQ(test::content_of(pair.world.target("data/elsewhere")), "untouched");
}

TEST(CompatParityTest, AHardLinkedFileAtTheDestinationIsReplacedNotWrittenTo) {
  Pair pair{{"-Lprgotz"}};
  pair.world.given("file", "new content");
  for (const auto& place : {pair.world.target("data"), pair.reference("data")}) {
    test::given_file(place + "/file", "old");
    fs::create_hard_link(place + "/file", place + "/other-name");
  }
  pair.send();
  EXPECT_EQ(pair.compare({.links = true, .attributes = false}), "");
  EXPECT_EQ(test::content_of(pair.world.target("data/other-name")), "old");
}

// The differences, in the order of docs/rsync-differences.md.

/// Writes a file that both send, then another content; compares size and seconds stay the same.
void expect_only_hamn_notices(long nanoseconds) {
  Pair pair{{"-Lprgotz"}};
  const auto write = [&](const std::string& content, long fraction) {
    pair.world.given("file", content);
    const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                               {.tv_sec = 1'700'000'000, .tv_nsec = fraction}};
    ::utimensat(AT_FDCWD, pair.world.source("data/file").c_str(), times, 0);
    pair.send();
  };
  write("aaaa", 1);
  write("bbbb", nanoseconds);
  EXPECT_EQ(test::content_of(pair.world.target("data/file")), "bbbb");
  EXPECT_EQ(test::content_of(pair.reference("data/file")), "aaaa");
}

TEST(CompatDifferenceTest, OneAChangeWithinTheSameSecondIsNoticed) {
  expect_only_hamn_notices(2);
}

TEST(CompatDifferenceTest, TwoAChangeThatKeepsSizeAndTimeIsNoticed) {
  expect_only_hamn_notices(1);
}

TEST(CompatDifferenceTest, ThreeADanglingLinkIsANoteAndNotAFailure) {
  Pair pair{{"-Lprgotz"}};
  fs::create_symlink("nowhere", pair.world.source("data/dangling"));
  pair.send();
  EXPECT_EQ(pair.compare({}), "");
  EXPECT_EQ(pair.exit_code, 23);
  EXPECT_EQ(pair.result.problem_count, 0U);
  EXPECT_EQ(pair.result.note_count, 1U);
}

TEST(CompatDifferenceTest, FourALinkToADirectoryAboveIsLeftOutInsteadOfCopiedFortyTimes) {
  Pair pair{{"-Lprgotz"}};
  pair.world.given("d/file", "content");
  fs::create_symlink("..", pair.world.source("data/d/up"));
  pair.send();
  EXPECT_FALSE(test::exists(pair.world.target("data/d/up")));
  EXPECT_TRUE(test::exists(pair.reference("data/d/up/d/up/d/file")));
  EXPECT_EQ(pair.exit_code, 23);
  EXPECT_EQ(pair.result.problem_count, 0U);
}

TEST(CompatDifferenceTest, FiveALinkInPlaceOfADirectoryAtTheDestinationIsLeftAlone) {
  Pair pair{{"-Lprgotz"}};
  pair.world.given("sub/file", "content");
  for (const auto& place : {pair.world.target("data"), pair.reference("data")}) {
    fs::create_directories(place + "/elsewhere");
    fs::create_symlink("elsewhere", place + "/sub");
  }
  pair.send();
  EXPECT_TRUE(fs::is_symlink(pair.world.target("data/sub")));
  EXPECT_FALSE(test::exists(pair.world.target("data/elsewhere/file")));
  EXPECT_FALSE(fs::is_symlink(pair.reference("data/sub")));
  EXPECT_GE(pair.result.problem_count, 1U);
}

TEST(CompatDifferenceTest, SixZerosTakeNoSpace) {
  Pair pair{{"-Lprgotz"}};
  std::string content(8U << 20U, '\0');
  content.replace(5U << 20U, 4, "data");
  pair.world.given("sparse", content);
  pair.send();
  EXPECT_EQ(pair.compare({}), "");
  EXPECT_LT(space_of(pair.world.target("data")), 1U << 20U);
  EXPECT_GT(space_of(pair.reference("data")), 7U << 20U);
}

}  // namespace
}  // namespace hamn::parity
