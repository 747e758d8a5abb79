#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/error.h"
#include "dbrepl/sqlite_copy.h"
#include "dbrepl/sqlite_store.h"
#include "dbrepl/sqlite_tables.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/dbrepl/faults.h"
#include "tests/unit/dbrepl/tables.h"

namespace hamn::dbrepl {
namespace {

using hamn::test::FakeClock;
using hamn::test::TemporaryDirectory;
using test::Tables;

class SnapshotFaultsTest : public ::testing::Test {
 protected:
  SnapshotFaultsTest() {
    for (const char* table : {"a", "b", "c"}) {
      tables_.create(table);
      tables_.put(table, "counter", "0");
    }
  }
  ~SnapshotFaultsTest() override { test::restore_sqlite(); }

  [[nodiscard]] int count(const std::string& directory, const std::string& table) const {
    return std::stoi(Tables{directory}.value(table, "counter"));
  }
  RecoveryPoint take(base::Clock& clock) { return take_sqlite_snapshot(disk_, clock, request_); }
  /// Never "nothing" and never a mixture.
  void expect_a_good_snapshot(const std::string& when) {
    const auto kept = read_point(disk_, request_.outgoing);
    ASSERT_EQ(kept.problem, "") << when;
    for (const auto& table : kept.point->tables) {
      ASSERT_EQ(check_sqlite_point(kept), std::vector<std::string>{}) << when << " " << table.name;
    }
  }

  TemporaryDirectory root_;
  test::FaultyDisk disk_;
  base::RealClock clock_;
  FakeClock fake_clock_;
  Tables tables_{root_ / "xcat"};
  SnapshotRequest request_{
      .directory = root_ / "xcat", .outgoing = root_ / "outgoing", .host = "mn1", .epoch = 1};
};

TEST_F(SnapshotFaultsTest, NeverSeesALaterTableNewerThanAnEarlierOne) {
  test::Child writer{[&] {
    for (int i = 1; i < 100'000; ++i) {
      for (const char* table : {"a", "b", "c"}) tables_.put(table, "counter", std::to_string(i));
    }
    return 0;
  }};
  int different = 0;
  std::uint64_t generation = 0;
  for (int i = 0; i < 2000 && different < 15; ++i) {
    const auto point = take(clock_);
    different += point.generation != generation ? 1 : 0;
    generation = point.generation;
    const int a = count(request_.outgoing, "a");
    const int b = count(request_.outgoing, "b");
    const int c = count(request_.outgoing, "c");
    // The writer commits a, then b, then c: at any one moment a is ahead by one at most.
    ASSERT_TRUE(a >= b && b >= c && a - c <= 1) << a << " " << b << " " << c;
  }
  EXPECT_EQ(different, 15) << "the writer did not write";
}

TEST_F(SnapshotFaultsTest, LetsNobodyWriteDuringTheCut) {
  test::Outsider outsider;
  auto locked = LockedTables::take(disk_, clock_, root_ / "xcat", LockKind::write);
  ScratchDirectory scratch{disk_, root_ / "scratch"};
  const auto try_to_write = [&](const std::string& after) {
    EXPECT_EQ(outsider.try_execute(tables_.file("b"), "UPDATE b SET value = 'torn'"), SQLITE_BUSY)
        << "after " << after;
  };
  try_to_write("locking");
  (void)locked.positions();
  try_to_write("reading positions");
  for (const auto& table : locked.tables()) copy_locked(disk_, table, scratch);
  try_to_write("copying");
  (void)sqlite_position(root_ / "xcat");
  try_to_write("a second look at positions");
  (void)table_names(disk_, root_ / "xcat");
  try_to_write("listing");
  EXPECT_EQ(outsider.try_execute(tables_.file("b"), "SELECT * FROM b"), SQLITE_OK)
      << "readers go on";
}

// Why the test above is needed: this is what one careless look does.
TEST_F(SnapshotFaultsTest, WouldLoseItsLocksToAPlainOpenAndClose) {
  test::Outsider outsider;
  auto locked = LockedTables::take(disk_, clock_, root_ / "xcat", LockKind::write);
  (void)test::read(tables_.file("b"));
  EXPECT_EQ(outsider.try_execute(tables_.file("b"), "UPDATE b SET value = 'torn'"), SQLITE_OK);
}

TEST_F(SnapshotFaultsTest, LeavesTheOldSnapshotOrTheNewWhereverItIsKilled) {
  take(fake_clock_);
  int survived = 0;
  for (int nth = 1; survived == 0; ++nth) {
    ASSERT_LT(nth, 2000);
    tables_.put("b", "counter", std::to_string(nth));
    tables_.put("c", "counter", std::to_string(nth));
    test::Child child{[&] {
      test::watch_sqlite();
      test::arm(test::Fault::kill, nth);
      (void)take(fake_clock_);
      return 0;
    }};
    const int code = child.wait();
    survived += code == 0 ? 1 : 0;
    ASSERT_TRUE(code == 0 || code == 128 + SIGKILL);
    expect_a_good_snapshot("killed at change " + std::to_string(nth));
    ASSERT_EQ(count(request_.outgoing, "b"), count(request_.outgoing, "c"));
    ASSERT_LE(nth - count(request_.outgoing, "b"), 1);
    // And the next one goes on from there.
    take(fake_clock_);
    ASSERT_EQ(count(request_.outgoing, "b"), nth);
    ASSERT_EQ(std::distance(std::filesystem::directory_iterator{root_.path()}, {}), 2);
  }
}

TEST_F(SnapshotFaultsTest, LeavesTheOldSnapshotWhereverTheDiskIsFull) {
  take(fake_clock_);
  test::watch_sqlite();
  bool finished = false;
  for (int nth = 1; !finished; ++nth) {
    ASSERT_LT(nth, 2000);
    tables_.put("b", "counter", std::to_string(nth));
    const auto before = test::tree_of(request_.outgoing);
    test::arm(test::Fault::full, nth);
    try {
      (void)take(fake_clock_);
      finished = true;
    } catch (const base::Error& error) {
      ASSERT_FALSE(error.hint().empty());
      ASSERT_EQ(test::tree_of(request_.outgoing), before) << "full at change " << nth;
    }
    test::arm(test::Fault::none, 0);
    ASSERT_EQ(std::distance(std::filesystem::directory_iterator{root_.path()}, {}), 2)
        << "what was begun takes no room";
  }
}

TEST_F(SnapshotFaultsTest, BringsBackTheOldSnapshotBetweenTwoRenames) {
  take(fake_clock_);
  const auto before = test::tree_of(request_.outgoing);
  // Where names cannot be exchanged: the old one is away, the new one not yet in place.
  std::filesystem::rename(request_.outgoing, request_.outgoing + ".old");
  std::filesystem::create_directory(request_.outgoing + ".new");
  take(fake_clock_);
  EXPECT_EQ(read_point(disk_, request_.outgoing).point->generation, 1U);
  EXPECT_EQ(test::tree_of(request_.outgoing).at("b.sqlite"), before.at("b.sqlite"));
  EXPECT_FALSE(std::filesystem::exists(request_.outgoing + ".old"));
}

}  // namespace
}  // namespace hamn::dbrepl
