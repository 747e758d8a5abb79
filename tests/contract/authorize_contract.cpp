#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/local_host.h"
#include "base/text.h"
#include "tests/contract/host_kinds.h"

namespace hamn::test {

/// A key that `hamn sync authorize` has let in, at a real sshd, over both transports.
class AuthorizeContract : public testing::TestWithParam<HostKind> {
 protected:
  AuthorizeContract() : settings_(server_.settings()) {
    keys_ = settings_.key_file.substr(0, settings_.key_file.rfind('/')) + "/authorized_keys";
    given_file(keys_, "# kept\n");
    given_file(directory_ / "hamn.toml",
               "[host.mn1]\naddress = \"10.77.0.11\"\n[host.mn2]\naddress = \"10.77.0.12\"\n"
               "[service]\naddress = \"10.77.0.11/16\"\nhostname = \"mn1\"\n[ssh]\nprogram = \"" +
                   std::string{HAMN_PROGRAM} + "\"\n[paths]\nstate = \"" + (directory_ / "state") +
                   "\"\nrun = \"" + (directory_ / "run") + "\"\n");
    EXPECT_EQ(hamn({"init", "--role", "standby", "--name", "mn2"}).exit_code, 0);
  }

  base::Outcome hamn(std::vector<std::string> words) {
    words.insert(words.begin(), {HAMN_PROGRAM, "--config", directory_ / "hamn.toml"});
    base::LocalHost local{"mn2", disk_};
    return local.run({.argv = words});
  }

  base::Outcome authorize(std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"sync", "authorize", "--key", settings_.key_file + ".pub",
                                 "--authorized-keys", keys_});
    return hamn(words);
  }

  std::vector<std::string> remote(const std::vector<std::string>& words) {
    std::vector<std::string> argv{HAMN_PROGRAM, "--config", directory_ / "hamn.toml"};
    argv.insert(argv.end(), words.begin(), words.end());
    return argv;
  }

  TemporaryDirectory directory_;
  base::RealDisk disk_;
  SshServer server_;
  base::SshSettings settings_;
  std::string keys_;
};

INSTANTIATE_TEST_SUITE_P(Hosts, AuthorizeContract,
                         testing::Values(HostKind::openssh, HostKind::libssh2),
                         [](const auto& kind) { return to_text(kind.param); });

TEST_P(AuthorizeContract, TheKeyMayRunWhatHamnAsksOfAStandby) {
  ASSERT_EQ(authorize().exit_code, 0);
  const auto host = make_host(GetParam(), settings_);
  const auto points = host->run({.argv = remote({"db", "points", "--json"})});
  EXPECT_EQ(points.exit_code, 0) << points.error_output;
  EXPECT_NE(points.output.find("\"points\""), std::string::npos) << points.output;
  const auto nothing = host->run({.argv = remote({"db", "accept"})});
  EXPECT_NE(nothing.error_output.find("hint:"), std::string::npos) << nothing.error_output;
  auto stream = host->open({.argv = remote({"receive"})});
  stream->close_write();
  EXPECT_EQ(stream->finish(std::chrono::seconds{20}).exit_code, 0);
}

TEST_P(AuthorizeContract, TheKeyMayRunNothingElse) {
  ASSERT_EQ(authorize().exit_code, 0);
  const auto host = make_host(GetParam(), settings_);
  for (const auto& argv : std::vector<std::vector<std::string>>{{"id"},
                                                                {"sh", "-c", "id"},
                                                                remote({"failover", "--yes=mn1"}),
                                                                remote({"receive", "--forced"}),
                                                                {HAMN_PROGRAM, "receive"}}) {
    const auto outcome = host->run({.argv = argv});
    EXPECT_EQ(outcome.exit_code, 5) << base::join(argv, " ");
    EXPECT_NE(outcome.error_output.find("refuses this command"), std::string::npos)
        << outcome.error_output;
  }
}

TEST_P(AuthorizeContract, WritesOnceAndKeepsTheRest) {
  ASSERT_EQ(authorize({"--plan"}).exit_code, 0);
  EXPECT_EQ(content_of(keys_), "# kept\n");
  ::chmod(keys_.c_str(), 0640);
  ASSERT_EQ(authorize().exit_code, 0);
  const auto first = content_of(keys_);
  EXPECT_TRUE(first.starts_with("# kept\nrestrict,command=")) << first;
  struct stat status {};
  ASSERT_EQ(::stat(keys_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
  EXPECT_NE(authorize().output.find("Nothing to do"), std::string::npos);
  EXPECT_EQ(content_of(keys_), first);
}

TEST_P(AuthorizeContract, RefusesToTakeRightsAwayUnasked) {
  const auto open = content_of(settings_.key_file + ".pub");
  given_file(keys_, open);
  EXPECT_EQ(authorize().exit_code, 5);
  EXPECT_EQ(content_of(keys_), open);
  EXPECT_EQ(authorize({"--replace"}).exit_code, 0);
  EXPECT_TRUE(content_of(keys_).starts_with("restrict,command="));
}

}  // namespace hamn::test
