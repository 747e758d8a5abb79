#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "tests/unit/takeover/world.h"

namespace hamn::takeover {
namespace {

using base::Exit;

StepOutcome step_of(const RunOutcome& outcome, const std::string& id) {
  const auto found = std::find_if(outcome.steps.begin(), outcome.steps.end(),
                                  [&](const StepOutcome& each) { return each.id == id; });
  EXPECT_NE(found, outcome.steps.end()) << id;
  return found == outcome.steps.end() ? StepOutcome{} : *found;
}

std::string result_of(const RunOutcome& outcome, const std::string& id) {
  return to_text(step_of(outcome, id).result);
}

/// Where the first of `lines` stands; fails the test if it does not.
std::size_t place_of(const std::vector<std::string>& lines, const std::string& line) {
  const auto found = std::find(lines.begin(), lines.end(), line);
  EXPECT_NE(found, lines.end()) << line << " is not among\n" << base::join(lines, "\n");
  return static_cast<std::size_t>(found - lines.begin());
}

void expect_served(const World& world, const std::string& address) {
  EXPECT_EQ(world.state.addresses.front().address, address);
  EXPECT_EQ(world.role(), base::RoleName::primary);
  EXPECT_FALSE(world.state.primary_has_power && world.state.primary == Life::works);
  for (const auto* unit : {"xcatd", "named", "isc-dhcp-server"}) {
    EXPECT_TRUE(world.state.active.contains(unit)) << unit;
    EXPECT_TRUE(world.state.enabled.contains(unit)) << unit;
  }
  EXPECT_TRUE(world.state.rows.contains("node n001"));
  EXPECT_EQ(world.state.zone.at("n003.cluster.test"), "10.77.1.3");
  EXPECT_NE(world.state.dhcp_config.find("next-server  " + address), std::string::npos);
  for (const auto& row : world.written_by_xcatd) EXPECT_TRUE(world.state.rows.contains(row)) << row;
}

const std::vector<std::string> all_actions{
    "Refuse pushes: the role becomes promoting",
    "Stop the timers of hamn",
    "Switch mn1 off by bmc",
    "Read the power state again and write down what it says",
    "Put the tables of p0001-00000007 in charge",
    "Write down which recovery point is in charge",
    "Write down which addresses are here",
    "Keep the other addresses when the first one of a subnet goes",
    "Bring up 10.77.0.11/16",
    "Take away 10.77.0.12/16",
    "Bring up 10.77.0.12/16",
    "Send gratuitous ARP requests and replies",
    "Set the host name for the next boot",
    "Set the host name",
    "Write down that the database belongs to xcatd from now on",
    "Start xcatd at every boot from now on",
    "Start xcatd",
    "Write /etc/hosts",
    "Write the zones and fill them",
    "Start DNS at every boot from now on",
    "Write the configuration of DHCP and restart it",
    "Start DHCP at every boot from now on",
    "Enter all nodes, one by one",
    "Write the boot files with the images that the nodes have",
    "Write the console configuration and restart the server",
    "Record the role and the epoch"};

TEST(FailoverTest, TakesOverInTheOrderOfTheXcatDocument) {
  World world;
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::done) << outcome.headline;
  EXPECT_EQ(outcome.headline, "mn2 is the management node now.");
  EXPECT_EQ(world.actions, all_actions);
  expect_served(world, "10.77.0.11");
  EXPECT_EQ(world.addresses(), "10.77.0.11 10.77.0.12");
  EXPECT_EQ(world.state.hostname, "mn1");
  EXPECT_EQ(world.state.files.at("/etc/hostname"), "mn1\n");
}

TEST(FailoverTest, MovesTheAliasAndLeavesBothHostsTheirOwnAddresses) {
  World world{{.alias = true}};
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::done) << outcome.headline;
  expect_served(world, "10.77.0.10");
  EXPECT_EQ(world.addresses(), "10.77.0.10 10.77.0.12");
  EXPECT_EQ(world.state.hostname, "mn");
}

TEST(FailoverTest, DoesExactlyWhatThePreviewPlanned) {
  World world;
  std::vector<std::string> planned;
  const auto before = world.state;
  for (const auto& step : world.preview()) {
    for (const auto& action : step.plan.actions) planned.push_back(action.sentence);
  }
  EXPECT_TRUE(world.state == before) << "looking changed the world";
  EXPECT_TRUE(world.events.empty());
  (void)world.failover();
  EXPECT_EQ(world.actions, planned);
}

