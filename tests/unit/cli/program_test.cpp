#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/disk.h"
#include "base/local_host.h"
#include "base/role.h"
#include "base/text.h"
#include "tests/support/temporary_directory.h"

namespace hamn::cli {
namespace {

using Words = std::vector<std::string>;
using nlohmann::json;

/// The built program, run with a configuration in a directory of its own.
class ProgramTest : public testing::Test {
 protected:
  void SetUp() override { given_config(hosts + service); }

  void given_config(const std::string& text) {
    test::given_file(config_, text + "[paths]\nstate = \"" + (directory_ / "state") +
                                  "\"\nrun = \"" + (directory_ / "run") + "\"\n");
  }

  void given_role(const std::string& host, base::RoleName name) {
    const base::Role role{.host = host, .name = name, .epoch = 3, .since = {}, .run = "setup"};
    test::given_file(directory_ / "state/role.json", base::format_role(role));
  }

  base::Outcome hamn(const Words& words) {
    base::RealDisk disk;
    base::LocalHost host{"here", disk};
    base::Command command{.argv = {HAMN_PROGRAM}};
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    return host.run(command);
  }

  /// With the configuration of this test.
  base::Outcome hamn_here(Words words) {
    words.insert(words.begin(), {"--config", config_});
    return hamn(words);
  }

  /// Expects the three lines of an error; answers them.
  static void expect_error(const base::Outcome& outcome, int code, const std::string& what) {
    EXPECT_EQ(outcome.exit_code, code) << outcome.error_output;
    const auto lines = base::lines_of(outcome.error_output);
    ASSERT_GE(lines.size(), 3U) << outcome.error_output;
    EXPECT_EQ(lines.front(), "hamn: " + what);
    EXPECT_TRUE(lines[1].starts_with("  detail: ")) << lines[1];
    EXPECT_TRUE(lines.back().starts_with("  hint: ")) << lines.back();
    EXPECT_TRUE(outcome.output.empty()) << outcome.output;
  }

