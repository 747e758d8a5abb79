#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>

#include "base/disk.h"
#include "tests/support/temporary_directory.h"

namespace hamn::base {

namespace fs = std::filesystem;
using test::given_file;
using test::TemporaryDirectory;

namespace {

/// From here on openat2(2) answers `error`, as on an old kernel or in a strict container.
bool take_openat2_away(int error) {
  std::array<sock_filter, 4> code{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
  const sock_fprog program{.len = code.size(), .filter = code.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// What is wrong with looking below `path`; "" if all is as it should be.
std::string trouble_below(const std::string& path) {
  RealDisk disk;
  const auto root = disk.open_root(path);
  for (const char* good : {"dir", "dir/sub", "dir/./sub", "", ".", "dir/"}) {
    if (!disk.open_directory(root.get(), good)) return std::string{"cannot open "} + good;
  }
  for (const char* bad : {"nothing", "file", "link_to_dir", "link_to_dir/sub", "link_out",
                          "dir/link_up", "dir/link_up/dir", "..", "dir/../..", "/", "/etc"}) {
    if (disk.open_directory(root.get(), bad)) return std::string{"opened "} + bad;
  }
  for (const char* good : {"file", "dir/sub/file"}) {
    if (!disk.open_file(root.get(), good)) return std::string{"cannot open file "} + good;
    if (!disk.status(root.get(), good)) return std::string{"no status of "} + good;
  }
  for (const char* bad :
       {"link_to_file", "pipe", "link_to_dir/sub/file", "dir/link_up/file", "/etc/hosts", "../x"}) {
    if (disk.open_file(root.get(), bad)) return std::string{"opened file "} + bad;
  }
  if (disk.status(root.get(), "link_to_dir/sub")) return "status beyond a link";
  const auto link = disk.status(root.get(), "dir/link_up");
  return link && link->type == FileType::symlink ? "" : "no status of a link below a directory";
}

}  // namespace

TEST(DiskFallbackTest, KeepsBelowADirectoryWithoutOpenat2) {
  const TemporaryDirectory directory;
  given_file(directory / "dir/sub/file", "in sub");
  given_file(directory / "file", "content");
  fs::create_symlink("dir", directory / "link_to_dir");
  fs::create_symlink("file", directory / "link_to_file");
  fs::create_symlink("/etc", directory / "link_out");
  fs::create_symlink("..", directory / "dir/link_up");
  ::mkfifo((directory / "pipe").c_str(), 0600);
  EXPECT_EQ("", trouble_below(directory.path())) << "with openat2";
  for (const int error : {ENOSYS, EPERM}) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::string trouble = "no seccomp";
      if (take_openat2_away(error)) trouble = trouble_below(directory.path());
      given_file(directory / "trouble", trouble);
      ::_exit(trouble.empty() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_EQ(0, status) << test::content_of(directory / "trouble");
  }
}

}  // namespace hamn::base