TEST(FailoverTest, NamesThePlanTheSameWayInAnotherProcessAtAnotherTime) {
  World world;
  const auto first = digest(world.preview());
  world.clock.advance(std::chrono::minutes{3});
  EXPECT_EQ(digest(world.preview()), first);
  auto orders = world.default_orders();
  orders.plan_digest = first.substr(0, 12);
  EXPECT_EQ(world.failover(orders).code, Exit::done);
}

TEST(FailoverTest, RefusesAnotherPlanThanTheApprovedOne) {
  World world;
  auto orders = world.default_orders();
  orders.plan_digest = digest(world.preview()).substr(0, 12);
  world.points = {"p0001-00000008"};
  const auto before = world.state;
  const auto outcome = world.failover(orders);
  EXPECT_EQ(outcome.code, Exit::refused);
  EXPECT_TRUE(outcome.headline.starts_with(
      "Refused, nothing was changed. Looking again gave another plan ("))
      << outcome.headline;
  EXPECT_TRUE(world.state == before);
}

TEST(FailoverTest, RefusesAPlanNameThatIsTooShortToNameAnything) {
  World world;
  auto orders = world.default_orders();
  orders.plan_digest = digest(world.preview()).substr(0, 4);
  EXPECT_EQ(world.failover(orders).code, Exit::refused);
}

// Refusals: the world stays as it is, bit by bit.

struct Refusal {
  std::string name;
  std::function<void(World&)> given;
  std::string headline_has;
  bool has_fence = true;
  std::string accept_loss = {};
};

void PrintTo(const Refusal& refusal, std::ostream* stream) {
  *stream << refusal.name;
}

class RefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(RefusalTest, ChangesNothing) {
  for (const bool alias : {false, true}) {
    World world{{.alias = alias, .has_fence = GetParam().has_fence}};
    GetParam().given(world);
    const auto before = world.state;
    auto orders = world.default_orders();
    orders.accept_loss = GetParam().accept_loss;
    const auto outcome = world.failover(orders);
    EXPECT_EQ(outcome.code, Exit::refused) << outcome.headline;
    EXPECT_NE(outcome.headline.find(GetParam().headline_has), std::string::npos)
        << outcome.headline;
    EXPECT_TRUE(world.state == before) << world.shown();
    EXPECT_TRUE(world.actions.empty());
    EXPECT_EQ(world.events.back().kind, "run_finished");
    world.given_file_sets(std::chrono::minutes{2});
  }
}

std::vector<Refusal> refusals() {
  using namespace std::chrono_literals;
  return {
      {"PrimaryAlive", [](World& world) { world.state.primary = Life::works; }, "mn1 is alive"},
      {"MostlyDeadWithoutFence", [](World& world) { world.state.primary = Life::hangs; },
       "mn1 is mostly dead", false},
      {"MostlyDeadWithStatementOnly",
       [](World& world) {
         world.state.primary = Life::hangs;
         world.statement = "mn1 is off";
       },
       "mn1 is mostly dead", false},
      {"SilentWithoutStatement", [](World&) {}, "silence is no proof that it is off", false},
      {"OwnLinkDown", [](World& world) { world.has_link = false; },
       "this host's own network link is down"},
      {"OldDatabase", [](World& world) { world.given_point(9h); }, "is 9 h old"},
      {"OldFiles", [](World& world) { world.given_file_sets(48h); }, "the copy is 2 d old"},
      {"NoRecoveryPoint", [](World& world) { world.points.clear(); }, "hamn db points"},
      {"NoRecoveryPointAlthoughLossIsAccepted", [](World& world) { world.points.clear(); },
       "hamn db points", true, "it must go on"},
      {"OnlyDamagedPointsAlthoughLossIsAccepted",
       [](World& world) { world.points = {"p0001-00000007bad"}; }, "nodelist.sqlite is missing",
       true, "it must go on"},
      {"PrimaryAliveAlthoughLossIsAccepted",
       [](World& world) { world.state.primary = Life::works; }, "mn1 is alive", true, "go"},
      {"ThisIsThePrimary", [](World& world) { world.given_role(base::RoleName::primary); },
       "mn2 is the primary already"},
      {"Deposed", [](World& world) { world.given_role(base::RoleName::deposed); },
       "mn2 was deposed"},
      {"NeverSetUp",
       [](World& world) { world.state.files.erase(world.site.state_directory + "/role.json"); },
       "hamn was never set up on mn2"},
      {"ThirdHostHoldsTheAddress",
       [](World& world) {
         world.state.primary_has_power = false;
         world.strangers[world.site.service.address.address] = "02:00:00:00:00:99";
       },
       "02:00:00:00:00:99 answers for"},
  };
}

INSTANTIATE_TEST_SUITE_P(Refusals, RefusalTest, testing::ValuesIn(refusals()),
                         [](const auto& info) { return info.param.name; });

