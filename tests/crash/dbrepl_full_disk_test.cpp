// What a disk that is full from any change on, hamn's or SQLite's, leaves behind of a snapshot, of
// an accepted point and of a swap: what was there before.

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include "base/error.h"
#include "tests/unit/dbrepl/worlds.h"

namespace hamn::dbrepl {
namespace {

namespace fs = std::filesystem;

/// Does `work` on a disk that is full from its nth change on. The error, or nothing if there was
/// room for everything.
std::optional<base::Error> error_when_full_at(int nth, const std::function<void()>& work) {
  constexpr int more_than_any = 3000;
  if (nth >= more_than_any) throw std::runtime_error{"the work never ends"};
  std::optional<base::Error> caught;
  test::watch_sqlite();
  test::arm(test::Fault::full, nth);
  try {
    work();
  } catch (const base::Error& error) {
    caught = error;
  }
  test::arm(test::Fault::none, 0);
  return caught;
}

class SnapshotFullDiskTest : public test::SnapshotWorld {};

TEST_F(SnapshotFullDiskTest, LeavesTheOldSnapshotWhereverTheDiskIsFull) {
  take(fake_clock_);
  bool finished = false;
  for (int nth = 1; !finished; ++nth) {
    tables_.put("b", "counter", std::to_string(nth));
    const auto before = test::tree_of(request_.outgoing);
    const auto error = error_when_full_at(nth, [&] { take(fake_clock_); });
    finished = !error;
    if (error) {
      ASSERT_FALSE(error->hint().empty());
      ASSERT_EQ(test::tree_of(request_.outgoing), before) << "full at change " << nth;
    }
    ASSERT_EQ(std::distance(fs::directory_iterator{root_.path()}, {}), 2)
        << "what was begun takes no room";
  }
}

class AcceptFullDiskTest : public test::AcceptWorld {};

TEST_F(AcceptFullDiskTest, KeepsOldPointsWhereverTheDiskIsFull) {
  snapshot();
  ship();
  accept();
  bool finished = false;
  for (int nth = 1; !finished; ++nth) {
    tables_.put("site", "changed", std::to_string(nth));
    snapshot();
    ship();
    const auto before = test::tree_of(points_);
    const auto error = error_when_full_at(nth, [&] { (void)accept(2); });
    finished = !error;
    if (!error) continue;
    ASSERT_FALSE(error->hint().empty());
    ASSERT_EQ(test::tree_of(points_), before) << "full at change " << nth;
  }
}

class SwapFullDiskTest : public test::SwapWorld {};

TEST_F(SwapFullDiskTest, SaysWhetherAFullDiskLeftAMixture) {
  bool finished = false;
  for (int nth = 1; !finished; ++nth) {
    const auto error = error_when_full_at(nth, [&] { swap_in(); });
    finished = !error;
    if (!error) continue;
    ASSERT_EQ(error->code(), base::Exit::failed);
    ASSERT_EQ(standby_.all(), old_) << "full at change " << nth;
    ASSERT_FALSE(interrupted_swap(undo_));
    expect_only(3);
  }
  EXPECT_EQ(standby_.all(), new_);
}

}  // namespace
}  // namespace hamn::dbrepl
