#include "tests/contract/replication_contract.h"

#include "base/error.h"
#include "base/perform.h"
#include "tests/support/memory_journal.h"

namespace hamn::dbrepl::test {

using base::State;

ReplicationContract::ReplicationContract() : world_(GetParam().make()) {
  use("mn1", "mn2");
  world_->put("mn1", "site", "master", "10.1.0.1");
  for (int i = 0; i < 20; ++i) {
    world_->put("mn1", "nodelist", "node" + std::to_string(i), "compute");
  }
  world_->put("mn2", "site", "master", "10.1.0.2");
}

void ReplicationContract::use(const std::string& primary, const std::string& standby) {
  primary_ = primary;
  standby_ = standby;
  driver_ = world_->driver(primary);
}

Replica ReplicationContract::look() {
  return {.primary = driver_->inspect_live(host(primary_)), .standby = points()};
}

void ReplicationContract::perform(const base::Plan& plan) {
  hamn::test::MemoryJournal journal;
  (void)base::perform(plan, world_->hosts(), journal);
}

void ReplicationContract::expect_nothing_accepted(const std::string& known) {
  const auto accept = driver_->catch_up(look()).actions.back();
  try {
    perform({{accept}});
  } catch (const base::Error&) {
    // Refused: half of a copy had arrived. If nothing had, there was nothing to do.
  }
  EXPECT_EQ(points().facts.at("id"), known) << "half of a copy was accepted";
}

base::Facts ReplicationContract::promote() {
  const auto found = points();
  perform(driver_->promote(found));
  return found.facts;
}

namespace {

TEST_P(ReplicationContract, SeedsAStandbyThatHasNothing) {
  const auto seen = look();
  EXPECT_EQ(seen.primary.state, State::done) << seen.primary.why;
  EXPECT_EQ(seen.standby.state, State::due) << seen.standby.why;
  perform(driver_->seed(seen));
  EXPECT_EQ(points().state, State::done);
}

TEST_P(ReplicationContract, HasNothingToDoOnceTheStandbyIsCurrent) {
  catch_up();
  EXPECT_TRUE(driver_->catch_up(look()).actions.empty());
}

TEST_P(ReplicationContract, SeesEveryChangeAndShipsIt) {
  catch_up();
  auto position = look().primary.facts.at("position");
  const auto expect_shipped = [&](const std::string& what) {
    EXPECT_NE(look().primary.facts.at("position"), position) << what;
    EXPECT_FALSE(driver_->catch_up(look()).actions.empty()) << what;
    catch_up();
    EXPECT_TRUE(driver_->catch_up(look()).actions.empty()) << what;
    position = look().primary.facts.at("position");
  };
  world_->put("mn1", "nodelist", "node20", "new");
  expect_shipped("a new row");
  world_->put("mn1", "nodelist", "node20", "changed");
  expect_shipped("a changed row");
  world_->remove("mn1", "nodelist", "node20");
  expect_shipped("a removed row");
  world_->put("mn1", "vm", "node1", "host1");
  expect_shipped("a new table");
}

TEST_P(ReplicationContract, ChangesNothingOnThePrimaryOrInTheLiveDatabaseOfTheStandby) {
  const auto primary = world_->content("mn1");
  const auto standby = world_->content("mn2");
  catch_up();
  EXPECT_EQ(world_->content("mn1"), primary);
  EXPECT_EQ(world_->content("mn2"), standby);
}

TEST_P(ReplicationContract, RenewsAPointThatIsOldThoughNothingChanged) {
  catch_up();
  const auto before = points().facts;
  world_->pass_time(std::chrono::hours{1});
  EXPECT_FALSE(driver_->catch_up(look()).actions.empty());
  catch_up();
  const auto after = points().facts;
  EXPECT_GT(after.at("taken"), before.at("taken"));
  EXPECT_EQ(after.at("id"), before.at("id"));
  EXPECT_TRUE(driver_->catch_up(look()).actions.empty());
}

TEST_P(ReplicationContract, PutsExactlyThePointInCharge) {
  catch_up();
  const auto shipped = world_->content("mn1");
  world_->put("mn1", "nodelist", "too-late", "not shipped");
  const auto point = points();
  EXPECT_EQ(driver_->inspect_promoted(host("mn2"), point.facts).state, State::due);
  const auto facts = promote();
  EXPECT_EQ(driver_->inspect_promoted(host("mn2"), facts).state, State::done);
  EXPECT_EQ(world_->content("mn2"), shipped);
}

TEST_P(ReplicationContract, PromotesWithoutThePrimary) {
  catch_up();
  const auto shipped = world_->content("mn1");
  world_->disconnect("mn1", true);
  promote();
  EXPECT_EQ(world_->content("mn2"), shipped);
}

TEST_P(ReplicationContract, MayBeToldTwiceToPromote) {
  catch_up();
  const auto before = world_->content("mn2");
  const auto facts = promote();
  promote();
  EXPECT_EQ(driver_->inspect_promoted(host("mn2"), facts).state, State::done);
  perform(driver_->undo_promote(facts));
  EXPECT_EQ(world_->content("mn2"), before);
}

TEST_P(ReplicationContract, GoesBackToWhatWasThere) {
  catch_up();
  const auto before = world_->content("mn2");
  const auto facts = promote();
  perform(driver_->undo_promote(facts));
  EXPECT_EQ(world_->content("mn2"), before);
  perform(driver_->undo_promote(facts));
  EXPECT_EQ(world_->content("mn2"), before);
  promote();
  EXPECT_EQ(driver_->inspect_promoted(host("mn2"), facts).state, State::done);
}

TEST_P(ReplicationContract, RefusesToPromoteWithoutAPoint) {
  EXPECT_THROW((void)driver_->promote(points()), base::Error);
}

TEST_P(ReplicationContract, KeepsTheLastPointWheneverShippingBreaks) {
  catch_up();
  const auto before = points().facts.at("id");
  for (int files = 0;; ++files) {
    ASSERT_LT(files, 100);
    world_->put("mn1", "nodelist", "node0", std::to_string(files));
    world_->put("mn1", "site", "changed", std::to_string(files));
    const auto shipped = world_->content("mn1");
    const auto known = points().facts.at("id");
    world_->break_shipping_after(files);
    try {
      catch_up();
    } catch (const base::Error&) {
      EXPECT_EQ(points().facts.at("id"), known) << "after " << files << " files";
      expect_nothing_accepted(known);
      catch_up();
    }
    const auto facts = promote();
    EXPECT_EQ(world_->content("mn2"), shipped);
    if (!world_->did_break()) break;
  }
  EXPECT_NE(points().facts.at("id"), before);
}

TEST_P(ReplicationContract, FallsBackToTheOlderPointIfTheNewestIsDamaged) {
  catch_up();
  const auto older = world_->content("mn1");
  const auto older_id = points().facts.at("id");
  world_->put("mn1", "site", "newer", "yes");
  catch_up();
  world_->damage_newest_point("mn2");
  EXPECT_EQ(points().facts.at("id"), older_id);
  EXPECT_NE(points().facts.at("damaged"), "");
  EXPECT_FALSE(driver_->catch_up(look()).actions.empty()) << "a damaged copy is no copy";
  promote();
  EXPECT_EQ(world_->content("mn2"), older);
}

TEST_P(ReplicationContract, GoesOnAfterThePrimaryLostItsLastCopy) {
  for (const char* value : {"a", "b", "c"}) {
    world_->put("mn1", "site", "changed", value);
    catch_up();
  }
  world_->lose_outgoing("mn1");
  world_->put("mn1", "site", "changed", "d");
  catch_up();
  promote();
  EXPECT_EQ(world_->content("mn2"), world_->content("mn1"));
}

TEST_P(ReplicationContract, RefusesWhatADeposedPrimaryShips) {
  catch_up();
  // mn2 was put in charge, was replicated to mn1 and is the standby again.
  promote();
  world_->set_epoch("mn2", 2);
  use("mn2", "mn1");
  catch_up();
  use("mn1", "mn2");
  world_->set_epoch("mn1", 3);
  world_->pass_time(std::chrono::hours{1});
  catch_up();
  const auto known = points().facts.at("id");
  world_->set_epoch("mn1", 1);
  world_->put("mn1", "site", "from", "the past");
  EXPECT_THROW(catch_up(), base::Error);
  EXPECT_EQ(points().facts.at("id"), known);
}

TEST_P(ReplicationContract, ReplicatesTheOtherWayAfterATakeover) {
  catch_up();
  promote();
  world_->set_epoch("mn2", 2);
  world_->put("mn2", "site", "after", "the takeover");
  use("mn2", "mn1");
  catch_up();
  EXPECT_TRUE(driver_->catch_up(look()).actions.empty());
  promote();
  EXPECT_EQ(world_->content("mn1"), world_->content("mn2"));
}

TEST_P(ReplicationContract, ThrowsIfAHostDoesNotAnswer) {
  world_->disconnect("mn2", true);
  EXPECT_THROW((void)points(), base::Error);
  Replica seen{.primary = driver_->inspect_live(host("mn1")),
               .standby = {.state = State::unknown, .why = "mn2 does not answer"}};
  EXPECT_THROW((void)driver_->catch_up(seen), base::Error);
}

TEST_P(ReplicationContract, PlansTheSameFromTheSame) {
  const auto seen = look();
  EXPECT_EQ(driver_->catch_up(seen), driver_->catch_up(seen));
  EXPECT_EQ(base::digest(driver_->seed(seen)), base::digest(driver_->seed(seen)));
  for (const auto& action : driver_->seed(seen).actions) {
    EXPECT_FALSE(action.sentence.empty());
    EXPECT_TRUE(action.host == "mn1" || action.host == "mn2");
  }
}

TEST_P(ReplicationContract, VerifiesTheNewestPoint) {
  catch_up();
  const auto good = points();
  perform(driver_->verify(good));
  world_->damage_newest_point("mn2");
  EXPECT_THROW(perform(driver_->verify(good)), base::Error);
}

}  // namespace
}  // namespace hamn::dbrepl::test
