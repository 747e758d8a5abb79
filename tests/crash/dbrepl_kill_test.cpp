// What a kill at any change to the disk, hamn's or SQLite's, leaves behind of a snapshot, of an
// accepted point and of a swap.

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>

#include "tests/unit/dbrepl/worlds.h"

namespace hamn::dbrepl {
namespace {

namespace fs = std::filesystem;
using test::Tables;

/// Does `work` in a process that is killed before its nth change; false if it made fewer and ended.
bool is_killed_at(int nth, const std::function<void()>& work) {
  constexpr int more_than_any = 3000;
  if (nth >= more_than_any) throw std::runtime_error{"the work never ends"};
  test::Child child{[&] {
    test::arm(test::Fault::kill, nth);
    work();
    return 0;
  }};
  const int code = child.wait();
  if (code == 0) return false;
  if (code != 128 + SIGKILL) {
    throw std::runtime_error{"not killed, but ended with " + std::to_string(code)};
  }
  return true;
}

void report(int points, const std::string& what) {
  std::cout << "killed at " << points << " points: " << what << "\n";
}

class SnapshotKillTest : public test::SnapshotWorld {
 protected:
  /// Never "nothing" and never a mixture.
  void expect_a_good_snapshot(const std::string& when) {
    const auto kept = read_point(disk_, request_.outgoing);
    ASSERT_EQ(kept.problem, "") << when;
    for (const auto& table : kept.point->tables) {
      ASSERT_EQ(check_sqlite_point(kept), std::vector<std::string>{}) << when << " " << table.name;
    }
  }
};

TEST_F(SnapshotKillTest, LeavesTheOldSnapshotOrTheNewWhereverItIsKilled) {
  take(fake_clock_);
  int points = 0;
  for (bool killed = true; killed;) {
    const int nth = points + 1;
    tables_.put("b", "counter", std::to_string(nth));
    tables_.put("c", "counter", std::to_string(nth));
    killed = is_killed_at(nth, [&] {
      test::watch_sqlite();
      take(fake_clock_);
    });
    points += killed ? 1 : 0;
    expect_a_good_snapshot("killed at change " + std::to_string(nth));
    ASSERT_EQ(count(request_.outgoing, "b"), count(request_.outgoing, "c"));
    ASSERT_LE(nth - count(request_.outgoing, "b"), 1);
    // And the next one goes on from there.
    take(fake_clock_);
    ASSERT_EQ(count(request_.outgoing, "b"), nth);
    ASSERT_EQ(std::distance(fs::directory_iterator{root_.path()}, {}), 2);
  }
  report(points, "snapshot");
}

class AcceptKillTest : public test::AcceptWorld {};

TEST_F(AcceptKillTest, LeavesOldPointsOrMoreWhereverItIsKilled) {
  snapshot();
  ship();
  accept();
  int points = 0;
  for (bool killed = true; killed;) {
    const int nth = points + 1;
    tables_.put("site", "changed", std::to_string(nth));
    const auto taken = snapshot();
    ship();
    const auto known = newest_point(points_)->point->generation;
    killed = is_killed_at(nth, [&] {
      test::watch_sqlite();
      (void)accept(2);
    });
    points += killed ? 1 : 0;
    ASSERT_GE(newest_point(points_)->point->generation, known) << "killed at " << nth;
    for (const auto& kept : list_points(points_)) ASSERT_EQ(kept.problem, "") << kept.directory;
    ASSERT_EQ(accept(2), taken);
    ASSERT_EQ(std::distance(fs::directory_iterator{points_}, {}), 2) << "nothing is left over";
  }
  report(points, "accepted recovery point");
}

class SwapKillTest : public test::SwapWorld {};

TEST_F(SwapKillTest, RollsForwardWhereverItIsKilled) {
  int marked = 0;
  int points = 0;
  for (bool killed = true; killed;) {
    const auto when = "killed at change " + std::to_string(points + 1);
    killed = is_killed_at(points + 1, [&] {
      test::watch_sqlite();
      swap_in();
    });
    points += killed ? 1 : 0;
    if (const auto target = interrupted_swap(undo_)) {
      ASSERT_EQ(*target, "p0001-00000001");
      ++marked;
    } else if (standby_.all() != new_) {
      ASSERT_EQ(standby_.all(), old_) << when;
    }
    swap_in();
    ASSERT_EQ(standby_.all(), new_) << when;
    ASSERT_EQ(Tables{undo_}.all(), old_) << when;
    ASSERT_FALSE(interrupted_swap(undo_)) << when;
    expect_only(3);
    swap_back();
    ASSERT_EQ(standby_.all(), old_) << when;
    expect_only(3);
    fs::remove_all(undo_);
  }
  EXPECT_GT(marked, 5);
  report(points, "swap, rolled forward");
}

TEST_F(SwapKillTest, GoesBackFromWhereverItWasKilled) {
  int points = 0;
  for (bool killed = true; killed;) {
    killed = is_killed_at(points + 1, [&] { swap_in(); });
    points += killed ? 1 : 0;
    if (!fs::exists(undo_)) continue;
    swap_back();
    ASSERT_EQ(standby_.all(), old_) << "killed at change " << points;
    ASSERT_FALSE(interrupted_swap(undo_));
    expect_only(3);
  }
  report(points, "swap, gone back");
}

TEST_F(SwapKillTest, GoesOnWithANewerPointAfterAnInterruption) {
  primary_.put("site", "newer", "yes");
  const auto newer = make_point(2);
  int rolled = 0;
  int points = 0;
  for (bool killed = true; killed;) {
    killed = is_killed_at(points + 1, [&] { swap_in(); });
    points += killed ? 1 : 0;
    if (!interrupted_swap(undo_)) continue;
    ++rolled;
    swap_in(newer);
    ASSERT_EQ(standby_.all(), primary_.all());
    swap_back();
    ASSERT_EQ(standby_.all(), old_);
  }
  EXPECT_GT(rolled, 3);
  report(points, "swap, gone on with a newer point");
}

}  // namespace
}  // namespace hamn::dbrepl
