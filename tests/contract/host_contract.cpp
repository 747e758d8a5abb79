#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "tests/contract/host_kinds.h"
#include "tests/support/temporary_directory.h"

namespace hamn::test {

using base::Command;
using base::Milliseconds;
using base::Outcome;

/// What every Host does. The machine at the other end is this one, so that a test can look at what
/// became of a file or a process.
class HostContract : public testing::TestWithParam<HostKind> {
 protected:
  [[nodiscard]] bool is_remote() const { return GetParam() != HostKind::local; }

  static Command shell(const std::string& script) { return {.argv = {"/bin/sh", "-c", script}}; }
  Outcome run(const std::string& script) { return host_->run(shell(script)); }

  static bool is_alive(const std::string& pid_file) {
    const auto status = base::read_file("/proc/" + base::trim(content_of(pid_file)) + "/stat");
    return status && !status->empty() && status->find(") Z ") == std::string::npos;
  }

  static bool ends_soon(const std::string& pid_file) {
    for (int i = 0; i < 400 && is_alive(pid_file); ++i) ::usleep(5000);
    return !is_alive(pid_file);
  }

  static struct stat status_of(const std::string& path) {
    struct stat found {};
    EXPECT_EQ(0, ::lstat(path.c_str(), &found)) << path;
    return found;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<base::Host> host_ = make_host(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Hosts, HostContract,
                         testing::Values(HostKind::local, HostKind::openssh, HostKind::libssh2),
                         [](const auto& kind) { return to_text(kind.param); });

TEST_P(HostContract, HasTheNameOfTheConfiguration) {
  EXPECT_EQ("mn2", host_->name());
}

TEST_P(HostContract, AnswersBothOutputsAndTheExitCode) {
  const auto outcome = run("printf out; printf err >&2; exit 3");
  EXPECT_EQ(3, outcome.exit_code);
  EXPECT_EQ("out", outcome.output);
  EXPECT_EQ("err", outcome.error_output);
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_FALSE(outcome.truncated);
}

TEST_P(HostContract, AnswersEveryExitCode) {
  for (const int code : {0, 1, 2, 100, 126, 127, 128, 254, 255}) {
    const auto outcome = run("exit " + std::to_string(code));
    EXPECT_EQ(code, outcome.exit_code);
    EXPECT_EQ("", outcome.output);
    EXPECT_EQ("", outcome.error_output);
  }
}

TEST_P(HostContract, AnswersSignalsAsAShellDoes) {
  for (const int signal : {SIGTERM, SIGKILL, SIGSEGV, SIGHUP}) {
    EXPECT_EQ(128 + signal, run("kill -" + std::to_string(signal) + " $$").exit_code) << signal;
  }
}

TEST_P(HostContract, Answers127WithWordsForAMissingProgram) {
  const auto outcome = host_->run({.argv = {"no-such-program"}});
  EXPECT_EQ(127, outcome.exit_code);
  EXPECT_NE(std::string::npos, outcome.error_output.find("no-such-program"));
}

TEST_P(HostContract, RefusesAnEmptyCommand) {
  EXPECT_THROW((void)host_->run({.argv = {}}), base::Error);
  EXPECT_THROW((void)host_->open({.argv = {}}), base::Error);
}

TEST_P(HostContract, PassesEveryByteOfAnArgument) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::vector<std::string> words{all, "", "a b", "$HOME `x` \\", "-n", "~", "*", "'", "\n"};
  std::vector<std::string> argv{"printf", "%s|"};
  argv.insert(argv.end(), words.begin(), words.end());
  EXPECT_EQ(base::join(words, "|") + "|", host_->run({.argv = argv}).output);
}

TEST_P(HostContract, FeedsStandardInputAndEndsIt) {
  EXPECT_EQ("", host_->run({.argv = {"cat"}}).output);
  EXPECT_EQ("some\ninput", host_->run({.argv = {"cat"}, .input = "some\ninput"}).output);
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(all, host_->run({.argv = {"cat"}, .input = all}).output);
}

TEST_P(HostContract, FeedsInputThatIsLargerThanEveryBufferWhileItTakesOutput) {
  const auto input = noise(20U << 20U);
  const auto outcome =
      host_->run({.argv = {"cat"}, .input = input, .output_limit_bytes = 32ULL << 20U});
  EXPECT_EQ(base::sha256(input), base::sha256(outcome.output));
  EXPECT_TRUE(outcome.succeeded());
}

TEST_P(HostContract, FeedsACommandThatDoesNotWantIt) {
  auto command = shell("exit 4");
  command.input = noise(8U << 20U);
  command.time_limit = std::chrono::seconds{20};
  EXPECT_EQ(4, host_->run(command).exit_code);
}

TEST_P(HostContract, TakesLargeOutputOnBothStreamsAtOnce) {
  auto command = shell("head -c 20000000 /dev/zero & head -c 20000000 /dev/zero >&2; wait");
  command.output_limit_bytes = 32ULL << 20U;
  const auto outcome = host_->run(command);
  EXPECT_EQ(20'000'000U, outcome.output.size());
  EXPECT_EQ(20'000'000U, outcome.error_output.size());
  EXPECT_FALSE(outcome.truncated);
}

TEST_P(HostContract, DropsWhatIsBeyondTheLimitAndSaysSo) {
  auto command = shell("seq 1 100000; seq 1 100000 >&2; exit 6");
  command.output_limit_bytes = 1000;
  const auto outcome = host_->run(command);
  EXPECT_TRUE(outcome.truncated);
  EXPECT_EQ(1000U, outcome.output.size());
  EXPECT_EQ(1000U, outcome.error_output.size());
  EXPECT_TRUE(outcome.output.starts_with("1\n2\n3\n"));
  EXPECT_EQ(6, outcome.exit_code);
  command.output_limit_bytes = 588895 + 2;  // exactly what seq writes, and a little
  EXPECT_FALSE(host_->run(command).truncated);
  command = shell("printf 1234");
  command.output_limit_bytes = 4;
  EXPECT_FALSE(host_->run(command).truncated);
  command.output_limit_bytes = 3;
  EXPECT_TRUE(host_->run(command).truncated);
}

TEST_P(HostContract, SetsTheEnvironment) {
  auto command = shell("printf '%s|' \"$PLAIN\" \"$ODD\" \"$EMPTY\" \"$LC_ALL\"; cat");
  command.environment = {
      {"PLAIN", "value"}, {"ODD", " 'a' \"b\" $c \\d\te \x81\xff "}, {"EMPTY", ""}};
  command.input = "input";
  EXPECT_EQ("value| 'a' \"b\" $c \\d\te \x81\xff ||C|input", host_->run(command).output);
}

TEST_P(HostContract, ShowsNoValueOfTheEnvironmentInAnyProcessList) {
  const std::string secret = "S3CRET-" + base::random_digits(8);
  auto command = shell("ps -eo args");
  command.environment = {{"PASSWORD", secret}};
  const auto outcome = host_->run(command);
  EXPECT_GT(outcome.output.size(), 100U);
  EXPECT_EQ(std::string::npos, outcome.output.find(secret));
}

TEST_P(HostContract, RunsAsAnotherUserWithItsHome) {
  const passwd* nobody = ::getpwnam("nobody");
  ASSERT_NE(nullptr, nobody);
  const std::string home = nobody->pw_dir;
  auto command = shell("id -un; echo $HOME $USER $LOGNAME $EXTRA; printf %s \"$0\"; cat; exit 9");
  command.argv.emplace_back("it's 0");
  command.user = "nobody";
  command.environment = {{"EXTRA", "x y"}};
  command.input = "!";
  const auto outcome = host_->run(command);
  EXPECT_EQ("nobody\n" + home + " nobody nobody x y\nit's 0!", outcome.output)
      << outcome.error_output << " (this test needs root)";
  EXPECT_EQ(9, outcome.exit_code);
}

TEST_P(HostContract, KillsTheWholeGroupWhenTheTimeLimitPasses) {
  for (const std::string user : {"", "nobody"}) {
    ::chmod(directory_.path().c_str(), 0777);
    const auto child = directory_ / ("child" + user);
    const auto grandchild = directory_ / ("grandchild" + user);
    auto command =
        shell("echo $$ >" + child + "; sleep 60 & echo $! >" + grandchild + "; echo begun; wait");
    command.time_limit = Milliseconds{700};
    command.user = user;
    const auto start = std::chrono::steady_clock::now();
    const auto outcome = host_->run(command);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{8});
    EXPECT_TRUE(outcome.timed_out);
    EXPECT_FALSE(outcome.succeeded());
    EXPECT_EQ("begun\n", outcome.output);
    EXPECT_TRUE(ends_soon(child));
    EXPECT_TRUE(ends_soon(grandchild));
  }
  EXPECT_EQ("fine\n", run("echo fine").output) << "the host can be used on";
}

TEST_P(HostContract, DoesNotWaitForADaemonThatKeepsTheOutputOpen) {
  const auto daemon = directory_ / "daemon";
  const auto start = std::chrono::steady_clock::now();
  const auto outcome = run("setsid sleep 60 & echo $! >" + daemon + "; echo started; exit 2");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{8});
  EXPECT_EQ("started\n", outcome.output);
  EXPECT_EQ(2, outcome.exit_code);
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_TRUE(is_alive(daemon)) << "it is left alone";
  ::kill(static_cast<pid_t>(*base::parse_unsigned(base::trim(content_of(daemon)))), SIGKILL);
  EXPECT_EQ("fine\n", run("echo fine").output);
}

