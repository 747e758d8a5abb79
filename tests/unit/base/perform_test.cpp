#include "base/perform.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/hash.h"
#include "tests/support/memory_journal.h"
#include "tests/support/scripted_host.h"
#include "tests/support/wrapping_hosts.h"

namespace hamn::base {

using test::failed;
using test::MemoryJournal;
using test::printed;
using test::ScriptedHost;

class PerformTest : public testing::Test {
 protected:
  /// The scripted host that the plan knows by this name.
  ScriptedHost& given_host(const std::string& name) {
    auto host = std::make_unique<ScriptedHost>(name);
    auto& known = *host;
    hosts_.add(std::move(host));
    return known;
  }

  Hosts hosts_;
  MemoryJournal journal_;
  Plan plan_;
};

TEST_F(PerformTest, CarriesOutActionsInOrderAndAnswersTheOutcomesOfCommands) {
  given_host("mn1").expect_run({"one"}, printed("1\n"));
  given_host("mn2")
      .expect_write({.path = "/etc/x", .content = "X"})
      .expect_run({"two"}, printed("2\n"));
  plan_.add(run_on("mn1", "Do one", {.argv = {"one"}}));
  plan_.add(write_on("mn2", "Write x", {.path = "/etc/x", .content = "X"}));
  plan_.add(run_on("mn2", "Do two", {.argv = {"two"}}));
  const auto outcomes = perform(plan_, hosts_, journal_);
  ASSERT_EQ(2U, outcomes.size());
  EXPECT_EQ("1\n", outcomes[0].output);
  EXPECT_EQ("2\n", outcomes[1].output);
  EXPECT_EQ(
      "action_started action_finished action_started action_finished action_started "
      "action_finished",
      journal_.kinds());
}

TEST_F(PerformTest, WritesDownEachCommandBeforeAndAfter) {
  given_host("mn2").answer({"psql"}, {.exit_code = 0,
                                      .output = " done\n",
                                      .error_output = "notice\n",
                                      .elapsed = Milliseconds{42}});
  plan_.add(run_on("mn2", "Ask", {.argv = {"psql"}, .environment = {{"PGPASSWORD", "secret"}}}));
  (void)perform(plan_, hosts_, journal_);
  EXPECT_EQ((Facts{{"action", "1"},
                   {"of", "1"},
                   {"host", "mn2"},
                   {"sentence", "Ask"},
                   {"command", "env PGPASSWORD=… psql"}}),
            journal_.events()[0].facts);
  EXPECT_EQ((Facts{{"action", "1"},
                   {"exit_code", "0"},
                   {"output", "done"},
                   {"error_output", "notice"},
                   {"elapsed_ms", "42"}}),
            journal_.events()[1].facts);
}

TEST_F(PerformTest, WritesDownTheHashOfAFileUnlessItIsSecret) {
  given_host("mn2").given_no_files();
  plan_.add(write_on("mn2", "Write", {.path = "/a", .content = "A"}));
  plan_.add(write_on("mn2", "Write", {.path = "/b", .content = "B", .secret = true}));
  (void)perform(plan_, hosts_, journal_);
  EXPECT_EQ(sha256("A"), journal_.events()[0].facts.at("sha256"));
  EXPECT_FALSE(journal_.events()[2].facts.contains("sha256"));
}

TEST_F(PerformTest, KeepsOnlyTheEndOfALongOutput) {
  given_host("mn2").answer({"x"}, printed(std::string(5000, 'a') + "the end"));
  plan_.add(run_on("mn2", "X", {.argv = {"x"}}));
  (void)perform(plan_, hosts_, journal_);
  const auto kept = journal_.events()[1].facts.at("output");
  EXPECT_TRUE(kept.starts_with("…a"));
  EXPECT_TRUE(kept.ends_with("the end"));
  EXPECT_LT(kept.size(), 2100U);
}

TEST_F(PerformTest, StopsAtTheFirstCommandThatFails) {
  given_host("mn2").expect_run({"one"}, failed(5, "Unit not found.\n"));
  plan_.add(run_on("mn2", "Stop it", {.argv = {"one"}}));
  plan_.add(run_on("mn2", "Never", {.argv = {"two"}}));
  try {
    (void)perform(plan_, hosts_, journal_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ("on mn2, one exited 5: Unit not found.", error.what());
    EXPECT_EQ("it was to: Stop it; command: one", error.detail());
    EXPECT_FALSE(error.hint().empty());
  }
  EXPECT_EQ("action_started action_finished", journal_.kinds());
  EXPECT_EQ("5", journal_.events()[1].facts.at("exit_code"));
}

TEST_F(PerformTest, AcceptsTheExitCodesThatThePlanAccepts) {
  given_host("mn2").answer({"one"}, failed(5));
  plan_.add(run_on("mn2", "Stop it", {.argv = {"one"}}, {0, 5}));
  EXPECT_EQ(5, perform(plan_, hosts_, journal_).at(0).exit_code);
}

TEST_F(PerformTest, TakesNoTimeLimitForASuccess) {
  given_host("mn2").answer({"one"},
                           {.exit_code = 0, .timed_out = true, .output = {}, .error_output = {}});
  plan_.add(run_on("mn2", "Wait", {.argv = {"one"}}));
  EXPECT_THROW((void)perform(plan_, hosts_, journal_), Error);
  EXPECT_EQ("yes", journal_.events()[1].facts.at("timed_out"));
}

TEST_F(PerformTest, DoesNothingThatItCannotWriteDown) {
  given_host("mn2");  // expects no call
  journal_.fail_at(1);
  plan_.add(run_on("mn2", "Stop it", {.argv = {"one"}}));
  EXPECT_THROW((void)perform(plan_, hosts_, journal_), Error);
}

TEST_F(PerformTest, LeavesAStartWithoutAnEndWhenTheHostIsLost) {
  auto inner = std::make_unique<ScriptedHost>("mn2");
  auto host = std::make_unique<test::FailingHost>(std::move(inner));
  host->fail_at(1, test::connection_lost("mn2"));
  hosts_.add(std::move(host));
  plan_.add(run_on("mn2", "Stop it", {.argv = {"one"}}));
  EXPECT_THROW((void)perform(plan_, hosts_, journal_), Error);
  EXPECT_EQ("action_started", journal_.kinds());
}

TEST_F(PerformTest, BeginsNothingOnAHostThatNobodyKnows) {
  plan_.add(run_on("mn9", "Stop it", {.argv = {"one"}}));
  try {
    (void)perform(plan_, hosts_, journal_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ("unknown host mn9", error.what());
    EXPECT_EQ(Exit::usage, error.code());
  }
  EXPECT_EQ("", journal_.kinds());
}

}  // namespace hamn::base
