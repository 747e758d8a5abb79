#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/takeover/world.h"

namespace hamn::takeover {
namespace {

using base::Exit;

// Takeovers of clusters whose tables are as people write them.

StepOutcome step_of(const RunOutcome& outcome, const std::string& id) {
  const auto found = std::find_if(outcome.steps.begin(), outcome.steps.end(),
                                  [&](const StepOutcome& each) { return each.id == id; });
  return found == outcome.steps.end() ? StepOutcome{} : *found;
}

void given_node(World& world, const std::string& name) {
  world.tables["nodelist"].push_back({{"node", name}, {"groups", "others"}});
}

/// A routed BMC with a MAC of its own.
void given_bmc(World& world) {
  given_node(world, "bmc1");
  world.tables["mac"].push_back({{"node", "bmc1"}, {"mac", "02:00:00:00:09:01"}});
  world.state.files["/etc/hosts"] += "10.99.1.1 bmc1\n";
}

TEST(NodesTest, TakesOverAClusterOfGroupRowsAndPatchedUpMacs) {
  World world;
  world.tables["hosts"] = {{{"node", "all"}, {"ip", "|\\D+(\\d+)|10.77.1.($1+0)|"}}};
  world.tables["mac"] = {
      {{"node", "n001"}, {"mac", "02:00:00:00:09:09!*NOIP*|02-00-00-00-01-01"}},
      {{"node", "n002"}, {"mac", "02:00:00:00:01:02!n002"}},
      {{"node", "n003"}, {"mac", "02:00:00:00:01:03|02:00:00:00:01:04!n003.cluster.test"}}};
  world.tables["nodehm"] = {{{"node", "all"}, {"mgt", "ipmi"}, {"serialport", "0"}}};
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::done) << outcome.headline;
  EXPECT_EQ(step_of(outcome, "makehosts").why, "/etc/hosts has all 3 addresses");
  EXPECT_EQ(step_of(outcome, "makedhcp-nodes").why, "DHCP knows all 3 nodes");
  EXPECT_EQ(step_of(outcome, "consoles").why, "3 consoles are set up and conserver runs");
}

TEST(NodesTest, NamesANodeThatItCannotVerifyAndDoesNotFailForIt) {
  World world;
  given_bmc(world);
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::problems);
  EXPECT_EQ(outcome.headline, "mn2 is the management node now. To be followed up: makedhcp-nodes.");
  EXPECT_EQ(step_of(outcome, "makedns").why,
            "DNS at 10.77.0.11 answers for all 3 nodes; left out: 1 in no network that this host "
            "serves names for (bmc1)");
  const auto dhcp = step_of(outcome, "makedhcp-nodes");
  EXPECT_EQ(dhcp.why, "DHCP knows all 3 nodes; left out: 1 not on a network of this host (bmc1)");
  EXPECT_EQ(dhcp.follow_up,
            "look whether DHCP has to know what was left out: 1 not on a network of this host "
            "(bmc1)");
}

TEST(NodesTest, DoesNotExcuseAFailureByWhatIsLeftOpen) {
  World world;
  given_bmc(world);
  world.faults["makedhcp -a"] = {.works = false, .outcome = {}};
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::incomplete);
  EXPECT_EQ(to_text(step_of(outcome, "makedhcp-nodes").result), "failed");
}

TEST(NodesTest, RunsMakehostsForANodeWithoutALineAndThenLeavesItOpen) {
  World world;
  world.state.files["/etc/hosts"] += "10.77.1.1 n001\n10.77.1.2 n002\n10.77.1.3 n003\n";
  given_node(world, "n009");
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::problems);
  const auto hosts = step_of(outcome, "makehosts");
  EXPECT_EQ(to_text(hosts.result), "left_open");
  EXPECT_EQ(hosts.why, "/etc/hosts has 3 addresses; 1 node without a line there: n009");
  EXPECT_EQ(hosts.follow_up,
            "give each an address of its own in the table hosts, then run makehosts, makedns and "
            "makedhcp: n009");
  EXPECT_EQ(std::count(world.actions.begin(), world.actions.end(), "Write /etc/hosts"), 1);
  EXPECT_EQ(to_text(step_of(outcome, "makedns").result), "done");
}

TEST(NodesTest, DoesNotTakeAMakehostsThatFailedForItsLastWord) {
  World world;
  world.state.files["/etc/hosts"] += "10.77.1.1 n001\n10.77.1.2 n002\n10.77.1.3 n003\n";
  given_node(world, "n009");
  world.faults["makehosts"] = {.works = false, .outcome = {.exit_code = 1}};
  const auto outcome = world.failover();
  EXPECT_EQ(to_text(step_of(outcome, "makehosts").result), "failed");
}

TEST(NodesTest, LeavesNamesToTheExternalServerThatTheSiteHas) {
  World world;
  world.tables["site"].push_back({{"key", "externaldns"}, {"value", "1"}});
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::problems);
  EXPECT_EQ(to_text(step_of(outcome, "makedns").result), "left_open");
  EXPECT_EQ(step_of(outcome, "makedns").follow_up, "update the external DNS");
  EXPECT_FALSE(world.state.enabled.contains("named"));
}

}  // namespace
}  // namespace hamn::takeover