TEST_P(HostContract, RunsManyCommandsOneAfterAnother) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(std::to_string(i) + "\n", host_->run({.argv = {"echo", std::to_string(i)}}).output);
  }
}

TEST_P(HostContract, ReadsAFile) {
  std::string content = noise(3U << 20U);
  given_file(directory_ / "file with 'odd' name", content);
  EXPECT_EQ(content, host_->read(directory_ / "file with 'odd' name", content.size()));
  given_file(directory_ / "empty", "");
  EXPECT_EQ("", host_->read(directory_ / "empty", 0));
}

TEST_P(HostContract, FindsNothingWhereThereIsNoFile) {
  given_file(directory_ / "file", "x");
  EXPECT_EQ(std::nullopt, host_->read(directory_ / "nothing", 100));
  EXPECT_EQ(std::nullopt, host_->read(directory_ / "no/such/directory", 100));
  EXPECT_EQ(std::nullopt, host_->read(directory_ / "file/below", 100));
  std::filesystem::create_symlink("nowhere", directory_ / "dangling");
  EXPECT_EQ(std::nullopt, host_->read(directory_ / "dangling", 100));
}

TEST_P(HostContract, RefusesToReadWhatIsTooLargeOrNoFile) {
  given_file(directory_ / "file", "12345");
  EXPECT_EQ("12345", host_->read(directory_ / "file", 5));
  for (const std::uint64_t limit : {0U, 4U}) {
    try {
      (void)host_->read(directory_ / "file", limit);
      FAIL() << limit;
    } catch (const base::Error& error) {
      EXPECT_TRUE(error.detail().starts_with("it is larger than ")) << error.detail();
    }
  }
  EXPECT_THROW((void)host_->read(directory_.path(), 100), base::Error);
}