TEST(FailoverTest, GoesOnWithOldCopiesIfTheLossIsAcceptedAndSaysSo) {
  World world;
  world.given_point(std::chrono::hours{9});
  auto orders = world.default_orders();
  orders.accept_loss = "nobody changed anything since";
  EXPECT_EQ(world.failover(orders).code, Exit::done);
  const auto gate = std::find_if(world.events.begin(), world.events.end(), [](const auto& event) {
    return event.kind == "gate" && event.facts.at("gate") == "database-age";
  });
  EXPECT_EQ(gate->facts.at("override"), "nobody changed anything since");
}

TEST(FailoverTest, TakesAWordForItWhereNothingElseCanProveThatThePrimaryIsOff) {
  World world{{.has_fence = false}};
  world.state.primary_has_power = false;
  world.statement = "mn1 is off";
  EXPECT_EQ(world.failover().code, Exit::done);
  expect_served(world, "10.77.0.11");
}

// The primary's power.

TEST(FenceTest, ReadsThePowerAgainAndDoesNotBelieveAMethodThatSaidOk) {
  World world;
  world.power_off_works = false;
  world.state.primary = Life::hangs;
  const auto before = world.state;
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::failed);
  EXPECT_EQ(result_of(outcome, "fence-primary"), "failed");
  EXPECT_EQ(result_of(outcome, "promote-database"), "not_executed");
  EXPECT_EQ(world.role(), base::RoleName::promoting);
  EXPECT_EQ(world.state.addresses, before.addresses);
  EXPECT_EQ(world.state.rows, before.rows);
  EXPECT_EQ(world.undo().code, Exit::done);
  EXPECT_EQ(world.role(), base::RoleName::standby);
}

TEST(FenceTest, StopsWhereNobodyCanReadThePower) {
  World world;
  world.power_says = "nothing";
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::failed);
  EXPECT_EQ(result_of(outcome, "fence-primary"), "failed");
  EXPECT_EQ(world.addresses(), "10.77.0.12");
}

TEST(FenceTest, TakesAStatementWhereThePowerCannotBeRead) {
  World world;
  world.power_says = "nothing";
  world.state.primary_has_power = false;
  world.statement = "mn1 is off";
  EXPECT_EQ(world.failover().code, Exit::done);
}

TEST(FenceTest, TakesNoStatementWhileTheKernelOfThePrimaryAnswers) {
  World world{{.alias = true}};
  world.power_says = "nothing";
  world.power_off_works = false;
  world.state.primary = Life::hangs;
  world.statement = "mn1 is off";
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::failed);
  EXPECT_EQ(result_of(outcome, "fence-primary"), "failed");
}

TEST(FenceTest, TakesNoStatementAgainstAMethodThatReadsOn) {
  World world;
  world.power_off_works = false;
  world.statement = "mn1 is off";
  EXPECT_EQ(result_of(world.failover(), "fence-primary"), "failed");
}

TEST(FenceTest, SwitchesAPrimaryOffAgainThatCameBackBetweenTwoRuns) {
  World world;
  world.faults["swap-in"] = {.works = false, .outcome = {.exit_code = 1}};
  EXPECT_EQ(world.failover().code, Exit::failed);
  EXPECT_FALSE(world.state.primary_has_power);
  world.state.primary_has_power = true;
  world.faults.clear();
  EXPECT_EQ(world.failover().code, Exit::done);
  EXPECT_FALSE(world.state.primary_has_power);
}

TEST(FenceTest, RefusesToGoOnWhileAPrimaryThatCameBackIsAlive) {
  World world{{.alias = true, .has_fence = false}};
  world.state.primary_has_power = false;
  world.statement = "mn1 is off";
  world.faults["swap-in"] = {.works = false, .outcome = {.exit_code = 1}};
  EXPECT_EQ(world.failover().code, Exit::failed);
  world.faults.clear();
  world.state.primary_has_power = true;
  world.state.primary = Life::works;
  const auto before = world.state;
  EXPECT_EQ(world.failover().code, Exit::refused);
  EXPECT_TRUE(world.state == before);
}

TEST(FenceTest, ChangesNoIdentityIfAThirdHostShowsOnlyAfterThePrimaryIsOff) {
  World world{{.alias = true}};
  world.strangers["10.77.0.10"] = "02:00:00:00:00:99";
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::failed);
  EXPECT_EQ(result_of(outcome, "check-address"), "blocked");
  EXPECT_EQ(world.addresses(), "10.77.0.12");
  EXPECT_EQ(world.state.hostname, "mn2");
}

}  // namespace
}  // namespace hamn::takeover
