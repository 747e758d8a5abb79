#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/error.h"
#include "base/libssh2_host.h"
#include "base/text.h"
#include "tests/contract/host_kinds.h"

namespace hamn::test {

using base::Milliseconds;

namespace {

constexpr Milliseconds patient{20'000};

/// The Error that a verb ends with; without a "what" if there is none.
base::Error error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const base::Error& error) {
    EXPECT_FALSE(error.hint().empty()) << error.what();
    return error;
  }
  return base::Error{{.what = "", .detail = "", .hint = ""}};
}

}  // namespace

/// How both ssh transports meet a server that is not as it should be.
class LoginContract : public testing::TestWithParam<HostKind> {
 protected:
  /// The errors of running a command and of opening one.
  std::vector<base::Error> errors_with(const base::SshSettings& settings) {
    const auto host = make_host(GetParam(), settings);
    return {error_of([&] { (void)host->run({.argv = {"true"}}); }), error_of([&] {
              const auto stream = host->open({.argv = {"true"}});
              char byte = 0;
              (void)stream->read(&byte, 1, patient);
            })};
  }
};

INSTANTIATE_TEST_SUITE_P(Hosts, LoginContract,
                         testing::Values(HostKind::openssh, HostKind::libssh2),
                         [](const auto& kind) { return to_text(kind.param); });

TEST_P(LoginContract, RefusesAHostWhoseKeyIsNotPinned) {
  for (const auto& error : errors_with(shared_server().settings_with_unknown_host())) {
    EXPECT_STREQ("cannot trust mn2", error.what());
    EXPECT_NE(std::string::npos, error.hint().find("hamn init --pin mn2")) << error.hint();
  }
}

TEST_P(LoginContract, RefusesAHostThatShowsAnotherKeyThanThePinnedOne) {
  for (const auto& error : errors_with(shared_server().settings_with_changed_host())) {
    EXPECT_EQ(base::Exit::refused, error.code());
    EXPECT_STREQ("refusing to talk to mn2", error.what());
    EXPECT_NE(std::string::npos, error.hint().find("hamn init --pin mn2")) << error.hint();
  }
}

TEST_P(LoginContract, SaysThatItCannotLogInWithAKeyThatNobodyKnows) {
  for (const auto& error : errors_with(shared_server().settings_with_wrong_key())) {
    const auto text = base::to_lines(error);
    EXPECT_TRUE(text.find("cannot log in to mn2") != std::string::npos ||
                text.find("Permission denied") != std::string::npos)
        << text;
  }
}

TEST_P(LoginContract, SaysThatThereIsNoKeyFile) {
  auto settings = shared_server().settings();
  settings.key_file = "/nowhere/key";
  for (const auto& error : errors_with(settings)) EXPECT_STRNE("", error.what());
}

TEST_P(LoginContract, SaysThatNobodyListens) {
  auto settings = shared_server().settings();
  settings.port = free_port();
  // The host key is asked for by port; without a pinned one libssh2 would not even connect.
  settings.known_hosts += ".free";
  given_file(settings.known_hosts,
             base::join({"[127.0.0.1]:" + std::to_string(settings.port),
                         base::words_of(content_of(shared_server().settings().known_hosts)).at(1),
                         base::words_of(content_of(shared_server().settings().known_hosts)).at(2)},
                        " ") +
                 "\n");
  for (const auto& error : errors_with(settings)) {
    EXPECT_STREQ("cannot reach mn2 by ssh", error.what());
    EXPECT_NE(std::string::npos, error.detail().find("Connection refused")) << error.detail();
    EXPECT_NE(std::string::npos, error.hint().find("ssh -p " + std::to_string(settings.port)));
  }
}

TEST_P(LoginContract, GivesUpAServerThatNeverSaysAWord) {
  const SilentServer silent;
  auto settings = shared_server().settings();
  settings.port = silent.port();
  settings.connect_limit = std::chrono::seconds{1};
  settings.known_hosts += ".silent";
  const auto words = base::words_of(content_of(shared_server().settings().known_hosts));
  given_file(settings.known_hosts, "[127.0.0.1]:" + std::to_string(silent.port()) + " " +
                                       words.at(1) + " " + words.at(2) + "\n");
  const auto start = std::chrono::steady_clock::now();
  for (const auto& error : errors_with(settings)) EXPECT_STRNE("", error.what());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{6});
}

TEST_P(LoginContract, KnowsAHostByItsNameInTheConfigurationOrByAHashedEntry) {
  auto settings = shared_server().settings();
  const auto words = base::words_of(content_of(settings.known_hosts));
  settings.known_hosts += ".hashed";
  given_file(settings.known_hosts, content_of(shared_server().settings().known_hosts));
  base::RealDisk disk;
  EXPECT_EQ(0, make_host(HostKind::local)
                   ->run({.argv = {"ssh-keygen", "-q", "-H", "-f", settings.known_hosts}})
                   .exit_code);
  EXPECT_TRUE(content_of(settings.known_hosts).starts_with("|1|"));
  EXPECT_EQ("x\n", make_host(GetParam(), settings)->run({.argv = {"echo", "x"}}).output);
}