TEST_P(HostContract, WritesAFileWithModeAndOwner) {
  const auto path = directory_ / "new file's name";
  const auto content = noise(2U << 20U);
  host_->write({.path = path, .content = content, .mode = 0640, .owner = "nobody:root"});
  EXPECT_EQ(content, content_of(path));
  const auto status = status_of(path);
  EXPECT_EQ(0640U, status.st_mode & 07777U);
  EXPECT_EQ(::getpwnam("nobody")->pw_uid, status.st_uid);
  EXPECT_EQ(0U, status.st_gid);
  host_->write({.path = path, .content = "", .mode = 04755, .owner = "nobody"});
  EXPECT_EQ("", content_of(path));
  EXPECT_EQ(04755U, status_of(path).st_mode & 07777U);
  EXPECT_EQ(::getpwnam("nobody")->pw_gid, status_of(path).st_gid) << "the user's own group";
  host_->write({.path = path, .content = "x"});
  EXPECT_EQ(0644U, status_of(path).st_mode & 07777U);
  EXPECT_EQ(0U, status_of(path).st_uid);
}

TEST_P(HostContract, PutsANewFileInPlaceInsteadOfChangingTheOldOne) {
  const auto path = directory_ / "file";
  given_file(path, "old");
  std::filesystem::create_hard_link(path, directory_ / "second name");
  const auto before = status_of(path).st_ino;
  host_->write({.path = path, .content = "new"});
  EXPECT_EQ("new", content_of(path));
  EXPECT_EQ("old", content_of(directory_ / "second name"));
  EXPECT_NE(before, status_of(path).st_ino);
}

