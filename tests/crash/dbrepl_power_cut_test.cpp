// What a power cut at any change to the disk leaves behind of a snapshot, of an accepted point and
// of a swap.

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>

#include "dbrepl/sqlite_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/forgetful_disk.h"
#include "tests/unit/dbrepl/tables.h"

namespace hamn::dbrepl {
namespace {

namespace fs = std::filesystem;
using hamn::test::cut_power_everywhere;
using hamn::test::FakeClock;
using test::Tables;

void report(std::size_t cuts, const std::string& what) {
  std::cout << "the power was cut at " << cuts << " points: " << what << "\n";
}

SnapshotRequest request(const std::string& root) {
  return {
      .directory = root + "/xcat", .outgoing = root + "/db/outgoing", .host = "mn1", .epoch = 1};
}

/// Two tables, one of which changes, and one snapshot of before.
void given_a_snapshot_and_a_change(const std::string& root) {
  base::RealDisk disk;
  FakeClock clock;
  Tables tables{root + "/xcat"};
  for (const char* table : {"a", "b"}) tables.create(table);
  tables.put("a", "key", "old");
  (void)take_sqlite_snapshot(disk, clock, request(root));
  tables.put("a", "key", "new");
}

KeptPoint outgoing(const std::string& root) {
  base::RealDisk disk;
  return read_point(disk, root + "/db/outgoing");
}

TEST(DatabasePowerCutTest, LeavesTheOldOrTheNewSnapshot) {
  const auto cuts = cut_power_everywhere({
      .given = given_a_snapshot_and_a_change,
      .work =
          [](base::Disk& disk, const std::string& root) {
            FakeClock clock;
            (void)take_sqlite_snapshot(disk, clock, request(root));
          },
      .check =
          [](const std::string& root, bool finished) {
            const auto kept = outgoing(root);
            ASSERT_EQ(kept.problem, "");
            ASSERT_EQ(check_sqlite_point(kept), std::vector<std::string>{});
            if (finished) ASSERT_EQ(kept.point->generation, 2U);
            base::RealDisk disk;
            FakeClock clock;
            ASSERT_EQ(take_sqlite_snapshot(disk, clock, request(root)).generation, 2U);
            ASSERT_EQ(Tables{root + "/db/outgoing"}.value("a", "key"), "new");
          },
  });
  report(cuts, "snapshot");
  EXPECT_GT(cuts, 50U);
}

void ship(const std::string& root) {
  fs::remove_all(root + "/db/incoming");
  fs::copy(root + "/db/outgoing", root + "/db/incoming");
}

TEST(DatabasePowerCutTest, LeavesTheOldPointsOrTheNewOne) {
  const auto cuts = cut_power_everywhere({
      .given =
          [](const std::string& root) {
            base::RealDisk disk;
            FakeClock clock;
            given_a_snapshot_and_a_change(root);
            ship(root);
            (void)accept_sqlite_point(disk, root + "/db/incoming", root + "/db/points", 1);
            (void)take_sqlite_snapshot(disk, clock, request(root));
            ship(root);
          },
      .work =
          [](base::Disk& disk, const std::string& root) {
            (void)accept_sqlite_point(disk, root + "/db/incoming", root + "/db/points", 1);
          },
      .check =
          [](const std::string& root, bool finished) {
            const auto newest = newest_point(root + "/db/points");
            ASSERT_TRUE(newest);
            for (const auto& kept : list_points(root + "/db/points")) ASSERT_EQ(kept.problem, "");
            ASSERT_EQ(check_sqlite_point(*newest), std::vector<std::string>{});
            if (finished) ASSERT_EQ(newest->point->generation, 2U);
            base::RealDisk disk;
            (void)accept_sqlite_point(disk, root + "/db/incoming", root + "/db/points", 1);
            ASSERT_EQ(list_points(root + "/db/points").size(), 1U);
            ASSERT_EQ(newest_point(root + "/db/points")->point->generation, 2U);
          },
  });
  report(cuts, "accepted recovery point");
  EXPECT_GT(cuts, 50U);
}

void swap_in(base::Disk& disk, const std::string& root) {
  FakeClock clock;
  base::RealDisk real;
  swap_in_sqlite_point(disk, clock,
                       {.point = read_point(real, root + "/db/point"),
                        .directory = root + "/xcat",
                        .undo = root + "/db/undo"});
}

/// On a standby: "a" is other than in the point, "b" is missing there, "c" is too much.
void given_a_point_to_put_in_charge(const std::string& root) {
  base::RealDisk disk;
  FakeClock clock;
  Tables primary{root + "/primary"};
  for (const char* table : {"a", "b"}) primary.create(table);
  primary.put("a", "key", "new");
  auto wanted = request(root);
  wanted.directory = primary.directory();
  wanted.outgoing = root + "/db/point";
  (void)take_sqlite_snapshot(disk, clock, wanted);
  fs::remove_all(root + "/primary");
  Tables standby{root + "/xcat"};
  for (const char* table : {"a", "c"}) standby.create(table);
  standby.put("a", "key", "old");
}

TEST(DatabasePowerCutTest, LeavesOldTablesOrAMarkedMixtureThatRollsForward) {
  const auto cuts = cut_power_everywhere({
      .given = given_a_point_to_put_in_charge,
      .work = swap_in,
      .check =
          [](const std::string& root, bool finished) {
            const Tables live{root + "/xcat"};
            const auto now = live.all();
            const bool is_old =
                now.contains("c") && !now.contains("b") && live.value("a", "key") == "old";
            const bool is_new =
                !now.contains("c") && now.contains("b") && live.value("a", "key") == "new";
            if (finished) ASSERT_TRUE(is_new);
            ASSERT_TRUE(is_old || is_new || interrupted_swap(root + "/db/undo"));
            base::RealDisk disk;
            FakeClock clock;
            swap_in(disk, root);
            ASSERT_EQ(live.value("a", "key"), "new");
            ASSERT_FALSE(interrupted_swap(root + "/db/undo"));
            ASSERT_EQ(test::tree_of(root + "/xcat").size(), 2U);
            ASSERT_EQ(Tables{root + "/db/undo"}.value("a", "key"), "old");
            if (!finished) return;
            swap_back_sqlite(disk, clock, root + "/xcat", root + "/db/undo");
            ASSERT_EQ(live.value("a", "key"), "old");
            ASSERT_TRUE(live.all().contains("c"));
          },
  });
  report(cuts, "swap");
  EXPECT_GT(cuts, 100U);
}

}  // namespace
}  // namespace hamn::dbrepl
