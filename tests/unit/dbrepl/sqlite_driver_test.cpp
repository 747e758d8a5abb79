#include "dbrepl/sqlite_driver.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "dbrepl/drivers.h"
#include "dbrepl/inspection.h"
#include "tests/support/scripted_host.h"

namespace hamn::dbrepl {
namespace {

using hamn::test::failed;
using hamn::test::printed;
using hamn::test::ScriptedHost;

base::WallTime at(const std::string& text) {
  return base::parse_wall_time(text).value();
}

PointSummary point(std::uint64_t epoch, std::uint64_t generation) {
  return {.id = point_id(epoch, generation),
          .generation = generation,
          .epoch = epoch,
          .host = "mn1",
          .taken = at("2026-11-21T03:04:05.678Z"),
          .position = "position " + std::to_string(generation),
          .content = "content " + std::to_string(generation)};
}

LiveDatabase live(std::uint64_t generation) {
  return {.engine = "sqlite",
          .directory = "/etc/xcat",
          .position = "position " + std::to_string(generation),
          .tables = 72,
          .healthy = true,
          .now = at("2026-11-21T03:04:15.678Z"),
          .snapshot = point(1, generation)};
}

ReplicationContext context() {
  return {.primary = "mn1",
          .standby = "mn2",
          .program = {"hamn", "--config", "/etc/hamn/hamn.toml"},
          .location = {.engine = Engine::sqlite, .directory = "/etc/xcat"},
          .directories = database_directories("/var/lib/hamn")};
}

class SqliteDriverTest : public ::testing::Test {
 protected:
  base::Finding live_finding(const LiveDatabase& database) {
    ScriptedHost host{"mn1"};
    host.expect_run({"hamn", "--config", "/etc/hamn/hamn.toml", "db", "inspect", "--json"},
                    printed(format_live(database)));
    return driver_->inspect_live(host);
  }
  base::Finding points_finding(const std::vector<PointSummary>& points) {
    ScriptedHost host{"mn2"};
    host.expect_run(
        {"hamn", "--config", "/etc/hamn/hamn.toml", "db", "points", "--json"},
        printed(format_points({.now = at("2026-11-21T03:05:05.678Z"), .points = points})));
    return driver_->inspect_points(host);
  }
  std::vector<std::string> commands(const base::Plan& plan) {
    std::vector<std::string> lines;
    for (const auto& action : plan.actions) {
      lines.push_back(action.host + ": " + base::to_text(action));
    }
    return lines;
  }
  std::unique_ptr<ReplicationDriver> driver_ = make_driver(context());
};

using Lines = std::vector<std::string>;
const Lines ship{"mn1: hamn --config /etc/hamn/hamn.toml db snapshot",
                 "mn1: hamn --config /etc/hamn/hamn.toml sync run --set database",
                 "mn2: hamn --config /etc/hamn/hamn.toml db accept"};

TEST_F(SqliteDriverTest, SeesAHealthyDatabase) {
  const auto finding = live_finding(live(42));
  EXPECT_EQ(finding.state, base::State::done);
  EXPECT_EQ(finding.why, "72 tables in /etc/xcat on mn1");
  EXPECT_EQ(finding.facts.at("position"), "position 42");
  EXPECT_EQ(finding.facts.at("snapshot_generation"), "42");
}

TEST_F(SqliteDriverTest, SeesWhatIsWrong) {
  auto database = live(42);
  database.healthy = false;
  database.problem = "there is no table in /etc/xcat";
  const auto finding = live_finding(database);
  EXPECT_EQ(finding.state, base::State::blocked);
  EXPECT_EQ(finding.why, "on mn1, there is no table in /etc/xcat");
}

TEST_F(SqliteDriverTest, SeesTheNewestPointThatCanBeUsed) {
  auto damaged = point(1, 43);
  damaged.problem = "site.sqlite is missing";
  const auto finding = points_finding({damaged, point(1, 42), point(1, 41)});
  EXPECT_EQ(finding.state, base::State::done);
  EXPECT_EQ(finding.why, "mn2 has p0001-00000042, equal to mn1 at 2026-11-21T03:04:05.678Z");
  EXPECT_EQ(finding.facts.at("id"), "p0001-00000042");
  EXPECT_EQ(finding.facts.at("age"), "1 min");
  EXPECT_EQ(finding.facts.at("damaged"), "p0001-00000043: site.sqlite is missing");
  EXPECT_EQ(finding.facts.at("highest_generation"), "43");
}

TEST_F(SqliteDriverTest, TellsNoPointFromNoneThatCanBeUsed) {
  EXPECT_EQ(points_finding({}).state, base::State::due);
  EXPECT_EQ(points_finding({}).why, "mn2 has no recovery point of the database");
  auto damaged = point(1, 43);
  damaged.problem = "site.sqlite is missing";
  EXPECT_EQ(points_finding({damaged}).state, base::State::blocked);
  EXPECT_EQ(points_finding({damaged}).why,
            "mn2 has no recovery point of the database that can be used: p0001-00000043: "
            "site.sqlite is missing");
}

TEST_F(SqliteDriverTest, ThrowsIfItCannotFindOut) {
  ScriptedHost host{"mn1"};
  host.expect_run({"hamn", "--config", "/etc/hamn/hamn.toml", "db", "inspect", "--json"},
                  failed(2, "hamn: no configuration\n"));
  try {
    (void)driver_->inspect_live(host);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_STREQ(error.what(), "cannot look at the database on mn1");
    EXPECT_NE(error.detail().find("no configuration"), std::string::npos);
  }
}

TEST_F(SqliteDriverTest, ComparesWithThePointThatWasPromoted) {
  ScriptedHost host{"mn2"};
  const ScriptedHost::Argv command{"hamn",    "--config", "/etc/hamn/hamn.toml", "db",
                                   "compare", "--point",  "p0001-00000042",      "--json"};
  host.expect_run(command, printed(format_comparison({.point = "p0001-00000042", .equal = true})));
  host.expect_run(
      command,
      printed(format_comparison({.point = "p0001-00000042",
                                 .equal = false,
                                 .differences = {"a: is missing", "b: 1 rows instead of 2"}})));
  const base::Facts facts{{"id", "p0001-00000042"}};
  EXPECT_EQ(driver_->inspect_promoted(host, facts).state, base::State::done);
  const auto other = driver_->inspect_promoted(host, facts);
  EXPECT_EQ(other.state, base::State::due);
  EXPECT_EQ(other.why,
            "the tables on mn2 differ from p0001-00000042 in 2: a: is missing; b: 1 "
            "rows instead of 2");
  EXPECT_THROW((void)driver_->inspect_promoted(host, {}), base::Error);
}

TEST_F(SqliteDriverTest, SeedsByTakingShippingAndAccepting) {
  auto database = live(1);
  database.snapshot.reset();
  const Replica seen{.primary = live_finding(database), .standby = points_finding({})};
  EXPECT_EQ(commands(driver_->seed(seen)), ship);
  EXPECT_EQ(driver_->seed(seen), driver_->catch_up(seen));
}

TEST_F(SqliteDriverTest, HasNothingToDoWhileTheStandbyEqualsThePrimary) {
  EXPECT_TRUE(
      driver_
          ->catch_up({.primary = live_finding(live(42)), .standby = points_finding({point(1, 42)})})
          .actions.empty());
}

TEST_F(SqliteDriverTest, CatchesUpWhateverIsBehind) {
  const auto plan_for = [&](const LiveDatabase& primary, const std::vector<PointSummary>& points) {
    return commands(
        driver_->catch_up({.primary = live_finding(primary), .standby = points_finding(points)}));
  };
  auto moved = live(42);
  moved.position = "elsewhere";
  EXPECT_EQ(plan_for(moved, {point(1, 42)}), ship) << "something was written";
  EXPECT_EQ(plan_for(live(42), {point(1, 41)}), ship) << "the snapshot did not arrive";
  EXPECT_EQ(plan_for(live(42), {}), ship);
  auto later = live(42);
  later.now = at("2026-11-21T03:05:05.679Z");
  EXPECT_EQ(plan_for(later, {point(1, 42)}), ship) << "nobody knows any more that it is the same";
  auto damaged = point(1, 42);
  damaged.problem = "site.sqlite is missing";
  EXPECT_EQ(plan_for(live(42), {damaged}), ship);
}

TEST_F(SqliteDriverTest, ExceedsTheStandbysGenerationIfThePrimaryCountsAnew) {
  const auto snapshot_of = [&](const LiveDatabase& primary,
                               const std::vector<PointSummary>& points) {
    return commands(driver_->catch_up(
                        {.primary = live_finding(primary), .standby = points_finding(points)}))
        .at(0);
  };
  const std::string plain = "mn1: hamn --config /etc/hamn/hamn.toml db snapshot";
  auto lost = live(1);
  lost.snapshot.reset();
  EXPECT_EQ(snapshot_of(lost, {point(1, 42)}), plain + " --after 42");
  EXPECT_EQ(snapshot_of(live(3), {point(1, 42)}), plain + " --after 42");
  auto other = live(42);
  other.position = "elsewhere";
  other.snapshot->content = "something else";
  EXPECT_EQ(snapshot_of(other, {point(1, 42)}), plain + " --after 42");
  EXPECT_EQ(snapshot_of(live(43), {point(1, 42)}), plain);
  auto new_epoch = live(1);
  new_epoch.snapshot = point(2, 1);
  EXPECT_EQ(snapshot_of(new_epoch, {point(1, 42)}), plain);
}

TEST_F(SqliteDriverTest, DoesNotPlanInTheDark) {
  const auto primary = live_finding(live(42));
  const auto standby = points_finding({point(1, 42)});
  const base::Finding unknown{.state = base::State::unknown, .why = "mn2 does not answer"};
  const base::Finding blocked{.state = base::State::blocked, .why = "on mn1, there is no table"};
  for (const auto& seen : {Replica{.primary = primary, .standby = unknown},
                           Replica{.primary = unknown, .standby = standby},
                           Replica{.primary = blocked, .standby = standby}}) {
    EXPECT_THROW((void)driver_->catch_up(seen), base::Error);
    EXPECT_THROW((void)driver_->seed(seen), base::Error);
  }
}

TEST_F(SqliteDriverTest, PromotesVerifiesAndGoesBackByCommandsOnTheStandby) {
  const auto points = points_finding({point(1, 42)});
  EXPECT_EQ(commands(driver_->promote(points)),
            Lines{"mn2: hamn --config /etc/hamn/hamn.toml db swap-in --point p0001-00000042"});
  EXPECT_EQ(commands(driver_->verify(points)),
            Lines{"mn2: hamn --config /etc/hamn/hamn.toml db verify --point p0001-00000042"});
  EXPECT_EQ(commands(driver_->undo_promote(points.facts)),
            Lines{"mn2: hamn --config /etc/hamn/hamn.toml db swap-back"});
  EXPECT_TRUE(driver_->undo_promote({}).actions.empty());
}

TEST_F(SqliteDriverTest, RefusesToPromoteNothing) {
  try {
    (void)driver_->promote(points_finding({}));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Exit::refused);
    EXPECT_EQ(error.detail(), "mn2 has no recovery point of the database");
  }
}

TEST_F(SqliteDriverTest, HasNoServerToDemoteOrToPointElsewhere) {
  EXPECT_EQ(driver_->name(), "sqlite");
  EXPECT_TRUE(driver_->demote(live_finding(live(1))).actions.empty());
  EXPECT_TRUE(driver_->repoint({.hostname = "mn1", .address = "10.1.0.1"}).actions.empty());
}

TEST(DriversTest, SaysHonestlyWhatItCannotReplicate) {
  const std::vector<std::pair<Engine, std::string>> engines{
      {Engine::postgresql, "hamn cannot replicate a PostgreSQL database yet"},
      {Engine::mysql, "hamn cannot replicate a MySQL database yet"},
      {Engine::db2, "hamn cannot replicate a DB2 database yet"},
      {Engine::csv, "hamn cannot replicate a CSV database"}};
  for (const auto& [engine, sentence] : engines) {
    auto other = context();
    other.location = {.engine = engine, .origin = "/etc/xcat/cfgloc", .password = "s3cr3t"};
    try {
      (void)make_driver(other);
      ADD_FAILURE() << sentence;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.what(), sentence);
      EXPECT_EQ(error.code(), base::Exit::usage);
      EXPECT_FALSE(error.hint().empty());
      EXPECT_EQ((error.detail() + error.hint()).find("s3cr3t"), std::string::npos);
    }
    EXPECT_EQ(parse_engine(to_text(engine)), engine);
  }
}

}  // namespace
}  // namespace hamn::dbrepl
