#include <fcntl.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/forgetful_disk.h"
#include "tests/support/temporary_directory.h"

namespace hamn::test {

namespace fs = std::filesystem;

/// A tree with a file "kept" that was there before, and verbs by path.
class ForgetfulDiskTest : public testing::Test {
 protected:
  ForgetfulDiskTest() {
    given_file(directory_ / "kept", "old content");
    disk_.everything_lasts();
    root_ = disk_.open_root(directory_.path());
  }

  base::Fd create(const std::string& name, const std::string& content) {
    auto file = disk_.create_file(root_.get(), name, 0644);
    disk_.write(file.get(), content, 0);
    return file;
  }

  base::Fd open_for_writing(const std::string& name) {
    return base::Fd{::open((directory_ / name).c_str(), O_RDWR | O_CLOEXEC)};
  }

  base::Fd make_directory(const std::string& name) {
    disk_.make_directory(root_.get(), name, 0755);
    return disk_.open_directory(root_.get(), name).value();
  }

  /// The content after the power came back, or nothing if there is no such file.
  std::optional<std::string> after(PowerLoss loss, const std::string& name) {
    disk_.power_cut(loss);
    root_ = disk_.open_root(directory_.path());
    if (!exists(directory_ / name)) return std::nullopt;
    return content_of(directory_ / name);
  }

