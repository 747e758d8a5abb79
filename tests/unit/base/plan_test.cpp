#include "base/plan.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace hamn::base {

namespace {

Plan sample() {
  Plan plan;
  plan.add(run_on("mn2", "Stop xcatd",
                  {.argv = {"systemctl", "stop", "xcatd"},
                   .input = "yes",
                   .environment = {{"A", "1"}},
                   .user = "root"},
                  {0, 5}));
  plan.add(write_on("mn2", "Point xCAT to the database",
                    {.path = "/etc/xcat/cfgloc", .content = "secret", .mode = 0600}));
  return plan;
}

RunCommand& run_of(Plan& plan) {
  return std::get<RunCommand>(plan.actions[0].act);
}
FileWrite& file_of(Plan& plan) {
  return std::get<FileWrite>(plan.actions[1].act);
}

}  // namespace

TEST(PlanTest, NamesItsStatesWithAFixedList) {
  EXPECT_EQ("due", to_text(State::due));
  EXPECT_EQ("done", to_text(State::done));
  EXPECT_EQ("blocked", to_text(State::blocked));
  EXPECT_EQ("unknown", to_text(State::unknown));
  EXPECT_EQ("not_applicable", to_text(State::not_applicable));
  EXPECT_EQ(State::unknown, Finding{}.state) << "nobody has permission by default";
}

TEST(PlanTest, ShowsActionsSoThatAnOperatorCanCarryThemOut) {
  const auto plan = sample();
  EXPECT_EQ("runuser -u root -- env A=… systemctl stop xcatd", to_text(plan.actions[0]));
  EXPECT_EQ("write /etc/xcat/cfgloc (6 B, mode 0600, owner root)", to_text(plan.actions[1]));
  const auto secret = write_on("mn2", "x", {.path = "/a b", .content = "12", .secret = true});
  EXPECT_EQ("write '/a b' (2 B, mode 0644, owner root, secret)", to_text(secret));
}

TEST(PlanTest, HasTheSameDigestWheneverItWouldDoTheSame) {
  auto same = sample();
  same.actions[0].sentence = "Stop the daemon";  // words change nothing
  EXPECT_EQ(digest(sample()), digest(same));
  EXPECT_EQ(64U, digest(Plan{}).size());
}

TEST(PlanTest, HasAnotherDigestWhereverItWouldDoSomethingElse) {
  const std::vector<std::function<void(Plan&)>> changes{
      [](Plan&) {},
      [](Plan& plan) { plan.actions.pop_back(); },
      [](Plan& plan) { std::swap(plan.actions[0], plan.actions[1]); },
      [](Plan& plan) { plan.actions[0].host = "mn1"; },
      [](Plan& plan) { run_of(plan).command.argv[1] = "start"; },
      [](Plan& plan) { run_of(plan).command.argv.emplace_back("yes"); },
      [](Plan& plan) { run_of(plan).command.input = "no"; },
      [](Plan& plan) { run_of(plan).command.user = "nobody"; },
      [](Plan& plan) { run_of(plan).command.environment["A"] = "2"; },
      [](Plan& plan) {
        run_of(plan).command.environment = {{"A=1", ""}};
      },
      [](Plan& plan) { run_of(plan).accepted = {0}; },
      [](Plan& plan) { file_of(plan).path = "/etc/xcat/cfgloc2"; },
      [](Plan& plan) { file_of(plan).content = "other"; },
      [](Plan& plan) { file_of(plan).mode = 0640; },
      [](Plan& plan) { file_of(plan).owner = "nobody"; }};
  std::set<std::string> digests;
  for (const auto& change : changes) {
    auto plan = sample();
    change(plan);
    digests.insert(digest(plan));
  }
  EXPECT_EQ(changes.size(), digests.size());
}

TEST(PlanTest, DoesNotConfuseWordsThatRunIntoEachOther) {
  const auto plan_of = [](std::vector<std::string> argv, std::string input) {
    Plan plan;
    plan.add(run_on("mn2", "x", {.argv = std::move(argv), .input = std::move(input)}));
    return digest(plan);
  };
  const std::set<std::string> digests{plan_of({"ab", "c"}, ""), plan_of({"a", "bc"}, ""),
                                      plan_of({"abc"}, ""), plan_of({"ab"}, "c"),
                                      plan_of({"ab", "c", ""}, "")};
  EXPECT_EQ(5U, digests.size());
}

TEST(PlanTest, AppendsAnotherPlanBehindItself) {
  auto plan = sample();
  plan.append(sample());
  ASSERT_EQ(4U, plan.actions.size());
  EXPECT_EQ(plan.actions[0], plan.actions[2]);
  EXPECT_EQ("Point xCAT to the database", plan.actions[3].sentence);
}

}  // namespace hamn::base