TEST_P(HostContract, ReplacesALinkInsteadOfFollowingIt) {
  given_file(directory_ / "target", "old");
  std::filesystem::create_symlink("target", directory_ / "link");
  host_->write({.path = directory_ / "link", .content = "new"});
  EXPECT_EQ("old", content_of(directory_ / "target"));
  EXPECT_EQ("new", content_of(directory_ / "link"));
  EXPECT_TRUE(S_ISREG(status_of(directory_ / "link").st_mode));
}

TEST_P(HostContract, LeavesNothingBehindWhenItCannotWrite) {
  std::filesystem::create_directory(directory_ / "dir");
  given_file(directory_ / "dir/file", "old");
  const std::vector<base::FileWrite> bad{
      {.path = directory_ / "dir/file", .content = "x", .owner = "no-such-user"},
      {.path = directory_ / "nothing/file", .content = "x"},
      {.path = directory_ / "dir", .content = "x"},
      {.path = "relative/file", .content = "x"},
      {.path = directory_ / "dir/", .content = "x"},
      {.path = "", .content = "x"}};
  for (const auto& file : bad) {
    try {
      host_->write(file);
      ADD_FAILURE() << file.path;
    } catch (const base::Error& error) {
      EXPECT_FALSE(error.hint().empty());
    }
  }
  EXPECT_EQ("old", content_of(directory_ / "dir/file"));
  const auto count = [](const std::string& path) {
    return std::distance(std::filesystem::directory_iterator{path}, {});
  };
  EXPECT_EQ(1, count(directory_ / "dir"));
  EXPECT_EQ(1, count(directory_.path()));
}

TEST_P(HostContract, OpensAProgramWithEnvironmentAndUser) {
  auto command = shell("read -r line; echo \"$line $NAME $(id -un)\"");
  command.environment = {{"NAME", "a 'b'"}};
  command.user = "nobody";
  const auto stream = host_->open(command);
  stream->write("hello\n", std::chrono::seconds{10});
  std::string text;
  std::array<char, 100> buffer{};
  for (std::size_t got = 1; got > 0;) {
    got = stream->read(buffer.data(), buffer.size(), std::chrono::seconds{10});
    text.append(buffer.data(), got);
  }
  EXPECT_EQ("hello a 'b' nobody\n", text);
  EXPECT_EQ(0, stream->finish(std::chrono::seconds{10}).exit_code);
}

TEST_P(HostContract, RunsCommandsWhileAProgramIsOpen) {
  const auto stream = host_->open({.argv = {"cat"}});
  stream->write("a", std::chrono::seconds{10});
  EXPECT_EQ("b\n", host_->run({.argv = {"echo", "b"}}).output);
  char byte = 0;
  EXPECT_EQ(1U, stream->read(&byte, 1, std::chrono::seconds{10}));
  EXPECT_EQ('a', byte);
}

}  // namespace hamn::test
