#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "dbrepl/sqlite_copy.h"
#include "dbrepl/sqlite_tables.h"
#include "tests/unit/dbrepl/worlds.h"

namespace hamn::dbrepl {
namespace {

class SnapshotFaultsTest : public test::SnapshotWorld {};

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
