#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <iostream>

#include "base/text.h"
#include "dbrepl/sqlite_store.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/dbrepl/tables.h"

namespace hamn::dbrepl {
namespace {

namespace fs = std::filesystem;

/// Prints; never fails for being slow.
template <typename Work>
void timed(const std::string& what, Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  std::cout << "  " << what << ": "
            << base::human_duration(std::chrono::steady_clock::now() - start) << "\n";
}

TEST(DatabasePerformanceTest, CopesWithTenThousandNodes) {
  const hamn::test::TemporaryDirectory root;
  test::Tables live{root / "xcat"};
  test::Tables standby{root / "standby"};
  for (int i = 0; i < 100; ++i) {
    const auto name = "table" + std::to_string(i);
    live.create(name);
    standby.create(name);
    live.fill(name, i % 25 == 0 ? 10'000 : 10);
  }
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(live.directory())) bytes += entry.file_size();
  std::cout << "  100 tables, " << base::human_size(bytes) << "\n";
  base::RealDisk disk;
  base::RealClock clock;
  const SnapshotRequest request{
      .directory = live.directory(), .outgoing = root / "db/outgoing", .host = "mn1", .epoch = 1};
  timed("first snapshot", [&] { (void)take_sqlite_snapshot(disk, clock, request); });
  timed("snapshot without a change", [&] { (void)take_sqlite_snapshot(disk, clock, request); });
  live.put("table0", "node00001", "changed");
  timed("snapshot with one change", [&] { (void)take_sqlite_snapshot(disk, clock, request); });
  timed("position", [&] { (void)sqlite_position(live.directory()); });
  timed("first accept",
        [&] { (void)accept_sqlite_point(disk, request.outgoing, root / "db/points", 5); });
  timed("accept again",
        [&] { (void)accept_sqlite_point(disk, request.outgoing, root / "db/points", 5); });
  timed("swap in", [&] {
    swap_in_sqlite_point(disk, clock,
                         {.point = *newest_point(root / "db/points"),
                          .directory = standby.directory(),
                          .undo = root / "db/undo"});
  });
  timed("compare", [&] { (void)read_sqlite_tables(standby.directory()); });
  EXPECT_EQ(standby.value("table0", "node00001"), "changed");
}

}  // namespace
}  // namespace hamn::dbrepl