TEST_P(LoginContract, LogsInWithAKeyOfTheAgentWhereNoFileIsNamed) {
  const TemporaryDirectory directory;
  const auto socket = directory / "agent";
  auto settings = shared_server().settings();
  const auto local = make_host(HostKind::local);
  const auto agent = local->open({.argv = {"ssh-agent", "-D", "-a", socket}});
  for (int i = 0; i < 400 && !exists(socket); ++i) ::usleep(5000);
  ASSERT_TRUE(local
                  ->run({.argv = {"ssh-add", settings.key_file},
                         .environment = {{"SSH_AUTH_SOCK", socket}}})
                  .succeeded());
  settings.key_file = "";
  ::setenv("SSH_AUTH_SOCK", socket.c_str(), 1);
  EXPECT_EQ("x\n", make_host(GetParam(), settings)->run({.argv = {"echo", "x"}}).output);
  ::setenv("SSH_AUTH_SOCK", "/nowhere/agent", 1);
  EXPECT_STRNE(
      "", error_of([&] { (void)make_host(GetParam(), settings)->run({.argv = {"true"}}); }).what());
  ::unsetenv("SSH_AUTH_SOCK");
}

TEST_P(LoginContract, NeverTakesALostConnectionForAnAnswer) {
  const auto host = make_host(GetParam(), shared_server().settings());
  // The command kills the sshd that serves it: its parent's parent, the shell's parent.
  const auto start = std::chrono::steady_clock::now();
  const auto error = error_of([&] {
    (void)host->run({.argv = {"/bin/sh", "-c", "kill -9 $(ps -o ppid= -p $PPID); sleep 5"}});
  });
  EXPECT_STRNE("", error.what());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{4});
  EXPECT_EQ("x\n", host->run({.argv = {"echo", "x"}}).output) << "connects anew";
}

TEST_P(LoginContract, ConnectsAnewWhenTheServerEndedAnIdleConnection) {
  const auto host = make_host(GetParam(), shared_server().settings());
  const auto server_of_this = host->run({.argv = {"/bin/sh", "-c", "ps -o ppid= -p $PPID"}}).output;
  ::kill(static_cast<pid_t>(*base::parse_unsigned(base::trim(server_of_this))), SIGKILL);
  ::usleep(20'000);
  EXPECT_EQ("x\n", host->run({.argv = {"echo", "x"}}).output);
}

TEST_P(LoginContract, IgnoresWhatALoginScriptSays) {
  SshServer server{{"ForceCommand echo Welcome; sh -c \"$SSH_ORIGINAL_COMMAND\""}};
  const auto host = make_host(GetParam(), server.settings());
  const auto outcome = host->run({.argv = {"/bin/sh", "-c", "echo out; echo err >&2; exit 4"}});
  EXPECT_EQ("out\n", outcome.output);
  EXPECT_EQ("err\n", outcome.error_output);
  EXPECT_EQ(4, outcome.exit_code);
}

TEST(TransportTest, Libssh2CannotUseAnRsaKeyAndAutoFallsBackToOpenssh) {
  SshServer server;
  const auto settings = server.settings_with_rsa_key();
  EXPECT_THROW((void)make_host(HostKind::libssh2, settings)->run({.argv = {"true"}}),
               base::UnsupportedBySsh);
  EXPECT_THROW((void)make_host(HostKind::libssh2, settings)->open({.argv = {"true"}}),
               base::UnsupportedBySsh);
  const auto host = base::make_ssh_host(settings, "auto");
  EXPECT_EQ("mn2", host->name());
  EXPECT_EQ("x\n", host->run({.argv = {"echo", "x"}}).output);
  const auto stream = host->open({.argv = {"echo", "y"}});
  char byte = 0;
  EXPECT_EQ(1U, stream->read(&byte, 1, patient));
  EXPECT_EQ('y', byte);
}

TEST(TransportTest, AutoUsesLibssh2WhereItCan) {
  const auto host = base::make_ssh_host(shared_server().settings(), "auto");
  const auto one = host->run({.argv = {"/bin/sh", "-c", "ps -o ppid= -p $PPID"}}).output;
  const auto two = host->run({.argv = {"/bin/sh", "-c", "ps -o ppid= -p $PPID"}}).output;
  EXPECT_EQ(one, two) << "one connection for both";
}

TEST(TransportTest, AutoDoesNotAskAnotherTransportToTrustAStranger) {
  for (const auto& settings : {shared_server().settings_with_changed_host(),
                               shared_server().settings_with_unknown_host()}) {
    const auto host = base::make_ssh_host(settings, "auto");
    EXPECT_THROW((void)host->run({.argv = {"true"}}), base::Error);
  }
}

}  // namespace hamn::test
