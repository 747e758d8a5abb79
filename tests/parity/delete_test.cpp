// Deletion against a real `rsync --delete`, for both profiles.

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/parity/pair.h"

namespace hamn::parity {
namespace {

namespace fs = std::filesystem;

constexpr unsigned seeds = 30;

/// A tree, then changes with removals, each sent by both. `extra` names at the destinations that
/// never were at the source are put there before the first pass.
void compare_passes(Pair& pair, const Ingredients& ingredients, const Aspects& aspects,
                    unsigned seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  TreeMaker maker{pair.world.source("data"), ingredients, seed};
  maker.make();
  for (const auto& place : {pair.world.target("data"), pair.reference("data")}) {
    test::given_file(place + "/extra/deep/file", "extra");
    test::given_file(place + "/name1/extra", "extra");
    test::given_file(place + "/name2", "extra");
    fs::create_symlink("nowhere", place + "/extra/link");
  }
  for (int pass = 0; pass < 4; ++pass) {
    pair.send();
    EXPECT_EQ(pair.result.problem_count, 0U) << "pass " << pass;
    EXPECT_EQ(pair.compare(aspects), "") << "pass " << pass << "\n" << pair.output;
    maker.change(true);
  }
}

TEST(DeleteParityTest, CompatEndsAsRsyncWithDelete) {
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    Pair pair{{"-Lprgotz", "--delete"}};
    pair.world.set.deletes = true;
    pair.world.accept_deletions = true;
    compare_passes(pair, {.hard_links = true, .symlinks = false}, {}, seed);
  }
}

TEST(DeleteParityTest, FaithfulEndsAsRsyncWithDelete) {
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    Pair pair{{"-aHAXS", "--numeric-ids", "--delete"}, sync::Profile::faithful};
    pair.world.set.deletes = true;
    pair.world.accept_deletions = true;
    compare_passes(pair, {.hard_links = true, .specials = true, .attributes = true},
                   {.links = true, .attributes = true}, seed);
  }
}

TEST(DeleteParityTest, DeletingOnRequestEndsAsRsyncWithDelete) {
  Pair pair{{"-Lprgotz"}};
  TreeMaker maker{pair.world.source("data"), {.symlinks = false}, 5};
  maker.make();
  pair.send();
  maker.change(true);
  pair.send();
  EXPECT_EQ(pair.compare({}), "");
  test::given_file(pair.world.target("data/extra/file"), "extra");
  pair.world.deletes = true;
  pair.options = {"-Lprgotz", "--delete"};
  pair.send();
  EXPECT_GT(pair.result.names_deleted, 0U);
  EXPECT_EQ(pair.compare({}), "");
}

// The differences, in the order of docs/rsync-differences.md; the first has tests in the unit
// suite.

TEST(DeleteDifferenceTest, TwoALinkToNothingStopsOnlyItsOwnDeletion) {
  Pair pair{{"-Lprgotz", "--delete"}};
  pair.world.set.deletes = true;
  pair.world.given("keep", "1");
  fs::create_symlink("nowhere", pair.world.source("data/dangling"));
  for (const auto& place : {pair.world.target("data"), pair.reference("data")}) {
    test::given_file(place + "/dangling", "old");
    test::given_file(place + "/extra", "old");
  }
  pair.send();
  EXPECT_FALSE(test::exists(pair.world.target("data/extra")));
  EXPECT_TRUE(test::exists(pair.world.target("data/dangling")));
  EXPECT_TRUE(test::exists(pair.reference("data/extra")));
}

TEST(DeleteDifferenceTest, ThreeANameByAnotherHandGoesWhenEverythingIsCompared) {
  Pair pair{{"-Lprgotz", "--delete"}};
  pair.world.set.deletes = true;
  pair.world.given("keep", "1");
  pair.send();
  for (const auto& place : {pair.world.target("data"), pair.reference("data")}) {
    test::given_file(place + "/extra", "by hand");
  }
  pair.send();
  EXPECT_TRUE(test::exists(pair.world.target("data/extra")));
  EXPECT_FALSE(test::exists(pair.reference("data/extra")));
  pair.world.deletes = true;
  pair.send();
  EXPECT_EQ(pair.compare({}), "");
}

}  // namespace
}  // namespace hamn::parity
