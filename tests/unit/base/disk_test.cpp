#include "base/disk.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "tests/support/forgetful_disk.h"
#include "tests/support/temporary_directory.h"

namespace hamn::base {

namespace fs = std::filesystem;
using test::content_of;
using test::exists;
using test::given_file;
using test::TemporaryDirectory;

namespace {

/// The errno of the DiskError that `act` throws; 0 if it throws none.
template <typename Act>
int error_number_of(const Act& act) {
  try {
    act();
  } catch (const DiskError& error) {
    EXPECT_FALSE(error.hint().empty());
    return error.error_number();
  }
  return 0;
}

unsigned mode_of(const std::string& path) {
  struct stat found {};
  EXPECT_EQ(0, ::lstat(path.c_str(), &found));
  return found.st_mode & 07777U;
}

}  // namespace

class DiskTest : public testing::Test {
 protected:
  DiskTest() {
    given_file(directory_ / "dir/sub/file", "in sub");
    given_file(directory_ / "file", "content");
    fs::create_symlink("dir", directory_ / "link_to_dir");
    fs::create_symlink("file", directory_ / "link_to_file");
    fs::create_symlink("/etc", directory_ / "link_out");
    fs::create_symlink("..", directory_ / "dir/link_up");
    ::mkfifo((directory_ / "pipe").c_str(), 0600);
    root_ = disk_.open_root(directory_.path());
  }

