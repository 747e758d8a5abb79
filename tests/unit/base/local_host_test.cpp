#include "base/local_host.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "tests/support/temporary_directory.h"

namespace hamn::base {

using test::content_of;
using test::exists;
using test::given_file;

// What every host does is tested in tests/contract/host_contract.cpp; here is what only this
// machine can show.

class LocalHostTest : public testing::Test {
 protected:
  static Command shell(const std::string& script) { return {.argv = {"/bin/sh", "-c", script}}; }

  Outcome run(const std::string& script, Milliseconds limit = std::chrono::seconds{20}) {
    auto command = shell(script);
    command.time_limit = limit;
    return host_.run(command);
  }

  /// True if the process named in a file is alive. A zombie is not.
  static bool is_alive(const std::string& pid_file) {
    const auto status = read_file("/proc/" + trim(content_of(pid_file)) + "/stat").value_or("");
    return !status.empty() && status.find(") Z ") == std::string::npos;
  }

  static bool ends_soon(const std::string& pid_file) {
    for (int i = 0; i < 200 && is_alive(pid_file); ++i) ::usleep(5000);
    return !is_alive(pid_file);
  }

  static bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

  test::TemporaryDirectory directory_;
  RealDisk disk_;
  LocalHost host_{"here", disk_};
};

TEST_F(LocalHostTest, HasTheNameThatItWasGiven) {
  EXPECT_EQ("here", host_.name());
}

TEST_F(LocalHostTest, KillsTheWholeProcessGroupWhenTheTimeLimitPasses) {
  const auto child = directory_ / "child";
  const auto grandchild = directory_ / "grandchild";
  const auto start = std::chrono::steady_clock::now();
  const auto outcome = run(
      "echo $$ >" + child + "; (sleep 60 & echo $! >" + grandchild + "; wait) & echo begun; wait",
      Milliseconds{150});
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_FALSE(outcome.succeeded());
  EXPECT_EQ("begun\n", outcome.output) << "what came before is kept";
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{2});
  EXPECT_GE(outcome.elapsed, Milliseconds{150});
  EXPECT_TRUE(ends_soon(child));
  EXPECT_TRUE(ends_soon(grandchild));
  EXPECT_FALSE(has_children());
}

TEST_F(LocalHostTest, KillsAGroupThatIgnoresTheFirstRequest) {
  const auto child = directory_ / "child";
  const Fd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  const pid_t pid =
      start_process(shell("trap '' TERM; (trap '' TERM; sleep 60) & echo $! >" + child +
                          "; while :; do sleep 60; done"),
                    {.in = nothing.get(), .out = nothing.get(), .error = nothing.get()});
  for (int i = 0; i < 400 && (!exists(child) || content_of(child).empty()); ++i) ::usleep(5000);
  EXPECT_EQ(std::nullopt, poll_process(pid));
  EXPECT_EQ(128 + SIGKILL, kill_process_group(pid, Milliseconds{30}));
  EXPECT_TRUE(ends_soon(child));
  EXPECT_FALSE(has_children());
}

TEST_F(LocalHostTest, LosesNoRequestToEndThatComesWhileTheCommandIsStarted) {
  // With a handler of this program installed, a signal right after fork() met that handler.
  const auto old = ::signal(SIGTERM, [](int) {});
  const Fd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  for (int i = 0; i < 20; ++i) {
    const pid_t pid =
        start_process({.argv = {"sleep", "60"}},
                      {.in = nothing.get(), .out = nothing.get(), .error = nothing.get()});
    EXPECT_EQ(128 + SIGTERM, kill_process_group(pid, std::chrono::seconds{5}));
  }
  ::signal(SIGTERM, old);
}

TEST_F(LocalHostTest, KillsMembersThatOutliveTheirLeader) {
  const auto child = directory_ / "child";
  const Fd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  // The leader ends at SIGTERM, its child ignores it.
  const pid_t pid =
      start_process(shell("(trap '' TERM; echo $$; sleep 60) & echo $! >" + child + "; wait"),
                    {.in = nothing.get(), .out = nothing.get(), .error = nothing.get()});
  for (int i = 0; i < 400 && (!exists(child) || content_of(child).empty()); ++i) ::usleep(5000);
  EXPECT_EQ(128 + SIGTERM, kill_process_group(pid, std::chrono::seconds{5}));
  EXPECT_TRUE(ends_soon(child));
}