  TemporaryDirectory directory_;
  ForgetfulDisk disk_{directory_.path()};
  base::Fd root_;
};

constexpr auto forget_all = PowerLoss::forget_all_unsynced;
constexpr auto forget_content = PowerLoss::keep_names_forget_content;
constexpr auto zero_content = PowerLoss::keep_names_zero_content;

TEST_F(ForgetfulDiskTest, ShowsEveryChangeAtOnceWhileThePowerIsOn) {
  create("new", "abc");
  disk_.rename(root_.get(), "kept", root_.get(), "moved");
  EXPECT_EQ("abc", content_of(directory_ / "new"));
  EXPECT_EQ("old content", content_of(directory_ / "moved"));
  EXPECT_FALSE(exists(directory_ / "kept"));
}

TEST_F(ForgetfulDiskTest, KeepsWhatWasThereBefore) {
  for (const auto loss : all_power_losses) EXPECT_EQ("old content", after(loss, "kept"));
}

TEST_F(ForgetfulDiskTest, ForgetsAFileThatWasNeverSynced) {
  create("new", "abc");
  EXPECT_EQ(std::nullopt, after(forget_all, "new"));
}

TEST_F(ForgetfulDiskTest, ForgetsAFileWhoseContentWasSyncedButNotItsName) {
  disk_.sync_file(create("new", "abc").get());
  EXPECT_EQ(std::nullopt, after(forget_all, "new"));
}

TEST_F(ForgetfulDiskTest, EmptiesAFileWhoseNameWasSyncedButNotItsContent) {
  create("new", "abc");
  disk_.sync_directory(root_.get());
  EXPECT_EQ("", after(forget_all, "new"));
}

TEST_F(ForgetfulDiskTest, KeepsAFileWhoseContentAndNameWereSynced) {
  disk_.sync_file(create("new", "abc").get());
  disk_.sync_directory(root_.get());
  EXPECT_EQ("abc", after(forget_all, "new"));
}

TEST_F(ForgetfulDiskTest, EmptiesUnsyncedFilesWhenOnlyNamesAreKept) {
  create("new", "abc");
  disk_.sync_file(create("synced", "xyz").get());
  EXPECT_EQ("", after(forget_content, "new"));
  EXPECT_EQ("xyz", content_of(directory_ / "synced"));
}

TEST_F(ForgetfulDiskTest, LeavesZeroBytesWhereSizesAreKept) {
  create("new", "abc");
  EXPECT_EQ((std::string{"\0\0\0", 3}), after(zero_content, "new"));
}

TEST_F(ForgetfulDiskTest, GivesBackTheOldContentOfAFileThatWasOverwritten) {
  for (const auto loss : {forget_all, forget_content}) {
    disk_.write(open_for_writing("kept").get(), "NEW", 0);
    EXPECT_EQ("NEW content", content_of(directory_ / "kept"));
    EXPECT_EQ("old content", after(loss, "kept"));
  }
  disk_.write(open_for_writing("kept").get(), "old SHINY", 0);
  EXPECT_EQ((std::string{"old \0\0\0\0\0nt", 11}), after(zero_content, "kept"));
}

TEST_F(ForgetfulDiskTest, KeepsOnlyTheSyncedPartOfAFileThatGrew) {
  const auto file = open_for_writing("kept");
  disk_.write(file.get(), ", more", 11);
  disk_.sync_file(file.get());
  disk_.write(file.get(), ", most", 17);
  EXPECT_EQ("old content, more", after(forget_all, "kept"));
}

TEST_F(ForgetfulDiskTest, BringsBackATruncatedFile) {
  disk_.truncate(open_for_writing("kept").get(), 3);
  EXPECT_EQ("old content", after(forget_all, "kept"));
}

TEST_F(ForgetfulDiskTest, TakesBackARenameThatWasNotSynced) {
  disk_.rename(root_.get(), "kept", root_.get(), "moved");
  EXPECT_EQ("old content", after(forget_all, "kept"));
  EXPECT_FALSE(exists(directory_ / "moved"));
}

TEST_F(ForgetfulDiskTest, TakesBackAReplacementThatWasNotSynced) {
  disk_.sync_file(create("new", "new content").get());
  disk_.rename(root_.get(), "new", root_.get(), "kept");
  EXPECT_EQ("old content", after(forget_all, "kept"));
  EXPECT_FALSE(exists(directory_ / "new"));
}

TEST_F(ForgetfulDiskTest, KeepsAReplacementOnceItsDirectoryWasSynced) {
  disk_.sync_file(create("new", "new content").get());
  disk_.rename(root_.get(), "new", root_.get(), "kept");
  disk_.sync_directory(root_.get());
  EXPECT_EQ("new content", after(forget_all, "kept"));
  EXPECT_FALSE(exists(directory_ / "new"));
}

TEST_F(ForgetfulDiskTest, RuinsAReplacementWhoseContentWasNotSynced) {
  create("new", "new content");
  disk_.rename(root_.get(), "new", root_.get(), "kept");
  EXPECT_EQ("", after(forget_content, "kept"));
}

TEST_F(ForgetfulDiskTest, TakesARenameBetweenTwoDirectoriesApart) {
  const auto there = make_directory("there");
  disk_.sync_directory(root_.get());
  disk_.rename(root_.get(), "kept", there.get(), "kept");
  disk_.sync_directory(there.get());
  EXPECT_EQ("old content", after(forget_all, "there/kept"));
  EXPECT_EQ("old content", content_of(directory_ / "kept")) << "the old name was not synced away";
}

TEST_F(ForgetfulDiskTest, BringsBackARemovedFile) {
  disk_.remove_file(root_.get(), "kept");
  EXPECT_EQ("old content", after(forget_all, "kept"));
  disk_.remove_file(root_.get(), "kept");
  disk_.sync_directory(root_.get());
  EXPECT_EQ(std::nullopt, after(forget_all, "kept"));
}

TEST_F(ForgetfulDiskTest, DoesNotMistakeANewFileForARemovedOneWithTheSameInodeNumber) {
  // Removing and creating in turn makes file systems use inode numbers again.
  for (int i = 0; i < 20; ++i) {
    disk_.remove_file(root_.get(), "kept");
    create("kept", "new " + std::to_string(i));
  }
  EXPECT_EQ("old content", after(forget_all, "kept"));
}

TEST_F(ForgetfulDiskTest, ForgetsADirectoryWhoseNameWasNotSyncedWithAllThatIsInIt) {
  const auto below = make_directory("below");
  const auto file = disk_.create_file(below.get(), "file", 0644);
  disk_.sync_file(file.get());
  disk_.sync_directory(below.get());
  EXPECT_EQ(std::nullopt, after(forget_all, "below"));
}

TEST_F(ForgetfulDiskTest, BringsBackARemovedDirectoryWithItsContent) {
  fs::create_directories(directory_ / "below");
  given_file(directory_ / "below/file", "x");
  disk_.everything_lasts();
  const auto below = disk_.open_directory(root_.get(), "below").value();
  disk_.remove_file(below.get(), "file");
  disk_.remove_directory(root_.get(), "below");
  EXPECT_EQ("x", after(forget_all, "below/file"));
}

TEST_F(ForgetfulDiskTest, ForgetsAttributesUntilTheFileIsSynced) {
  const auto mode = [&] { return fs::status(directory_ / "kept").permissions(); };
  const auto file = open_for_writing("kept");
  disk_.set_mode(file.get(), 0600);
  disk_.set_modified(file.get(), {.seconds = 1000, .nanoseconds = 7});
  (void)after(forget_all, "kept");
  EXPECT_EQ(fs::perms{0644}, mode());
  disk_.set_mode(open_for_writing("kept").get(), 0600);
  (void)after(forget_content, "kept");
  EXPECT_EQ(fs::perms{0600}, mode()) << "attributes are metadata";
  const auto again = open_for_writing("kept");
  disk_.set_modified(again.get(), {.seconds = 1000, .nanoseconds = 7});
  disk_.sync_file(again.get());
  (void)after(forget_all, "kept");
  const auto status = disk_.status(root_.get(), "kept").value();
  EXPECT_EQ((base::FileTime{.seconds = 1000, .nanoseconds = 7}), status.modified);
}

TEST_F(ForgetfulDiskTest, MakesEverythingLastWhenTheFileSystemIsSynced) {
  create("new", "abc");
  const auto below = make_directory("below");
  (void)disk_.create_file(below.get(), "file", 0644);
  disk_.sync_filesystem(root_.get());
  create("later", "x");
  EXPECT_EQ("abc", after(forget_all, "new"));
  EXPECT_TRUE(exists(directory_ / "below/file"));
  EXPECT_FALSE(exists(directory_ / "later"));
}

TEST_F(ForgetfulDiskTest, KeepsLinksOfBothKinds) {
  fs::create_symlink("kept", directory_ / "link");
  fs::create_hard_link(directory_ / "kept", directory_ / "twin");
  disk_.everything_lasts();
  (void)after(forget_all, "kept");
  EXPECT_EQ("kept", fs::read_symlink(directory_ / "link"));
  EXPECT_EQ(2U, disk_.status(root_.get(), "twin").value().links);
  EXPECT_EQ("old content", content_of(directory_ / "twin"));
}

TEST_F(ForgetfulDiskTest, KeepsTheInodeOfItsRoot) {
  const auto before = disk_.status_of(root_.get()).inode;
  disk_.power_cut(forget_all);
  EXPECT_EQ(before, disk_.status_of(root_.get()).inode);
}

TEST_F(ForgetfulDiskTest, CountsWhatChangesTheTreeOrMakesItLast) {
  const auto before = disk_.operations();
  const auto file = create("new", "abc");  // two
  disk_.sync_file(file.get());
  disk_.rename(root_.get(), "new", root_.get(), "newer");
  EXPECT_EQ("rename", disk_.last_operation());
  disk_.sync_directory(root_.get());
  (void)disk_.list(root_.get());
  (void)disk_.status(root_.get(), "kept");
  EXPECT_EQ(before + 5, disk_.operations());
}

TEST_F(ForgetfulDiskTest, CutsBeforeAnOperation) {
  disk_.cut_at(disk_.operations() + 2);
  const auto file = disk_.create_file(root_.get(), "new", 0644);
  EXPECT_THROW(disk_.write(file.get(), "abcd", 0), PowerCut);
  EXPECT_EQ("", content_of(directory_ / "new"));
}

TEST_F(ForgetfulDiskTest, CutsInTheMiddleOfAWrite) {
  disk_.cut_at(disk_.operations() + 2, Moment::during);
  const auto file = disk_.create_file(root_.get(), "new", 0644);
  EXPECT_THROW(disk_.write(file.get(), "abcd", 0), PowerCut);
  EXPECT_EQ("ab", content_of(directory_ / "new"));
}

TEST_F(ForgetfulDiskTest, DoesNothingMoreWithoutPower) {
  disk_.cut_at(disk_.operations() + 1, Moment::during);
  EXPECT_THROW(disk_.remove_file(root_.get(), "kept"), PowerCut);
  EXPECT_FALSE(exists(directory_ / "kept")) << "other operations happen as a whole";
  EXPECT_THROW((void)disk_.list(root_.get()), PowerCut);
  EXPECT_THROW(disk_.sync_directory(root_.get()), PowerCut);
  EXPECT_EQ("old content", after(forget_all, "kept"));
  EXPECT_NO_THROW((void)disk_.list(root_.get()));
}

TEST_F(ForgetfulDiskTest, IsNotHandledByWhoeverHandlesErrors) {
  disk_.cut_at(disk_.operations() + 1);
  const auto careful = [&] {
    try {
      disk_.remove_file(root_.get(), "kept");
    } catch (const std::exception&) {
      ADD_FAILURE() << "nobody survives a power cut";
    }
  };
  EXPECT_THROW(careful(), PowerCut);
}

TEST(CrashTestTest, FindsAReplacementThatDoesNotSync) {
  const CrashTest test{.given = [](const std::string& root) { given_file(root + "/file", "old"); },
                       .work =
                           [](base::Disk& disk, const std::string& root) {
                             const auto directory = disk.open_root(root);
                             const auto file = disk.create_file(directory.get(), "new", 0644);
                             disk.write(file.get(), "new", 0);
                             disk.rename(directory.get(), "new", directory.get(), "file");
                           },
                       .check =
                           [](const std::string& root, bool) {
                             const auto content = content_of(root + "/file");
                             if (content != "old" && content != "new")
                               throw std::logic_error{"damaged"};
                           }};
  EXPECT_THROW(cut_power_everywhere(test), std::logic_error);
}

TEST(CrashTestTest, CutsEveryOperationInEveryWayAndAlsoAfterTheEnd) {
  int finished = 0;
  const CrashTest test{.given = {},
                       .work =
                           [](base::Disk& disk, const std::string& root) {
                             const auto directory = disk.open_root(root);
                             disk.make_directory(directory.get(), "a", 0755);
                             disk.sync_directory(directory.get());
                           },
                       .check =
                           [&](const std::string& root, bool was_finished) {
                             finished += was_finished ? 1 : 0;
                             if (was_finished) EXPECT_TRUE(exists(root + "/a"));
                           }};
  EXPECT_EQ(2U * 2U * 3U, cut_power_everywhere(test));
  EXPECT_EQ(3, finished);
}

}  // namespace hamn::test