  TemporaryDirectory directory_;
  RealDisk disk_;
  Fd root_;
};

TEST_F(DiskTest, OpensDirectoriesBelowADirectory) {
  for (const char* path : {"dir", "dir/sub", "dir/./sub", "", ".", "dir/", "dir//sub"}) {
    EXPECT_TRUE(disk_.open_directory(root_.get(), path).has_value()) << path;
  }
  const auto sub = disk_.open_directory(root_.get(), "dir/sub").value();
  EXPECT_EQ((std::vector<std::string>{"file"}), disk_.list(sub.get()));
}

TEST_F(DiskTest, NeverFollowsALinkNorLeavesWhenOpeningADirectory) {
  const auto own = "/proc/self/fd/" + std::to_string(root_.get());
  for (const std::string path : {"nothing", "file", "file/x", "link_to_dir", "link_to_dir/sub",
                                 "link_out", "link_out/ssh", "dir/link_up", "dir/link_up/dir", "..",
                                 "dir/../..", "/", "/etc", own.c_str(), "dir/../../x"}) {
    EXPECT_FALSE(disk_.open_directory(root_.get(), path).has_value()) << path;
  }
  const auto proc = disk_.open_root("/proc/self");
  for (const char* magic : {"cwd", "root", "fd/0", "task/../cwd"}) {
    EXPECT_FALSE(disk_.open_directory(proc.get(), magic).has_value()) << magic;
  }
}

TEST_F(DiskTest, OpensOnlyRegularFilesThatAreNoLinks) {
  ASSERT_TRUE(disk_.open_file(root_.get(), "file").has_value());
  ASSERT_TRUE(disk_.open_file(root_.get(), "dir/sub/file").has_value());
  for (const char* name : {"nothing", "link_to_file", "dir", "pipe", "link_to_dir/sub/file", "../x",
                           "/etc/hosts", "dir/link_up/file"}) {
    EXPECT_FALSE(disk_.open_file(root_.get(), name).has_value()) << name;
  }
  const auto devices = disk_.open_root("/dev");
  EXPECT_FALSE(disk_.open_file(devices.get(), "null").has_value());
}

TEST_F(DiskTest, ReadsAFileWithoutTouchingItsAccessTime) {
  const timespec old[2] = {{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 2000, .tv_nsec = 0}};
  ::utimensat(AT_FDCWD, (directory_ / "file").c_str(), old, 0);
  const auto file = disk_.open_file(root_.get(), "file").value();
  char byte = 0;
  EXPECT_EQ(1, ::read(file.get(), &byte, 1));
  struct stat found {};
  ::fstat(file.get(), &found);
  EXPECT_EQ(1000, found.st_atim.tv_sec);
}

TEST_F(DiskTest, TellsTheStatusOfALinkItself) {
  const auto link = disk_.status(root_.get(), "link_to_file").value();
  EXPECT_EQ(FileType::symlink, link.type);
  EXPECT_EQ(4U, link.size_bytes);
  EXPECT_EQ(FileType::directory, disk_.status(root_.get(), "dir")->type);
  EXPECT_EQ(FileType::fifo, disk_.status(root_.get(), "pipe")->type);
  const auto file = disk_.status(root_.get(), "dir/sub/file").value();
  EXPECT_EQ(FileType::regular, file.type);
  EXPECT_EQ(6U, file.size_bytes);
  EXPECT_EQ(1U, file.links);
  EXPECT_EQ(::geteuid(), file.uid);
}

TEST_F(DiskTest, TellsNoStatusBeyondALinkOrOutside) {
  for (const char* name : {"nothing", "file/x", "link_to_dir/sub", "link_out/hosts", "..",
                           "dir/link_up/file", "../x", "/etc/hosts", ""}) {
    EXPECT_FALSE(disk_.status(root_.get(), name).has_value()) << name;
  }
  EXPECT_EQ(FileType::symlink, disk_.status(root_.get(), "dir/link_up")->type);
}

TEST_F(DiskTest, TellsModeAndTimeWithAllTheirBits) {
  const auto file = disk_.create_file(root_.get(), "new", 0600);
  disk_.set_mode(file.get(), 06755);
  disk_.set_modified(file.get(), {.seconds = -5, .nanoseconds = 123456789});
  const auto status = disk_.status_of(file.get());
  EXPECT_EQ(06755U, status.mode);
  EXPECT_EQ((FileTime{.seconds = -5, .nanoseconds = 123456789}), status.modified);
  EXPECT_GT(status.changed, status.modified);
}

TEST_F(DiskTest, ListsNamesTwiceFromTheSameDescriptor) {
  std::vector<std::string> wanted{"dir", "file", "link_out", "link_to_dir", "link_to_file", "pipe"};
  for (int i = 0; i < 2; ++i) {
    auto names = disk_.list(root_.get());
    std::sort(names.begin(), names.end());
    EXPECT_EQ(wanted, names);
  }
}

TEST_F(DiskTest, WritesAndTruncatesAtAnyOffset) {
  const auto file = disk_.create_file(root_.get(), "new", 0600);
  disk_.write(file.get(), "world", 6);
  disk_.write(file.get(), "hello,", 0);
  EXPECT_EQ("hello,world", content_of(directory_ / "new"));
  disk_.truncate(file.get(), 5);
  EXPECT_EQ("hello", content_of(directory_ / "new"));
  disk_.truncate(file.get(), 7);
  EXPECT_EQ((std::string{"hello\0\0", 7}), content_of(directory_ / "new"));
}

TEST_F(DiskTest, NeverCreatesThroughALinkOrOverSomething) {
  for (const char* name : {"file", "dir", "link_to_file", "link_out"}) {
    EXPECT_EQ(EEXIST, error_number_of([&] { (void)disk_.create_file(root_.get(), name, 0600); }));
    EXPECT_EQ(EEXIST, error_number_of([&] { disk_.make_directory(root_.get(), name, 0700); }));
  }
}

TEST_F(DiskTest, ChangesOnlyWhatIsNamedByOneComponent) {
  for (const std::string name : {"", ".", "..", "dir/x", "link_to_dir/x", "/tmp/x", "dir/"}) {
    EXPECT_EQ(EINVAL, error_number_of([&] { (void)disk_.create_file(root_.get(), name, 0600); }));
    EXPECT_EQ(EINVAL, error_number_of([&] { disk_.make_directory(root_.get(), name, 0700); }));
    EXPECT_EQ(EINVAL, error_number_of([&] { disk_.remove_file(root_.get(), name); }));
    EXPECT_EQ(EINVAL, error_number_of([&] { disk_.remove_directory(root_.get(), name); }));
    EXPECT_EQ(EINVAL,
              error_number_of([&] { disk_.rename(root_.get(), "file", root_.get(), name); }));
    EXPECT_EQ(EINVAL, error_number_of([&] { disk_.rename(root_.get(), name, root_.get(), "x"); }));
  }
  EXPECT_EQ("content", content_of(directory_ / "file"));
}

TEST_F(DiskTest, RenamesOverAFileAndRemovesLinksThemselves) {
  const auto dir = disk_.open_directory(root_.get(), "dir").value();
  disk_.rename(root_.get(), "file", dir.get(), "link_up");
  EXPECT_EQ("content", content_of(directory_ / "dir/link_up"));
  disk_.remove_file(root_.get(), "link_to_dir");
  EXPECT_TRUE(exists(directory_ / "dir/sub/file"));
  EXPECT_EQ(ENOTEMPTY, error_number_of([&] { disk_.remove_directory(root_.get(), "dir"); }));
}

TEST_F(DiskTest, SaysWhatFailedWhereAndWhy) {
  try {
    disk_.remove_file(root_.get(), "evil\x1b[2J");
    FAIL();
  } catch (const DiskError& error) {
    EXPECT_STREQ("cannot remove evil\\x1b[2J", error.what());
    EXPECT_EQ("No such file or directory", error.detail());
  }
  const auto file = disk_.open_file(root_.get(), "file").value();  // only for reading
  try {
    disk_.write(file.get(), "x", 0);
    FAIL();
  } catch (const DiskError& error) {
    EXPECT_EQ("cannot write to " + directory_ / "file", error.what());
    EXPECT_EQ(EBADF, error.error_number());
  }
}

TEST_F(DiskTest, GivesHintsThatFitTheTrouble) {
  EXPECT_NE(std::string::npos, DiskError("x", ENOSPC).hint().find("space"));
  EXPECT_NE(std::string::npos, DiskError("x", EROFS).hint().find("read-write"));
  EXPECT_NE(std::string::npos, DiskError("x", EIO).hint().find("dmesg"));
  EXPECT_NE(std::string::npos, DiskError("x", EACCES).hint().find("root"));
}

TEST_F(DiskTest, ReadsWholeFilesUpToALimit) {
  EXPECT_EQ("content", read_file(directory_ / "file"));
  EXPECT_EQ("content", read_file(directory_ / "file", 7));
  EXPECT_THROW((void)read_file(directory_ / "file", 6), Error);
  EXPECT_EQ(std::nullopt, read_file(directory_ / "nothing"));
  EXPECT_EQ(std::nullopt, read_file(directory_ / "file/x"));
  EXPECT_EQ(EISDIR, error_number_of([&] { (void)read_file(directory_ / "dir"); }));
  EXPECT_EQ("", read_file(directory_ / "pipe")) << "does not wait for a writer";
}

TEST_F(DiskTest, ReadsLargeFilesByteForByte) {
  std::string large;
  for (int i = 0; large.size() < 300'000; ++i) large += std::to_string(i * 7919) + '\0';
  given_file(directory_ / "large", large);
  EXPECT_EQ(large, read_file(directory_ / "large"));
}

TEST_F(DiskTest, MakesAllMissingDirectoriesAndLeavesTheOthers) {
  ::chmod((directory_ / "dir").c_str(), 0750);
  make_directories(directory_ / "dir/a/b", 0700);
  EXPECT_EQ(0700U, mode_of(directory_ / "dir/a"));
  EXPECT_EQ(0700U, mode_of(directory_ / "dir/a/b"));
  EXPECT_EQ(0750U, mode_of(directory_ / "dir"));
  make_directories(directory_ / "dir/a/b", 0755);
  EXPECT_EQ(0700U, mode_of(directory_ / "dir/a/b"));
  make_directories("/", 0755);
  EXPECT_EQ(ENOTDIR, error_number_of([&] { make_directories(directory_ / "file/x", 0700); }));
}

TEST_F(DiskTest, RemovesContentWithoutFollowingAnything) {
  const auto dir = disk_.open_directory(root_.get(), "dir").value();
  given_file(directory_ / "dir/more/deep/file", "x");
  fs::create_symlink("..", directory_ / "dir/more/up");
  remove_content(disk_, dir.get());
  EXPECT_TRUE(disk_.list(dir.get()).empty());
  EXPECT_EQ("content", content_of(directory_ / "file"));
  EXPECT_TRUE(exists(directory_ / "dir"));
}

TEST_F(DiskTest, RemovesNothingOnAnotherFileSystem) {
  fs::create_directories(directory_ / "dir/mounted");
  ASSERT_EQ(0, ::mount("tmpfs", (directory_ / "dir/mounted").c_str(), "tmpfs", 0, "size=64k"))
      << "this test needs root";
  given_file(directory_ / "dir/mounted/precious", "x");
  const auto dir = disk_.open_directory(root_.get(), "dir").value();
  EXPECT_EQ(EXDEV, error_number_of([&] { remove_content(disk_, dir.get()); }));
  EXPECT_TRUE(exists(directory_ / "dir/mounted/precious"));
  ::umount2((directory_ / "dir/mounted").c_str(), MNT_DETACH);
}

TEST_F(DiskTest, ReplacesAFileWithModeAndOwner) {
  const passwd* nobody = ::getpwnam("nobody");
  ASSERT_NE(nullptr, nobody);
  const auto uid = nobody->pw_uid;
  replace_file(
      disk_, {.path = directory_ / "file", .content = "new", .mode = 0640, .owner = "nobody:root"});
  const auto status = disk_.status(root_.get(), "file").value();
  EXPECT_EQ("new", content_of(directory_ / "file"));
  EXPECT_EQ(0640U, status.mode);
  EXPECT_EQ(uid, status.uid);
  EXPECT_EQ(0U, status.gid);
  EXPECT_EQ(6U, disk_.list(root_.get()).size()) << "no temporary file is left";
}

TEST_F(DiskTest, ReplacesALinkInsteadOfFollowingIt) {
  replace_file(disk_, {.path = directory_ / "link_to_file", .content = "new"});
  EXPECT_EQ(FileType::regular, disk_.status(root_.get(), "link_to_file")->type);
  EXPECT_EQ("content", content_of(directory_ / "file"));
}

TEST_F(DiskTest, LeavesNothingBehindWhenAReplacementFails) {
  const auto before = disk_.list(root_.get()).size();
  EXPECT_THROW(replace_file(disk_, {.path = directory_ / "dir", .content = "x"}), DiskError);
  EXPECT_THROW(
      replace_file(disk_, {.path = directory_ / "file", .content = "x", .owner = "no-such-user"}),
      Error);
  EXPECT_THROW(
      replace_file(disk_,
                   {.path = directory_ / "file", .content = "x", .owner = "root:no-such-group"}),
      Error);
  for (const char* path : {"file", "", "relative/file", "/tmp/"}) {
    EXPECT_THROW(replace_file(disk_, {.path = path, .content = "x"}), Error) << path;
  }
  EXPECT_EQ(before, disk_.list(root_.get()).size());
  EXPECT_EQ("content", content_of(directory_ / "file"));
}

TEST(ReplaceFileTest, LeavesTheOldOrTheNewFileWhereverThePowerIsCut) {
  for (const bool is_new : {false, true}) {
    const test::CrashTest crash{
        .given =
            [&](const std::string& root) {
              if (!is_new) given_file(root + "/file", "old content");
            },
        .work =
            [](Disk& disk, const std::string& root) {
              replace_file(disk, {.path = root + "/file", .content = "new content", .mode = 0600});
            },
        .check =
            [&](const std::string& root, bool finished) {
              const auto content = exists(root + "/file") ? content_of(root + "/file") : "nothing";
              const auto old = is_new ? "nothing" : "old content";
              if (finished) {
                EXPECT_EQ("new content", content);
              } else {
                EXPECT_TRUE(content == old || content == "new content") << content;
              }
              if (content == "new content") EXPECT_EQ(0600U, mode_of(root + "/file"));
            }};
    EXPECT_GE(test::cut_power_everywhere(crash), 30U);
  }
}

}  // namespace hamn::base