  const std::string hosts =
      "[host.mn1]\naddress = \"10.77.0.11\"\n[host.mn2]\naddress = \"10.77.0.12\"\n";
  const std::string service = "[service]\naddress = \"10.77.0.11/16\"\nhostname = \"mn1\"\n";
  const test::TemporaryDirectory directory_;
  const std::string config_ = directory_ / "hamn.toml";
};

TEST_F(ProgramTest, AnswersParseErrorsWithExitCode2) {
  for (const auto& words : std::vector<Words>{
           {},
           {"fly"},
           {"sync"},
           {"failover", "--no-such-option"},
           {"net", "announce"},
           {"net", "announce", "--interface", "eth0", "--address", "10.0.0.1", "--rounds", "0"},
           {"takeover", "record-off"},
           {"db", "swap-in"},
           {"report", "show", "a", "b"}}) {
    const auto outcome = hamn(words);
    EXPECT_EQ(outcome.exit_code, 2) << base::shell_line(words);
    EXPECT_FALSE(outcome.error_output.empty());
  }
}

TEST_F(ProgramTest, HelpsForEveryCommand) {
  const auto help = hamn({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.output.find("Exit codes: 0 done, 1 failed, 2 usage"), std::string::npos);
  for (const auto* command : {"failover", "takeover", "status", "sync", "db", "report", "init",
                              "config", "cron", "nim", "net", "receive"}) {
    EXPECT_NE(help.output.find(command), std::string::npos) << command;
    EXPECT_EQ(hamn({command, "--help"}).exit_code, 0) << command;
  }
  EXPECT_EQ(hamn({"--version"}).output, "hamn 0.1.0\n");
}

TEST_F(ProgramTest, PrintsEverySettingWithItsOrigin) {
  const auto outcome = hamn_here({"config"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error_output;
  EXPECT_NE(outcome.output.find("service.hostname = \"mn1\""), std::string::npos);
  EXPECT_NE(outcome.output.find("# " + config_ + ":"), std::string::npos);
  EXPECT_NE(outcome.output.find("# default"), std::string::npos);
}

TEST_F(ProgramTest, PrintsTheSettingsAsJson) {
  const auto list = json::parse(hamn_here({"config", "--json"}).output);
  ASSERT_TRUE(list.is_array());
  bool found = false;
  for (const auto& setting : list) {
    if (setting["key"] != "host.mn2.address") continue;
    found = true;
    EXPECT_EQ(setting["value"], "\"10.77.0.12\"");
  }
  EXPECT_TRUE(found);
}

TEST_F(ProgramTest, TellsEverythingThatIsWrongWithAConfiguration) {
  given_config(hosts + "[service]\nadress = \"10.77.0.11/16\"\nhostname = \"mn1\"\n");
  const auto outcome = hamn_here({"config"});
  expect_error(outcome, 2, "cannot use the configuration " + config_ + ": 2 problems");
  EXPECT_NE(outcome.error_output.find("adress"), std::string::npos);
}

TEST_F(ProgramTest, TellsErrorsAsJsonIfAsked) {
  given_config("[service");
  const auto outcome = hamn_here({"--json", "config"});
  EXPECT_EQ(outcome.exit_code, 2);
  const auto error = json::parse(outcome.output)["error"];
  EXPECT_EQ(error["exit_code"], 2);
  for (const auto* part : {"what", "detail", "hint"}) {
    EXPECT_FALSE(error[part].get<std::string>().empty()) << part;
  }
}

TEST_F(ProgramTest, SaysThatThereIsNoConfiguration) {
  const auto path = directory_ / "missing.toml";
  expect_error(hamn({"--config", path, "status"}), 2, "there is no configuration " + path);
}

TEST_F(ProgramTest, SaysThatThisHostHasNoRole) {
  expect_error(hamn_here({"status"}), 2, "hamn is not set up on this host");
}

TEST_F(ProgramTest, DoesNotTrustABrokenRoleFile) {
  test::given_file(directory_ / "state/role.json", "{");
  expect_error(hamn_here({"status"}), 1,
               "cannot trust the role file " + (directory_ / "state/role.json"));
}

TEST_F(ProgramTest, ShowsTheStatusOfAStandbyThatHasNothingYet) {
  given_role("mn2", base::RoleName::standby);
  const auto outcome = hamn_here({"status", "--json"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.error_output;
  const auto report = json::parse(outcome.output);
  EXPECT_EQ(report["verdict"], "standby");
  EXPECT_EQ(report["headline"], "mn2 is the standby, but its copies are not fresh.");
}

TEST_F(ProgramTest, HasNoReportBeforeTheFirstTakeover) {
  given_role("mn2", base::RoleName::standby);
  expect_error(hamn_here({"report", "show"}), 2, "there is no report");
  EXPECT_EQ(hamn_here({"report", "list"}).exit_code, 0);
  EXPECT_EQ(hamn_here({"report", "verify"}).exit_code, 0);
  expect_error(hamn_here({"report", "show", "nobody"}), 2, "there is no run nobody in the journal");
}

TEST_F(ProgramTest, ShowsTheTimersThatItWouldInstall) {
  given_role("mn1", base::RoleName::primary);
  const auto outcome = hamn_here({"cron", "show"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error_output;
  EXPECT_NE(outcome.output.find("# /etc/systemd/system/hamn-database.timer\n"), std::string::npos);
  EXPECT_NE(outcome.output.find("--config " + config_ + " db replicate --scheduled"),
            std::string::npos);
}

/// What only root may do is asked of root, and said to anybody else.
class RootTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    if (::geteuid() != 0) GTEST_SKIP() << "these run as root";
  }
};

TEST_F(RootTest, SuggestsTheFileSetThatWasMeant) {
  given_role("mn1", base::RoleName::primary);
  const auto outcome = hamn_here({"sync", "run", "--set", "instal"});
  expect_error(outcome, 2, "there is no file set instal");
  EXPECT_NE(outcome.error_output.find("  hint: did you mean install?"), std::string::npos);
}

TEST_F(RootTest, PushesNothingFromAHostThatIsNotThePrimary) {
  given_role("mn2", base::RoleName::standby);
  expect_error(hamn_here({"sync", "run"}), 5,
               "refusing to push files from a host that is not the primary");
  const auto scheduled = hamn_here({"sync", "run", "--scheduled"});
  EXPECT_EQ(scheduled.exit_code, 0);
  EXPECT_TRUE(scheduled.output.empty() && scheduled.error_output.empty());
}

TEST_F(RootTest, AsksForTheNameOfTheHostToBeReplaced) {
  given_role("mn2", base::RoleName::standby);
  expect_error(hamn_here({"failover"}), 2, "the takeover was not confirmed");
  const auto outcome = hamn_here({"failover", "--yes=mn2"});
  expect_error(outcome, 2, "the takeover was not confirmed");
  EXPECT_NE(outcome.error_output.find("hamn failover --yes=mn1"), std::string::npos);
}

TEST_F(RootTest, TakesAStatementOnlyForTheHostToBeReplaced) {
  given_role("mn2", base::RoleName::standby);
  expect_error(hamn_here({"failover", "--yes=mn1", "--primary-is-off=mn7"}), 2,
               "the statement names another host");
}

TEST_F(RootTest, HasNothingToUndoOnAStandby) {
  given_role("mn2", base::RoleName::standby);
  expect_error(hamn_here({"takeover", "undo"}), 5, "there is no takeover to undo");
}

TEST_F(RootTest, SaysThatACommandNeedsRoot) {
  given_role("mn2", base::RoleName::standby);
  base::RealDisk disk;
  base::LocalHost host{"here", disk};
  // A copy, since the tree may be below a directory that only root may enter.
  const std::string program = directory_ / "hamn";
  std::filesystem::copy_file(HAMN_PROGRAM, program);
  for (const auto& words : std::vector<Words>{
           {"failover"}, {"takeover", "undo"}, {"sync", "run"}, {"cron", "install"}}) {
    base::Command command{.argv = {program, "--config", config_}, .user = "nobody"};
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    const auto outcome = host.run(command);
    EXPECT_NE(outcome.exit_code, 0) << base::shell_line(words);
    EXPECT_NE(outcome.error_output.find("needs root"), std::string::npos)
        << base::shell_line(words) << ": " << outcome.error_output;
  }
}

}  // namespace
}  // namespace hamn::cli
