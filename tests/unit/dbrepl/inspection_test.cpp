#include "dbrepl/inspection.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "dbrepl/sqlite_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/dbrepl/tables.h"

namespace hamn::dbrepl {
namespace {

namespace fs = std::filesystem;
using hamn::test::FakeClock;
using hamn::test::TemporaryDirectory;

class InspectionTest : public ::testing::Test {
 protected:
  InspectionTest() {
    tables_.create("nodelist");
    tables_.create("site");
    tables_.put("site", "master", "10.1.0.1");
  }
  LiveDatabase inspect() { return inspect_here(location_, directories_, clock_); }
  void take_and_accept() {
    (void)take_sqlite_snapshot(disk_, clock_,
                               {.directory = location_.directory,
                                .outgoing = directories_.outgoing,
                                .host = "mn1",
                                .epoch = 2});
    (void)accept_sqlite_point(disk_, directories_.outgoing, directories_.points, 5);
  }

  TemporaryDirectory root_;
  base::RealDisk disk_;
  FakeClock clock_;
  test::Tables tables_{root_ / "xcat"};
  DatabaseLocation location_{
      .engine = Engine::sqlite, .origin = "default /etc/xcat", .directory = root_ / "xcat"};
  DatabaseDirectories directories_ = database_directories(root_ / "state");
};

TEST_F(InspectionTest, TellsWhatIsLive) {
  const auto live = inspect();
  EXPECT_EQ(live.engine, "sqlite");
  EXPECT_EQ(live.directory, root_ / "xcat");
  EXPECT_EQ(live.position, sqlite_position(root_ / "xcat"));
  EXPECT_EQ(live.tables, 2U);
  EXPECT_TRUE(live.healthy);
  EXPECT_EQ(live.problem, "");
  EXPECT_EQ(live.now, clock_.wall());
  EXPECT_FALSE(live.snapshot);
}

TEST_F(InspectionTest, TellsTheLastSnapshotAndThePoints) {
  take_and_accept();
  const auto live = inspect();
  ASSERT_TRUE(live.snapshot);
  EXPECT_EQ(live.snapshot->id, "p0002-00000001");
  EXPECT_EQ(live.snapshot->position, live.position);
  const auto kept = inspect_points_here(directories_, clock_);
  ASSERT_EQ(kept.points.size(), 1U);
  EXPECT_EQ(kept.points[0], live.snapshot);
  EXPECT_EQ(kept.points[0].tables.at(1).rows, 1U);
  fs::remove(directories_.points + "/p0002-00000001/manifest.json");
  const auto damaged = inspect_points_here(directories_, clock_);
  EXPECT_EQ(damaged.points.at(0).id, "p0002-00000001");
  EXPECT_EQ(damaged.points.at(0).problem, "its manifest is missing or far too large");
}

TEST_F(InspectionTest, ChangesNothing) {
  const auto before = test::tree_of(root_.path());
  (void)inspect();
  (void)inspect_points_here(directories_, clock_);
  EXPECT_EQ(test::tree_of(root_.path()), before);
}

TEST_F(InspectionTest, NamesWhatIsWrongWithTheTables) {
  test::write(tables_.file("site"), "far from a database, and longer than its magic");
  EXPECT_FALSE(inspect().healthy);
  EXPECT_EQ(inspect().problem, "site is not a SQLite database");
  test::write(tables_.file("site"), "");
  EXPECT_TRUE(inspect().healthy) << "xCAT makes such files";
  fs::remove(tables_.file("site"));
  fs::remove(tables_.file("nodelist"));
  EXPECT_EQ(inspect().problem, "there is no table in " + (root_ / "xcat"));
  fs::remove_all(root_ / "xcat");
  EXPECT_EQ(inspect().problem,
            "there is no directory " + (root_ / "xcat") + " (default /etc/xcat)");
}

TEST_F(InspectionTest, NamesAnInterruptedSwap) {
  fs::create_directories(root_ / "state/database");
  test::write(root_ / "state/database/swap.json",
              R"({"format": 1, "target": "p0002-00000007", "directory": "/etc/xcat"})");
  EXPECT_FALSE(inspect().healthy);
  EXPECT_EQ(inspect().problem,
            "putting p0002-00000007 in charge was interrupted: the tables are a mixture until that "
            "is run again");
}

TEST_F(InspectionTest, SaysOfOtherEnginesThatTheyCannotBeReplicatedYet) {
  location_ = {.engine = Engine::postgresql, .origin = "/etc/xcat/cfgloc", .database = "xcatdb"};
  EXPECT_FALSE(inspect().healthy);
  EXPECT_EQ(inspect().engine, "postgresql");
  EXPECT_EQ(inspect().problem, "hamn cannot replicate a PostgreSQL database yet");
  EXPECT_THROW((void)compare_here(location_, directories_, ""), base::Error);
}

TEST_F(InspectionTest, ComparesTheLiveTablesWithAPoint) {
  take_and_accept();
  EXPECT_EQ(compare_here(location_, directories_, "p0002-00000001"),
            (Comparison{.point = "p0002-00000001", .equal = true}));
  tables_.put("site", "domain", "cluster.test");
  tables_.create("extra");
  const auto comparison = compare_here(location_, directories_, "");
  EXPECT_FALSE(comparison.equal);
  EXPECT_EQ(comparison.differences,
            (std::vector<std::string>{"site: 2 rows instead of 1", "extra: should not be there"}));
  EXPECT_THROW((void)compare_here(location_, directories_, "p0002-00000009"), base::Error);
}

TEST_F(InspectionTest, ReadsItsOwnJson) {
  take_and_accept();
  const auto live = inspect();
  EXPECT_EQ(parse_live(format_live(live), "mn1"), live);
  const auto kept = inspect_points_here(directories_, clock_);
  EXPECT_EQ(parse_points(format_points(kept), "mn2"), kept);
  const Comparison comparison{.point = "p", .equal = false, .differences = {"a: is missing"}};
  EXPECT_EQ(parse_comparison(format_comparison(comparison), "mn2"), comparison);
}

TEST_F(InspectionTest, KeepsItsContract) {
  take_and_accept();
  const auto live = nlohmann::json::parse(format_live(inspect()));
  for (const char* name :
       {"engine", "directory", "position", "tables", "healthy", "problem", "now", "snapshot"}) {
    EXPECT_TRUE(live.contains(name)) << name;
  }
  const auto kept = nlohmann::json::parse(format_points(inspect_points_here(directories_, clock_)));
  for (const char* name :
       {"id", "generation", "epoch", "host", "taken", "position", "content", "problem", "tables"}) {
    EXPECT_TRUE(kept["points"][0].contains(name)) << name;
  }
  EXPECT_EQ(kept["points"][0]["tables"][1]["name"], "site");
}

TEST_F(InspectionTest, LooksThroughMembersOfLaterVersions) {
  auto object = nlohmann::json::parse(format_live(inspect()));
  object["later"] = 1;
  EXPECT_EQ(parse_live(object.dump(), "mn1"), inspect());
}

TEST_F(InspectionTest, NamesTheHostWhoseAnswerMakesNoSense) {
  const auto json = format_live(inspect());
  for (std::size_t size = 0; size + 2 < json.size(); ++size) {
    EXPECT_THROW((void)parse_live(json.substr(0, size), "mn1"), base::Error) << size;
  }
  auto object = nlohmann::json::parse(json);
  object["tables"] = -1;
  try {
    (void)parse_live(object.dump(), "mn1");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_STREQ(error.what(), "cannot understand what mn1 answers to hamn db inspect --json");
    EXPECT_EQ(error.detail(), "tables is not a number");
  }
  EXPECT_THROW((void)parse_points("{}", "mn2"), base::Error);
  EXPECT_THROW((void)parse_points(R"({"now":"2026-11-21T03:04:05.678Z","points":[{}]})", "mn2"),
               base::Error);
  EXPECT_THROW((void)parse_comparison(R"({"point":"p","equal":"yes","differences":[]})", "mn2"),
               base::Error);
}

}  // namespace
}  // namespace hamn::dbrepl
