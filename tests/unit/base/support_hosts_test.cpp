#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "tests/support/scripted_host.h"
#include "tests/support/wrapping_hosts.h"

namespace hamn::test {

using base::Command;
using base::FileWrite;
using base::Outcome;

namespace {

constexpr std::uint64_t limit = base::default_read_limit_bytes;

std::unique_ptr<base::Stream> any_stream() {
  return base::make_stream_pair().first;
}

/// A host that answers everything.
std::unique_ptr<ScriptedHost> agreeable_host(const std::string& name = "mn2") {
  auto host = std::make_unique<ScriptedHost>(name);
  host->answer({}, printed("ok\n")).given_file("/etc/hosts", "hosts");
  host->answer_open({}, [](const Command&) { return any_stream(); });
  return host;
}

}  // namespace

TEST(ScriptedHostTest, AnswersWhatItExpectsInOrder) {
  ScriptedHost host{"mn2"};
  host.expect_run({"hostname"}, printed("mn2\n"))
      .expect_read("/etc/a", "A")
      .expect_read("/etc/b", std::nullopt)
      .expect_write({.path = "/etc/c", .content = "C"})
      .expect_run({"false"}, failed(1, "no\n"))
      .expect_open({"cat"}, any_stream());
  EXPECT_EQ("mn2", host.name());
  EXPECT_EQ("mn2\n", host.run({.argv = {"hostname"}}).output);
  EXPECT_EQ("A", host.read("/etc/a", limit));
  EXPECT_EQ(std::nullopt, host.read("/etc/b", limit));
  host.write({.path = "/etc/c", .content = "C"});
  EXPECT_EQ(1, host.run({.argv = {"false"}}).exit_code);
  EXPECT_NE(nullptr, host.open({.argv = {"cat"}}));
  EXPECT_EQ(
      "asked of mn2 so far:\n"
      "  run hostname: exited 0: mn2\n"
      "  read /etc/a: 1 bytes\n"
      "  read /etc/b: no such file\n"
      "  write /etc/c (1 bytes)\n"
      "  run false: exited 1: no\n"
      "  open cat",
      host.transcript());
}

TEST(ScriptedHostTest, FailsTheTestAtAnUnexpectedCommandAndShowsWhatWasBefore) {
  ScriptedHost host{"mn2"};
  host.expect_run({"one"});
  (void)host.run({.argv = {"one"}});
  EXPECT_NONFATAL_FAILURE(EXPECT_THROW((void)host.run({.argv = {"two", "x y"}}), UnexpectedCall),
                          "on mn2, unexpected: run two 'x y'\nexpected next: nothing\n"
                          "asked of mn2 so far:\n  run one: exited 0");
}

TEST(ScriptedHostTest, FailsTheTestWhenCallsComeInTheWrongOrder) {
  ScriptedHost host{"mn2"};
  host.expect_run({"one"}).expect_run({"two"});
  EXPECT_NONFATAL_FAILURE(EXPECT_THROW((void)host.run({.argv = {"two"}}), UnexpectedCall),
                          "expected next: run one\nnothing was asked of mn2 before");
  (void)host.run({.argv = {"one"}});
  (void)host.run({.argv = {"two"}});
}

TEST(ScriptedHostTest, FailsTheTestAtEveryOtherUnexpectedVerb) {
  ScriptedHost host{"mn2"};
  EXPECT_NONFATAL_FAILURE(EXPECT_THROW((void)host.read("/a", limit), UnexpectedCall),
                          "unexpected: read /a");
  EXPECT_NONFATAL_FAILURE(EXPECT_THROW(host.write({.path = "/a", .content = "b"}), UnexpectedCall),
                          "unexpected: write /a (1 bytes)");
  EXPECT_NONFATAL_FAILURE(EXPECT_THROW((void)host.open({.argv = {"cat"}}), UnexpectedCall),
                          "unexpected: open cat");
}

TEST(ScriptedHostTest, FailsTheTestWhenExpectedCallsNeverCome) {
  EXPECT_NONFATAL_FAILURE(
      {
        ScriptedHost host{"mn2"};
        host.expect_run({"one"}).expect_read("/etc/a", "A");
      },
      "on mn2, these calls never came:\n  run one\n  read /etc/a");
}

TEST(ScriptedHostTest, ComparesWholeCommandsWhereAsked) {
  const Command wanted{
      .argv = {"psql"}, .input = "select 1", .environment = {{"A", "1"}}, .user = "postgres"};
  ScriptedHost host{"mn2"};
  host.expect_command(wanted, printed("1\n"));
  for (int part = 0; part < 3; ++part) {
    auto other = wanted;
    if (part == 0) other.input = "select 2";
    if (part == 1) other.user = "root";
    if (part == 2) other.environment["A"] = "2";
    EXPECT_NONFATAL_FAILURE(EXPECT_THROW((void)host.run(other), UnexpectedCall), "unexpected: run");
  }
  auto patient = wanted;
  patient.time_limit = std::chrono::hours{1};
  EXPECT_EQ("1\n", host.run(patient).output);
}

TEST(ScriptedHostTest, ComparesWhatIsWritten) {
  ScriptedHost host{"mn2"};
  host.expect_write({.path = "/a", .content = "new"})
      .expect_write({.path = "/a", .content = "new", .mode = 0600});
  EXPECT_NONFATAL_FAILURE(host.write({.path = "/a", .content = "new", .mode = 0640}),
                          "mode, owner or secrecy of /a on mn2");
  host.write({.path = "/a", .content = "new", .mode = 0600});
}

TEST(ScriptedHostTest, AnswersByTheRuleWithTheLongestPrefix) {
  ScriptedHost host{"mn2"};
  int asked = 0;
  host.answer({"systemctl"}, failed(3))
      .answer({"systemctl", "is-active"}, printed("active\n"))
      .answer({"count"}, [&](const Command& command) {
        ++asked;
        return printed(command.argv.at(1));
      });
  EXPECT_EQ(3, host.run({.argv = {"systemctl", "stop", "x"}}).exit_code);
  EXPECT_EQ("active\n", host.run({.argv = {"systemctl", "is-active", "x"}}).output);
  EXPECT_EQ("a", host.run({.argv = {"count", "a"}}).output);
  EXPECT_EQ("b", host.run({.argv = {"count", "b"}}).output);
  EXPECT_EQ(2, asked);
  EXPECT_NONFATAL_FAILURE(EXPECT_THROW((void)host.run({.argv = {"system"}}), UnexpectedCall),
                          "unexpected: run system");
}

TEST(ScriptedHostTest, PrefersItsNextExpectationToARule) {
  ScriptedHost host{"mn2"};
  host.answer({"date"}, printed("rule")).expect_run({"date"}, printed("expected"));
  EXPECT_EQ("expected", host.run({.argv = {"date"}}).output);
  EXPECT_EQ("rule", host.run({.argv = {"date"}}).output);
}

TEST(ScriptedHostTest, KeepsFilesOnceItHasSome) {
  ScriptedHost host{"mn2"};
  host.given_file("/etc/a", "A");
  EXPECT_EQ("A", host.read("/etc/a", limit));
  EXPECT_EQ(std::nullopt, host.read("/etc/b", limit));
  host.write({.path = "/etc/b", .content = "B"});
  EXPECT_EQ("B", host.read("/etc/b", limit));
  EXPECT_EQ((std::map<std::string, std::string>{{"/etc/a", "A"}, {"/etc/b", "B"}}), host.files());
}

TEST(ScriptedHostTest, FailsTheTestThatReadsBeyondItsLimit) {
  ScriptedHost host{"mn2"};
  host.given_file("/etc/a", "12345");
  EXPECT_EQ("12345", host.read("/etc/a", 5));
  EXPECT_NONFATAL_FAILURE(EXPECT_THROW((void)host.read("/etc/a", 4), UnexpectedCall),
                          "beyond its limit");
}

TEST(RecordingHostTest, WritesDownEveryVerbOfSeveralHostsInTheirOrder) {
  Recording recording;
  RecordingHost one{agreeable_host("mn1"), recording};
  RecordingHost two{agreeable_host("mn2"), recording};
  EXPECT_EQ("ok\n", one.run({.argv = {"true"}, .user = "nobody"}).output);
  EXPECT_EQ("hosts", two.read("/etc/hosts", limit));
  two.write({.path = "/etc/x", .content = "X", .mode = 0600});
  (void)one.open({.argv = {"cat"}});
  EXPECT_EQ((std::vector<std::string>{"mn1: run runuser -u nobody -- true", "mn2: read /etc/hosts",
                                      "mn2: write /etc/x", "mn1: open cat"}),
            recording.lines());
  EXPECT_EQ("nobody", recording.verbs().at(0).command.user);
  EXPECT_EQ(0600U, recording.verbs().at(2).file.mode);
  recording.clear();
  EXPECT_TRUE(recording.lines().empty());
}

TEST(FailingHostTest, ThrowsInsteadOfItsNthCallOrAfterIt) {
  for (const auto strike : {Strike::instead, Strike::afterwards}) {
    Recording recording;
    FailingHost host{std::make_unique<RecordingHost>(agreeable_host(), recording)};
    host.fail_at(2, connection_lost("mn2"), strike);
    EXPECT_EQ("hosts", host.read("/etc/hosts", limit));
    EXPECT_THROW(host.write({.path = "/etc/x", .content = "X"}), base::Error);
    EXPECT_EQ("ok\n", host.run({.argv = {"true"}}).output);
    EXPECT_EQ(3U, host.calls());
    EXPECT_EQ(strike == Strike::instead ? 2U : 3U, recording.lines().size());
  }
}

TEST(FailingHostTest, AnswersAFailureToACommandAndThrowsAtOtherVerbs) {
  for (const auto strike : {Strike::instead, Strike::afterwards}) {
    Recording recording;
    FailingHost host{std::make_unique<RecordingHost>(agreeable_host(), recording)};
    host.fail_at(1, failed(7), strike);
    EXPECT_EQ(7, host.run({.argv = {"true"}}).exit_code);
    EXPECT_EQ("ok\n", host.run({.argv = {"true"}}).output);
    EXPECT_EQ(strike == Strike::instead ? 1U : 2U, recording.lines().size());
  }
  FailingHost host{agreeable_host()};
  host.fail_at(1, failed(7));
  EXPECT_THROW((void)host.read("/etc/hosts", limit), base::Error);
  host.fail_at(2, failed(7));
  EXPECT_THROW((void)host.open({.argv = {"cat"}}), base::Error);
}

}  // namespace hamn::test