TEST_F(LocalHostTest, DoesNotWaitForADaemonThatKeepsTheOutputOpen) {
  const auto daemon = directory_ / "daemon";
  const auto start = std::chrono::steady_clock::now();
  const auto outcome = run("setsid sleep 60 & echo $! >" + daemon + "; echo started");
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ("started\n", outcome.output);
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_LT(took, std::chrono::seconds{2});
  EXPECT_TRUE(is_alive(daemon)) << "it is left alone";
  ::kill(static_cast<pid_t>(*parse_unsigned(trim(content_of(daemon)))), SIGKILL);
}

TEST_F(LocalHostTest, CollectsWhatACommandWritesAfterItsParentEnded) {
  EXPECT_EQ("one\ntwo\n", run("(sleep 0.03; echo two) & echo one").output);
}

TEST_F(LocalHostTest, TreatsACommandAsOverWhenItsOutputSaysSo) {
  const auto start = std::chrono::steady_clock::now();
  const auto outcome = run_process(shell("echo over; sleep 60"),
                                   [](const Outcome& so_far) { return so_far.output == "over\n"; });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{3});
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_EQ("over\n", outcome.output);
  EXPECT_FALSE(has_children());
}

TEST_F(LocalHostTest, RunsACommandAsAnotherUserWithThatUsersEnvironmentAndGroups) {
  const passwd* nobody = ::getpwnam("nobody");
  ASSERT_NE(nullptr, nobody);
  const auto uid = std::to_string(nobody->pw_uid);
  const auto gid = std::to_string(nobody->pw_gid);
  const std::string home = nobody->pw_dir;
  auto command = shell("id -u; id -ru; id -g; id -G; echo $HOME $USER $LOGNAME; cat");
  command.user = "nobody";
  command.input = "input too";
  const auto outcome = host_.run(command);
  EXPECT_EQ(uid + "\n" + uid + "\n" + gid + "\n" + gid + "\n" + home + " nobody nobody\ninput too",
            outcome.output)
      << "this test needs root";
  command = shell("id -u");
  command.user = "root";
  EXPECT_EQ("0\n", host_.run(command).output);
}

TEST_F(LocalHostTest, RefusesAUserWhoDoesNotExist) {
  auto command = shell("true");
  command.user = "no-such-user";
  EXPECT_THROW((void)host_.run(command), Error);
  EXPECT_THROW((void)host_.open(command), Error);
}

TEST_F(LocalHostTest, SaysWhyAProgramCannotBeRun) {
  const auto missing = host_.run({.argv = {"no-such-program", "x"}});
  EXPECT_EQ(127, missing.exit_code);
  EXPECT_EQ("cannot run no-such-program: no such program\n", missing.error_output);
  given_file(directory_ / "data", "x");
  const auto data = host_.run({.argv = {directory_ / "data"}});
  EXPECT_EQ(127, data.exit_code);
  EXPECT_EQ("cannot run " + directory_ / "data" + ": not executable\n", data.error_output);
  EXPECT_THROW((void)host_.run({.argv = {}}), Error);
}

TEST_F(LocalHostTest, LooksForProgramsInThePathOfTheCommand) {
  given_file(directory_ / "bin/my-tool", "#!/bin/sh\necho mine\n");
  std::filesystem::permissions(directory_ / "bin/my-tool", std::filesystem::perms{0755});
  EXPECT_EQ(
      "mine\n",
      host_.run({.argv = {"my-tool"}, .environment = {{"PATH", directory_ / "bin:/usr/bin:/bin"}}})
          .output);
  EXPECT_EQ(127, host_.run({.argv = {"my-tool"}}).exit_code);
}

TEST_F(LocalHostTest, GivesCommandsAPlainEnvironment) {
  ::setenv("LANG", "de_DE.UTF-8", 1);
  ::setenv("HAMN_TEST_INHERITED", "yes", 1);
  const auto outcome =
      host_.run({.argv = {"/bin/sh", "-c", "echo $LC_ALL-$LANG-$HAMN_TEST_INHERITED-$OWN"},
                 .environment = {{"OWN", "a b"}}});
  ::unsetenv("LANG");
  ::unsetenv("HAMN_TEST_INHERITED");
  EXPECT_EQ("C--yes-a b\n", outcome.output);
}

TEST_F(LocalHostTest, LeaksNoDescriptorIntoACommand) {
  const Fd leaky{::open("/dev/null", O_RDONLY)};  // NOLINT: without O_CLOEXEC on purpose
  const Fd high{::fcntl(leaky.get(), F_DUPFD, 700)};
  auto stream = host_.open({.argv = {"cat"}});
  const auto outcome = run("ls /proc/self/fd");
  EXPECT_EQ("0\n1\n2\n3\n", outcome.output) << "3 is the directory that ls reads";
}

