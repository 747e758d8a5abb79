#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/clock.h"
#include "dbrepl/sqlite_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/dbrepl/faults.h"
#include "tests/unit/dbrepl/tables.h"

namespace hamn::dbrepl::test {

// What the unit suites of recovery points look at in peace, and the crash suites while they break
// it.

/// A disk that does something of the test's between two things of hamn's.
class HookedDisk : public FaultyDisk {
 public:
  std::function<void(const std::string& name)> before_creating;
  std::function<void(const std::string& name)> after_renaming;
  base::Fd create_file(int directory, const std::string& name, unsigned mode) override;
  void rename(int from, const std::string& old_name, int to, const std::string& new_name) override;
};

/// Three tables of a primary, each with a counter, and where their snapshots go.
class SnapshotWorld : public ::testing::Test {
 protected:
  SnapshotWorld();
  ~SnapshotWorld() override { restore_sqlite(); }

  [[nodiscard]] static int count(const std::string& directory, const std::string& table);
  RecoveryPoint take(base::Clock& clock) { return take_sqlite_snapshot(disk_, clock, request_); }

  hamn::test::TemporaryDirectory root_;
  FaultyDisk disk_;
  base::RealClock clock_;
  hamn::test::FakeClock fake_clock_;
  Tables tables_{root_ / "xcat"};
  SnapshotRequest request_{
      .directory = root_ / "xcat", .outgoing = root_ / "outgoing", .host = "mn1", .epoch = 1};
};

/// Snapshots of a primary on their way to the points of a standby.
class AcceptWorld : public ::testing::Test {
 protected:
  AcceptWorld();
  ~AcceptWorld() override { restore_sqlite(); }

  RecoveryPoint snapshot();
  /// As shipping does: what changed comes as a new file under the old name, the rest stays.
  void ship();
  RecoveryPoint accept(std::uint64_t keep = 5) {
    return accept_sqlite_point(disk_, incoming_, points_, keep);
  }

  hamn::test::TemporaryDirectory root_;
  FaultyDisk disk_;
  hamn::test::FakeClock clock_;
  Tables tables_{root_ / "xcat"};
  SnapshotRequest request_{
      .directory = root_ / "xcat", .outgoing = root_ / "outgoing", .host = "mn1", .epoch = 1};
  std::string incoming_ = root_ / "incoming";
  std::string points_ = root_ / "points";
};

/// A standby with tables of its own and a recovery point to put in their place.
class SwapWorld : public ::testing::Test {
 protected:
  SwapWorld();
  ~SwapWorld() override { restore_sqlite(); }

  KeptPoint make_point(std::uint64_t generation);
  void swap_in(const KeptPoint& point);
  void swap_in() { swap_in(point_); }
  void swap_back() { swap_back_sqlite(disk_, clock_, standby_.directory(), undo_); }
  /// Only the tables and nothing else, in the live directory.
  void expect_only(std::size_t tables) { EXPECT_EQ(tree_of(standby_.directory()).size(), tables); }

  hamn::test::TemporaryDirectory root_;
  HookedDisk disk_;
  hamn::test::FakeClock clock_;
  Tables primary_{root_ / "primary"};
  Tables standby_{root_ / "standby"};
  std::string undo_ = root_ / "database/undo";
  std::map<std::string, std::string> old_;
  std::map<std::string, std::string> new_;
  KeptPoint point_;
};

}  // namespace hamn::dbrepl::test
