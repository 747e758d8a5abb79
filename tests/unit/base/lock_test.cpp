#include "base/lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>

#include "base/disk.h"
#include "base/error.h"
#include "base/local_host.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"

namespace hamn::base {

using test::FakeClock;
using test::TemporaryDirectory;

namespace {

/// A process that holds the lock until it is told to end.
class Holder {
 public:
  explicit Holder(const std::string& path) {
    int ready[2];
    EXPECT_EQ(0, ::pipe(ready));
    pid_ = ::fork();
    if (pid_ == 0) {
      const FakeClock clock;
      const Lock lock{path, "hamn failover", clock};
      (void)!::write(ready[1], "x", 1);
      for (;;) ::pause();
    }
    char byte = 0;
    EXPECT_EQ(1, ::read(ready[0], &byte, 1));
    ::close(ready[0]);
    ::close(ready[1]);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { end(); }

  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

}  // namespace

class LockTest : public testing::Test {
 protected:
  LockTest() {
    ::unsetenv("SUDO_USER");
    ::setenv("LOGNAME", "operator", 1);
  }

  std::optional<ErrorText> refusal() {
    try {
      const Lock lock{path_, "hamn sync", clock_};
    } catch (const Error& error) {
      return error.text();
    }
    return std::nullopt;
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_ / "run/hamn/lock";
  FakeClock clock_;
};

TEST_F(LockTest, NamesItsHolderToWhoeverComesSecond) {
  const Holder holder{path_};
  const auto error = refusal();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(Exit::locked, error->code);
  EXPECT_EQ("another run is under way", error->what);
  EXPECT_EQ("hamn failover, process " + std::to_string(holder.pid()) +
                ", started by operator at 2026-11-21T03:04:05.678Z",
            error->detail);
}

TEST_F(LockTest, EndsWithItsProcessHoweverThatEnds) {
  Holder holder{path_};
  EXPECT_TRUE(refusal().has_value());
  holder.end();
  EXPECT_FALSE(refusal().has_value());
}

TEST_F(LockTest, EndsWithItsObject) {
  {
    const Lock lock{path_, "hamn sync", clock_};
    EXPECT_TRUE(refusal().has_value()) << "also within one process";
  }
  EXPECT_FALSE(refusal().has_value());
}

TEST_F(LockTest, IsNotKeptByACommandThatItsHolderStarted) {
  RealDisk disk;
  LocalHost host{"here", disk};
  std::unique_ptr<Stream> stream;
  {
    const Lock lock{path_, "hamn sync", clock_};
    stream = host.open({.argv = {"cat"}});
    stream->write("x", Milliseconds{1000});
    char byte = 0;
    EXPECT_EQ(1U, stream->read(&byte, 1, Milliseconds{5000}));  // it runs
  }
  EXPECT_FALSE(refusal().has_value());
}

TEST_F(LockTest, WritesTheNextHolderOverTheLast) {
  { const Lock lock{path_, "a purpose with a rather long name", clock_}; }
  { const Lock lock{path_, "b", clock_}; }
  const auto text = test::content_of(path_);
  EXPECT_TRUE(text.starts_with("b, process ")) << text;
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST_F(LockTest, NamesTheUserBehindSudo) {
  ::setenv("SUDO_USER", "alice", 1);
  { const Lock lock{path_, "b", clock_}; }
  ::unsetenv("SUDO_USER");
  EXPECT_NE(std::string::npos, test::content_of(path_).find("started by alice at"));
}

TEST_F(LockTest, EscapesWhatAHolderWroteIntoIt) {
  const Lock lock{path_, "evil\x1b[2J", clock_};
  EXPECT_NE(std::string::npos, refusal()->detail.find("evil\\x1b[2J"));
}

}  // namespace hamn::base