TEST_F(LocalHostTest, LeaksNoDescriptorHere) {
  const auto open_descriptors = [] {
    return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {});
  };
  const auto before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    (void)run("echo x; echo y >&2");
    (void)host_.run({.argv = {"no-such-program"}, .input = "x"});
    (void)host_.open({.argv = {"cat"}})->finish(std::chrono::seconds{5});
    EXPECT_THROW((void)host_.run({.argv = {"true"}, .user = "no-such-user"}), Error);
  }
  EXPECT_EQ(before, open_descriptors());
}

TEST_F(LocalHostTest, LeavesNoZombieBehind) {
  (void)run("exit 3");
  (void)run("kill -9 $$");
  (void)run("sleep 60", Milliseconds{20});
  (void)host_.run({.argv = {"no-such-program"}});
  { const auto stream = host_.open({.argv = {"sleep", "60"}}); }
  (void)host_.open({.argv = {"cat"}})->finish(std::chrono::seconds{5});
  EXPECT_FALSE(has_children());
}

TEST_F(LocalHostTest, GivesCommandsDefaultSignalsAndNoMask) {
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigaddset(&blocked, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  const auto old_pipe = ::signal(SIGPIPE, SIG_IGN);
  const auto old_hangup = ::signal(SIGHUP, SIG_IGN);
  const auto outcome = run("sed -n 's/^Sig\\(Blk\\|Ign\\):\\t//p' /proc/self/status");
  ::signal(SIGHUP, old_hangup);
  ::signal(SIGPIPE, old_pipe);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  const auto masks = words_of(outcome.output);
  ASSERT_EQ(2U, masks.size());
  // Signals 32 and 33 belong to the threading library: whoever started the tests decides on them.
  constexpr std::uint64_t threading = 0b11ULL << 31;
  for (const auto& mask : masks) EXPECT_EQ(0U, std::stoull(mask, nullptr, 16) & ~threading) << mask;
}

TEST_F(LocalHostTest, PutsCommandsIntoAGroupOfTheirOwn) {
  const auto outcome = run("ps -o pgid= -p $$; echo $$");
  const auto words = words_of(outcome.output);
  ASSERT_EQ(2U, words.size());
  EXPECT_EQ(words[0], words[1]);
  EXPECT_NE(words[0], std::to_string(::getpgrp()));
}

TEST_F(LocalHostTest, FeedsACommandThatReadsNothing) {
  auto command = shell("exit 4");
  command.input = std::string(5'000'000, 'x');
  EXPECT_EQ(4, host_.run(command).exit_code);
}

TEST_F(LocalHostTest, KeepsTheEndOfAStreamsErrorOutput) {
  const auto stream = host_.open(shell("seq 1 20000 >&2; echo the end >&2; exit 5"));
  const auto ending = stream->finish(std::chrono::seconds{20});
  EXPECT_EQ(5, ending.exit_code);
  EXPECT_TRUE(ending.error_output.ends_with("20000\nthe end\n"));
  EXPECT_EQ(16384U, ending.error_output.size());
}

TEST_F(LocalHostTest, TellsTheSameEndingTwice) {
  const auto stream = host_.open(shell("echo no >&2; exit 5"));
  for (int i = 0; i < 2; ++i) {
    const auto ending = stream->finish(std::chrono::seconds{20});
    EXPECT_EQ(5, ending.exit_code);
    EXPECT_EQ("no\n", ending.error_output);
  }
}

TEST_F(LocalHostTest, KillsAStreamsProgramThatDoesNotEnd) {
  const auto stream = host_.open({.argv = {"sleep", "60"}});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(128 + SIGTERM, stream->finish(Milliseconds{50}).exit_code);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{2});
  EXPECT_FALSE(has_children());
}

TEST_F(LocalHostTest, KillsAStreamsProgramThatNeverStopsWriting) {
  const auto stream = host_.open({.argv = {"yes"}});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_NE(0, stream->finish(Milliseconds{50}).exit_code);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{4});
}

TEST_F(LocalHostTest, WritesThroughItsDisk) {
  host_.write({.path = directory_ / "file", .content = "x", .mode = 0640});
  EXPECT_EQ("x", host_.read(directory_ / "file", 10));
  EXPECT_EQ(std::filesystem::perms{0640},
            std::filesystem::status(directory_ / "file").permissions());
}

}  // namespace hamn::base
