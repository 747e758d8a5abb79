#include "base/interrupt.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

#include "base/clock.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/local_host.h"
#include "base/stream.h"

namespace hamn::base {

namespace {

constexpr auto long_time = std::chrono::seconds{30};

/// A child with the handlers installed that says when it begins and then does `work`. Sends it
/// `signal` and answers its exit status: what `work` answered, or the Error's code.
int status_after(int signal, const std::function<int()>& work) {
  int begun[2];
  EXPECT_EQ(0, ::pipe(begun));
  const pid_t child = ::fork();
  if (child == 0) {
    install_signal_handlers();
    (void)!::write(begun[1], "x", 1);
    int code = 99;
    try {
      code = work();
    } catch (const Error& error) {
      code = static_cast<int>(error.code());
    }
    ::_exit(code);
  }
  char byte = 0;
  EXPECT_EQ(1, ::read(begun[0], &byte, 1));
  ::kill(child, signal);
  int status = 0;
  EXPECT_EQ(child, ::waitpid(child, &status, 0));
  ::close(begun[0]);
  ::close(begun[1]);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int wait_for_the_signal() {
  for (int i = 0; i < 3000 && !interrupted(); ++i) ::usleep(10'000);
  stop_if_interrupted();
  return 0;
}

}  // namespace

TEST(InterruptTest, DoesNothingUnlessASignalCame) {
  EXPECT_FALSE(interrupted());
  EXPECT_NO_THROW(stop_if_interrupted());
}

TEST(InterruptTest, StopsAtTheNextBoundaryAfterSigintOrSigterm) {
  for (const int signal : {SIGINT, SIGTERM}) {
    EXPECT_EQ(130, status_after(signal, wait_for_the_signal));
  }
}

TEST(InterruptTest, OutlivesALostTerminalAndAClosedPipe) {
  for (const int signal : {SIGHUP, SIGPIPE}) {
    EXPECT_EQ(7, status_after(signal, [] {
                ::usleep(20'000);
                return interrupted() ? 8 : 7;
              }));
  }
  EXPECT_EQ(7, status_after(SIGHUP, [] {
              int pipe_ends[2];
              (void)!::pipe(pipe_ends);
              ::close(pipe_ends[0]);
              return ::write(pipe_ends[1], "x", 1) < 0 && errno == EPIPE ? 7 : 8;
            }));
}

TEST(InterruptTest, EndsASleepEarly) {
  EXPECT_EQ(130, status_after(SIGTERM, [] {
              RealClock clock;
              const auto start = clock.steady();
              clock.sleep(long_time);
              if (clock.steady() - start > long_time / 2) return 8;
              stop_if_interrupted();
              return 9;
            }));
}

TEST(InterruptTest, EndsACommandThatRuns) {
  EXPECT_EQ(130, status_after(SIGTERM, [] {
              RealDisk disk;
              LocalHost host{"here", disk};
              (void)host.run({.argv = {"sleep", "30"}, .time_limit = long_time});
              return 9;
            }));
}

TEST(InterruptTest, EndsAReadThatWaits) {
  EXPECT_EQ(130, status_after(SIGTERM, [] {
              const auto [left, right] = make_stream_pair();
              char byte = 0;
              (void)left->read(&byte, 1, long_time);
              return 9;
            }));
}

}  // namespace hamn::base
