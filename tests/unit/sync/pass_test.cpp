#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/role.h"
#include "sync/index.h"
#include "tests/unit/sync/world.h"

namespace hamn::sync {
namespace {

namespace fs = std::filesystem;

TEST(PassTest, CopiesAWholeTreeWithModesAndNanosecondTimes) {
  World world;
  world.given("a", "first");
  world.given("b/c", std::string(300'000, 'x'));
  world.given("b/d/e", "");
  ::chmod(world.source("data/a").c_str(), 04751);
  ::chmod(world.source("data/b").c_str(), 02710);
  const auto result = world.pass();
  EXPECT_EQ(world.source_tree(), world.target_tree());
  EXPECT_EQ(result.mode, PassMode::empty);
  EXPECT_EQ(result.generation, 1U);
  EXPECT_EQ(result.files, 3U);
  EXPECT_EQ(result.files_sent, 3U);
  EXPECT_EQ(result.problem_count, 0U);
}

TEST(PassTest, SendsNextToNothingWhenNothingChanged) {
  World world;
  for (int i = 0; i < 500; ++i)
    world.given("d" + std::to_string(i % 7) + "/f" + std::to_string(i), "content");
  ::usleep(60'000);  // out of the racy window
  world.pass();
  const auto again = world.pass();
  EXPECT_EQ(again.mode, PassMode::incremental);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.generation, 1U);
  EXPECT_EQ(again.files_sent, 0U);
  EXPECT_LT(again.wire_bytes, 500U);
}

TEST(PassTest, SendsOnlyWhatChanged) {
  World world;
  for (int i = 0; i < 50; ++i)
    world.given("f" + std::to_string(i), noise(1000, static_cast<unsigned>(i)));
  world.pass();
  world.given("f7", "changed");
  world.given("new/file", "new");
  const auto result = world.pass();
  EXPECT_EQ(world.source_tree(), world.target_tree());
  EXPECT_EQ(result.files_sent, 2U);
  EXPECT_EQ(result.generation, 2U);
}

TEST(PassTest, FindsAChangeThatKeepsSizeAndModificationTime) {
  World world;
  world.given("f", "aaaa");
  ::usleep(60'000);
  world.pass();
  struct stat before {};
  ASSERT_EQ(::stat(world.source("data/f").c_str(), &before), 0);
  world.given("f", "bbbb");
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, world.source("data/f").c_str(), times, 0), 0);
  const auto result = world.pass();
  EXPECT_EQ(test::content_of(world.target("data/f")), "bbbb");
  EXPECT_EQ(result.files_sent, 1U);
}

TEST(PassTest, SendsNoContentWhenOnlyAttributesChanged) {
  World world;
  world.given("small", "content");
  world.given("large", noise(600'000, 1));
  ::usleep(60'000);
  world.pass();
  ::chmod(world.source("data/small").c_str(), 0600);
  const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 2}, {.tv_sec = 1'000'000, .tv_nsec = 123}};
  ASSERT_EQ(::utimensat(AT_FDCWD, world.source("data/large").c_str(), times, 0), 0);
  const auto result = world.pass();
  EXPECT_EQ(world.source_tree(), world.target_tree());
  EXPECT_EQ(result.files_sent, 0U);
  EXPECT_TRUE(result.changed);
}

TEST(PassTest, SendsADeltaOfALargeChangedFile) {
  World world;
  auto content = noise(4'000'000, 2);
  world.given("image", content);
  world.pass();
  content.insert(1'000'000, "inserted");
  world.given("image", content);
  const auto result = world.pass();
  EXPECT_EQ(test::content_of(world.target("data/image")), content);
  EXPECT_EQ(result.files_sent, 1U);
  EXPECT_LT(result.wire_bytes, 200'000U);
}

TEST(PassTest, FollowsLinksAsRsyncWithCopyLinksDoes) {
  World world;
  world.given("real/file", "content");
  fs::create_symlink("real", world.source("data/link-to-directory"));
  fs::create_symlink("real/file", world.source("data/link-to-file"));
  fs::create_symlink("nowhere", world.source("data/dangling"));
  fs::create_symlink("..", world.source("data/real/up"));
  const auto result = world.pass();
  EXPECT_EQ(test::content_of(world.target("data/link-to-file")), "content");
  EXPECT_EQ(test::content_of(world.target("data/link-to-directory/file")), "content");
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(world.target("data/link-to-directory"))));
  EXPECT_FALSE(test::exists(world.target("data/dangling")));
  EXPECT_EQ(result.problem_count, 0U);
  EXPECT_EQ(result.note_count, 3U);  // the dangling link once, the loop by both of its ways
}

TEST(PassTest, NeverDeletesWhatTheSourceNoLongerHas) {
  World world;
  world.given("keep", "1");
  world.given("gone", "2");
  world.given("directory/gone", "3");
  world.pass();
  fs::remove(world.source("data/gone"));
  fs::remove_all(world.source("data/directory"));
  EXPECT_TRUE(world.pass().changed);
  EXPECT_EQ(test::content_of(world.target("data/gone")), "2");
  EXPECT_EQ(test::content_of(world.target("data/directory/gone")), "3");
  EXPECT_FALSE(world.pass().changed);
}

TEST(PassTest, ReplacesADirectoryByAFileOnlyIfItIsEmpty) {
  World world;
  world.given("a/file", "1");
  fs::create_directories(world.source("data/b"));
  world.pass();
  fs::remove_all(world.source("data/a"));
  fs::remove_all(world.source("data/b"));
  world.given("a", "now a file");
  world.given("b", "now a file");
  const auto result = world.pass();
  EXPECT_EQ(result.problem_count, 1U);
  EXPECT_EQ(result.problems.at(0).kind, ProblemKind::not_written);
  EXPECT_EQ(test::content_of(world.target("data/a/file")), "1");
  EXPECT_EQ(test::content_of(world.target("data/b")), "now a file");
  EXPECT_EQ(world.pass().problem_count, 1U);  // it is tried again each time
}

TEST(PassTest, ReplacesALinkOfTheTargetInsteadOfWritingThroughIt) {
  World world;
  world.given("hosts", "new");
  fs::create_directories(world.target("data"));
  test::given_file(world.target("outside"), "untouched");
  fs::create_symlink(world.target("outside"), world.target("data/hosts"));
  world.pass();
  EXPECT_EQ(test::content_of(world.target("data/hosts")), "new");
  EXPECT_EQ(test::content_of(world.target("outside")), "untouched");
}

TEST(PassTest, DoesNotWriteThroughALinkInPlaceOfADirectory) {
  World world;
  world.given("sub/file", "new");
  fs::create_directories(world.target("data"));
  fs::create_directories(world.target("elsewhere"));
  fs::create_symlink(world.target("elsewhere"), world.target("data/sub"));
  const auto result = world.pass();
  EXPECT_GE(result.problem_count, 1U);
  EXPECT_FALSE(test::exists(world.target("elsewhere/file")));
}

TEST(PassTest, ComparesBothSidesAnewAfterTheSendersIndexWasLost) {
  World world;
  for (int i = 0; i < 40; ++i)
    world.given("f" + std::to_string(i), noise(2000, static_cast<unsigned>(i)));
  world.pass();
  fs::remove_all(fs::path{world.source("")}.parent_path().parent_path() / "primary");
  world.given("f3", "changed");
  const auto result = world.pass();
  EXPECT_EQ(result.mode, PassMode::full);
  EXPECT_EQ(result.files_sent, 1U);
  EXPECT_EQ(world.source_tree(), world.target_tree());
  EXPECT_EQ(world.pass().mode, PassMode::incremental);
}

TEST(PassTest, TakesOverACopyThatRsyncMade) {
  World world;
  for (int i = 0; i < 20; ++i)
    world.given("d/f" + std::to_string(i), "content " + std::to_string(i));
  fs::copy(world.source("data"), world.target("data"), fs::copy_options::recursive);
  for (const auto& entry : fs::recursive_directory_iterator{world.source("data")}) {
    struct stat found {};
    ::stat(entry.path().c_str(), &found);
    const timespec times[2] = {found.st_atim, found.st_mtim};
    const auto to =
        world.target("data") + entry.path().string().substr(world.source("data").size());
    ::utimensat(AT_FDCWD, to.c_str(), times, 0);
  }
  const auto result = world.pass();
  EXPECT_EQ(result.mode, PassMode::full);
  EXPECT_EQ(result.files_sent, 0U);
  EXPECT_EQ(world.source_tree(), world.target_tree());
}

TEST(PassTest, BelievesNoSmallFileForItsSizeAndTime) {
  World world;
  const timespec times[2] = {{1'700'000'000, 123}, {1'700'000'000, 123}};
  for (const auto& [root, content] : {std::pair{world.source("data/d"), "primary"},
                                      std::pair{world.target("data/d"), "standby"}}) {
    fs::create_directories(root);
    test::given_file(root + "/key", content);
    ::utimensat(AT_FDCWD, (root + "/key").c_str(), times, 0);
  }
  EXPECT_EQ(world.pass().files_sent, 1U);
  EXPECT_EQ(test::content_of(world.target("data/d/key")), "primary");
  EXPECT_EQ(world.source_tree(), world.target_tree());
  const auto again = world.pass();
  EXPECT_EQ(again.mode, PassMode::incremental);
  EXPECT_EQ(again.files_sent, 0U);
}

TEST(PassTest, SetsADamagedIndexAsideAndComparesAnew) {
  World world;
  world.given("f", "content");
  world.pass();
  const auto index = receiver_index_path(
      fs::path{world.source("")}.parent_path().parent_path() / "standby", "test");
  test::given_file(index,
                   "this is no database, but it is long enough to look like a file of one, "
                   "with a header that SQLite does not know and more bytes than it has");
  const auto result = world.pass();
  EXPECT_NE(result.mode, PassMode::incremental);
  EXPECT_TRUE(test::exists(index + ".damaged"));
  EXPECT_EQ(world.source_tree(), world.target_tree());
}

TEST(PassTest, ADamagedRowEndsThePassAndTheNextOneGoesOnWithoutThatIndex) {
  for (const bool is_senders : {true, false}) {
    World world;
    world.given("d/unmistakable", "content");
    world.pass();
    const fs::path root = fs::path{world.source("")}.parent_path().parent_path();
    const auto index = is_senders ? sender_index_path(root / "primary", "test")
                                  : receiver_index_path(root / "standby", "test");
    auto bytes = test::content_of(index);
    const auto at = bytes.find("unmistakable");
    ASSERT_NE(at, std::string::npos);
    bytes[at] = 'U';
    test::given_file(index, bytes);
    world.given("d/unmistakable", "changed");
    try {
      (void)world.pass();
      ADD_FAILURE() << "the damage was not noticed";
    } catch (const base::Error& error) {
      EXPECT_NE((error.what() + error.detail()).find("index"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(test::exists(index + ".damaged"));
    EXPECT_NE(world.pass().mode, PassMode::incremental);
    EXPECT_EQ(world.source_tree(), world.target_tree());
  }
}

TEST(PassTest, RefusesAnEmptiedSourceAndObeysWhenItIsMeant) {
  World world;
  world.given("f", "content");
  world.pass();
  fs::remove(world.source("data/f"));
  try {
    world.pass();
    FAIL() << "an emptied source was accepted";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Exit::refused);
    EXPECT_NE(std::string{error.hint()}.find("--accept-emptied"), std::string::npos);
  }
  world.accept_emptied = true;
  EXPECT_TRUE(world.pass().changed);
}

TEST(PassTest, RefusesADeposedSenderByEpoch) {
  World world;
  world.given("f", "content");
  world.given_role(base::RoleName::standby, 5);
  try {
    world.pass();
    FAIL() << "a deposed primary was accepted";
  } catch (const PeerRefused& refused) {
    EXPECT_TRUE(refused.is_deposed());
    EXPECT_EQ(refused.epoch(), 5U);
    EXPECT_EQ(refused.code(), base::Exit::refused);
  }
  EXPECT_FALSE(test::exists(world.target("data/f")));
}

TEST(PassTest, RefusesToReceiveOnAPrimaryAndDuringATakeover) {
  for (const auto role :
       {base::RoleName::primary, base::RoleName::promoting, base::RoleName::deposed}) {
    World world;
    world.given("f", "content");
    world.given_role(role, 1);
    EXPECT_THROW(world.pass(), PeerRefused) << base::to_text(role);
    EXPECT_FALSE(test::exists(world.target("data/f")));
  }
}

TEST(PassTest, AStandbyFollowsAHigherEpoch) {
  World world;
  world.given("f", "content");
  world.epoch = 9;
  world.pass();
  world.epoch = 8;
  EXPECT_THROW(world.pass(), PeerRefused);
}

TEST(PassTest, ReportsAFileThatCannotBePutInPlaceAndGoesOn) {
  World world;
  world.given("a", "1");
  world.given("b", "2");
  fs::create_directories(world.target("data/a/not-empty"));
  const auto result = world.pass();
  EXPECT_EQ(result.problem_count, 1U);
  EXPECT_EQ(test::content_of(world.target("data/b")), "2");
}

TEST(PassTest, StartsAnewWhenTheSetGetsOtherRoots) {
  World world;
  world.given("old/f", "1");
  world.pass();
  test::given_file(world.source("other/f"), "2");
  world.set = make_moved_set("test", world.source("other"), world.target("other"));
  const auto result = world.pass();
  EXPECT_NE(result.mode, PassMode::incremental);
  EXPECT_EQ(test::content_of(world.target("other/f")), "2");
}

TEST(PassTest, LeavesNoStagingDirectoryBehind) {
  World world;
  world.given("d/f", "content");
  world.given("large", noise(700'000, 3));
  world.pass();
  EXPECT_EQ(world.source_tree(), world.target_tree());
  for (const auto& entry : fs::recursive_directory_iterator{world.target("")}) {
    EXPECT_EQ(entry.path().filename().string().find(".hamn-stage"), std::string::npos)
        << entry.path();
  }
}

TEST(PassTest, ExcludesByNameAndByPath) {
  World world;
  world.given("keep.txt", "1");
  world.given("drop.tmp", "2");
  world.given("d/drop.tmp", "3");
  world.given("d/secret/file", "4");
  world.set.filter = make_filter({}, {"*.tmp", "*/secret"});
  world.pass();
  EXPECT_TRUE(test::exists(world.target("data/keep.txt")));
  EXPECT_FALSE(test::exists(world.target("data/drop.tmp")));
  EXPECT_FALSE(test::exists(world.target("data/d/drop.tmp")));
  EXPECT_FALSE(test::exists(world.target("data/d/secret")));
}

TEST(PassTest, CopiesManyBatchesAndStrangeNames) {
  World world;
  for (int i = 0; i < 2500; ++i) {
    world.given("d" + std::to_string(i % 50) + "/f" + std::to_string(i), "c" + std::to_string(i));
  }
  world.given("new\nline", "1");
  world.given("\xff\xfe", "2");
  world.given("-rf", "3");
  world.given(" leading", "4");
  world.given(std::string(255, 'n'), "5");
  const auto result = world.pass();
  EXPECT_EQ(result.problem_count, 0U);
  EXPECT_EQ(world.source_tree(), world.target_tree());
}

TEST(PassTest, FindsALinkToADirectoryThatAFilterForFilesWouldLeaveOut) {
  World world;
  world.set.filter = make_filter({"*/", "*.rpm"}, {"*"});
  world.given("d/a.rpm", "a");
  test::given_file(world.source("more/b.rpm"), "b");
  world.pass();
  fs::create_directory_symlink("../../more", world.source("data/d/link"));
  world.pass();
  EXPECT_EQ(test::content_of(world.target("data/d/link/b.rpm")), "b");
}

}  // namespace
}  // namespace hamn::sync
