#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/unit/sync/world.h"

namespace hamn::sync {
namespace {

namespace fs = std::filesystem;

struct Deleting : World {
  Deleting() { set.deletes = true; }
  void given_many(int count) {
    for (int i = 0; i < count; ++i) given("many/f" + std::to_string(i), "content");
  }
  [[nodiscard]] std::vector<std::string> problems_of(const SendResult& result) const {
    std::vector<std::string> texts;
    for (const auto& problem : result.problems) {
      texts.push_back(to_text(problem.kind) + ": " + problem.detail);
    }
    return texts;
  }
};

TEST(DeleteTest, FilesDirectoriesAndLinksThatAreGoneGo) {
  Deleting world;
  world.set.profile = Profile::faithful;
  world.given("keep", "1");
  world.given("gone", "2");
  world.given("directory/deep/gone", "3");
  fs::create_symlink("gone", world.source("data/link"));
  world.pass();
  fs::remove(world.source("data/gone"));
  fs::remove(world.source("data/link"));
  fs::remove_all(world.source("data/directory"));
  const auto result = world.pass();
  EXPECT_EQ(result.names_deleted, 5U);
  EXPECT_EQ(world.source_tree(), world.target_tree());
  EXPECT_FALSE(fs::exists(fs::symlink_status(world.target("data/link"))));
  EXPECT_FALSE(world.pass().changed);
}

TEST(DeleteTest, WhatALinkLedToStaysWhenItLeadsNowhere) {
  Deleting world;
  world.given("keep", "1");
  test::given_file(world.source("elsewhere/iso/file"), "2");
  fs::create_directory_symlink("../elsewhere/iso", world.source("data/iso"));
  world.pass();
  ASSERT_TRUE(test::exists(world.target("data/iso/file")));
  fs::rename(world.source("elsewhere"), world.source("unmounted"));
  EXPECT_EQ(world.pass().names_deleted, 0U);
  EXPECT_TRUE(test::exists(world.target("data/iso/file")));
  fs::rename(world.source("unmounted"), world.source("elsewhere"));
  EXPECT_EQ(world.pass().problem_count, 0U);
  EXPECT_TRUE(test::exists(world.target("data/iso/file")));
}

TEST(DeleteTest, NamesThatNeverWereAtTheSourceGoInTheFirstPass) {
  Deleting world;
  world.given("keep", "1");
  test::given_file(world.target("data/extra/file"), "2");
  EXPECT_EQ(world.pass().names_deleted, 2U);
  EXPECT_EQ(world.source_tree(), world.target_tree());
}

TEST(DeleteTest, OneRequestDeletesWhereTheConfigurationDoesNot) {
  World world;
  world.given("keep", "1");
  world.given("gone", "2");
  world.pass();
  fs::remove(world.source("data/gone"));
  world.pass();
  EXPECT_TRUE(test::exists(world.target("data/gone")));
  world.deletes = true;
  EXPECT_EQ(world.pass().names_deleted, 1U);
  EXPECT_FALSE(test::exists(world.target("data/gone")));
}

TEST(DeleteTest, HoldsAMassDeletionBackUntilItIsAccepted) {
  Deleting world;
  world.given("keep", "1");
  world.given_many(150);
  world.pass();
  fs::remove_all(world.source("data/many"));
  world.given("keep", "new content");
  for (int pass = 0; pass < 2; ++pass) {
    const auto result = world.pass();
    EXPECT_EQ(result.names_deleted, 0U);
    EXPECT_EQ(result.problem_count, 1U);
    ASSERT_FALSE(result.problems.empty());
    EXPECT_EQ(result.problems[0].kind, ProblemKind::held_back);
    EXPECT_NE(result.problems[0].detail.find("--accept-deletions"), std::string::npos);
    EXPECT_TRUE(test::exists(world.target("data/many/f7")));
    EXPECT_EQ(test::content_of(world.target("data/keep")), "new content");
  }
  world.accept_deletions = true;
  const auto result = world.pass();
  EXPECT_EQ(result.names_deleted, 151U);
  EXPECT_EQ(result.problem_count, 0U);
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(world.problems_of(result)[0].find("many deletions: 151 of 15"), 0U)
      << world.problems_of(result)[0];
  EXPECT_FALSE(test::exists(world.target("data/many")));
}

TEST(DeleteTest, DeletesNothingWhenTheRootIsAnotherDirectoryThanBefore) {
  Deleting world;
  world.given("mounted/file", "1");
  world.given("stays", "2");
  world.pass();
  // As after a failed mount: the mount point's own directory, with something in it.
  fs::rename(world.source("data"), world.source("elsewhere"));
  world.given("stays", "2");
  for (int pass = 0; pass < 2; ++pass) {
    const auto result = world.pass();
    EXPECT_GE(result.problem_count, 1U) << "pass " << pass;
    EXPECT_TRUE(test::exists(world.target("data/mounted/file"))) << "pass " << pass;
  }
  world.accept_deletions = true;
  EXPECT_EQ(world.pass().names_deleted, 2U);
  EXPECT_FALSE(test::exists(world.target("data/mounted")));
  world.accept_deletions = false;
  EXPECT_EQ(world.pass().problem_count, 0U);
}

TEST(DeleteTest, DeletesNothingFromAnEmptySourceThatNoIndexKnows) {
  Deleting world;
  test::given_file(world.target("data/precious"), "1");
  const auto result = world.pass();
  EXPECT_EQ(result.names_deleted, 0U);
  EXPECT_EQ(result.problem_count, 1U);
  EXPECT_TRUE(test::exists(world.target("data/precious")));
}

TEST(DeleteTest, DeletesNothingWhenADirectoryCouldNotBeRead) {
  Deleting world;
  world.given("keep", "0");
  world.given("gone", "1");
  world.pass();
  fs::remove(world.source("data/gone"));
  // Root reads every directory, but nobody reads below two hundred levels.
  std::string deep = "deep";
  for (int level = 0; level < 205; ++level) deep += "/d";
  world.given(deep + "/file", "2");
  const auto result = world.pass();
  EXPECT_EQ(result.names_deleted, 0U);
  EXPECT_EQ(result.problem_count, 2U);
  EXPECT_TRUE(test::exists(world.target("data/gone")));
  fs::remove_all(world.source("data/deep"));
  world.accept_deletions = true;
  EXPECT_GE(world.pass().names_deleted, 1U);
  EXPECT_FALSE(test::exists(world.target("data/gone")));
}

TEST(DeleteTest, KeepsExcludedNamesAndWhatHoldsThem) {
  Deleting world;
  world.given("keep", "1");
  world.given("d/file", "2");
  world.set.filter = make_filter({}, {"*.local"});
  world.pass();
  test::given_file(world.target("data/d/own.local"), "of this host");
  test::given_file(world.target("data/top.local"), "of this host");
  fs::remove_all(world.source("data/d"));
  const auto result = world.pass();
  EXPECT_EQ(result.problem_count, 0U);
  EXPECT_TRUE(test::exists(world.target("data/d/own.local")));
  EXPECT_TRUE(test::exists(world.target("data/top.local")));
  EXPECT_FALSE(test::exists(world.target("data/d/file")));
}

TEST(DeleteTest, ADirectoryGivesWayToAFileOrALinkWithAllThatIsInIt) {
  Deleting world;
  world.set.profile = Profile::faithful;
  world.given("a/deep/file", "1");
  world.given("b/file", "2");
  world.pass();
  fs::remove_all(world.source("data/a"));
  fs::remove_all(world.source("data/b"));
  world.given("a", "now a file");
  fs::create_symlink("a", world.source("data/b"));
  const auto result = world.pass();
  EXPECT_EQ(result.problem_count, 0U);
  EXPECT_EQ(test::content_of(world.target("data/a")), "now a file");
  EXPECT_TRUE(fs::is_symlink(world.target("data/b")));
}

TEST(DeleteTest, RemovesALinkAndNotWhatItPointsTo) {
  Deleting world;
  world.given("keep", "1");
  world.pass();
  test::given_file(world.target("outside/file"), "untouched");
  fs::create_directory_symlink(world.target("outside"), world.target("data/extra"));
  world.set.deletes = false;
  world.deletes = true;
  EXPECT_EQ(world.pass().names_deleted, 1U);
  EXPECT_EQ(test::content_of(world.target("outside/file")), "untouched");
}

}  // namespace
}  // namespace hamn::sync
