#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "tests/unit/takeover/world.h"

namespace hamn::takeover {
namespace {

using base::Exit;
using Given = std::function<void(World&)>;

struct Case {
  std::string name;
  World::Shape shape;
  Given given = [](World&) {};
  bool reboots = false;  ///< the standby loses power where the run ends
};

void PrintTo(const Case& each, std::ostream* stream) {
  *stream << each.name;
}

/// Ends a run at its n-th moment; false if it came through.
bool kill_run(World& world, std::size_t n) {
  world.kill_at(n);
  bool killed = false;
  try {
    (void)world.failover();
  } catch (const Killed&) {
    killed = true;
  }
  world.kill_at(0);
  return killed;
}

void expect_same_end(const World& world, const World& whole, const std::string& where) {
  EXPECT_EQ(world.shown(), whole.shown()) << where;
  for (const auto& row : world.written_by_xcatd) {
    EXPECT_TRUE(world.state.rows.contains(row)) << where << ": lost: " << row;
  }
}

/// Runs until nothing is left to do; a run that finds the takeover finished is refused.
void finish(World& world, const std::string& where) {
  if (world.role() == base::RoleName::primary) {
    EXPECT_EQ(world.failover().code, Exit::refused) << where;
    return;
  }
  const auto outcome = world.failover();
  EXPECT_EQ(outcome.code, Exit::done) << where << ": " << outcome.headline;
}

std::string place(const World& world, std::size_t n) {
  std::string where = "killed at moment " + std::to_string(n);
  if (!world.actions.empty()) where += ", after \"" + world.actions.back() + "\"";
  if (!world.events.empty()) where += " (" + world.events.back().kind + ")";
  return where;
}

class KillMatrix : public testing::TestWithParam<Case> {};

TEST_P(KillMatrix, ConvergesWhereverItIsKilled) {
  World whole{GetParam().shape};
  GetParam().given(whole);
  whole.kill_at(0);
  ASSERT_EQ(whole.failover().code, Exit::done);
  const auto points = whole.moments();
  for (std::size_t n = 1; n <= points; ++n) {
    World world{GetParam().shape};
    GetParam().given(world);
    ASSERT_TRUE(kill_run(world, n));
    const auto where = place(world, n);
    if (GetParam().reboots) world.reboot();
    // Once finished, what a reboot takes away is no longer the takeover's work.
    const bool is_over = world.role() == base::RoleName::primary;
    finish(world, where);
    if (!(GetParam().reboots && is_over)) expect_same_end(world, whole, where);
    if (HasFailure()) return;
  }
  EXPECT_GT(points, 100U);
  std::printf("killed at %zu points: %s\n", points, GetParam().name.c_str());
}

TEST_P(KillMatrix, GoesBackWhereverItIsKilledBeforeThePointOfNoReturn) {
  World measured{GetParam().shape};
  GetParam().given(measured);
  measured.kill_at(0);
  (void)measured.failover();
  std::size_t undone = 0;
  for (std::size_t n = 1; n <= measured.moments(); ++n) {
    World world{GetParam().shape};
    GetParam().given(world);
    const auto before = world.state;
    ASSERT_TRUE(kill_run(world, n));
    const auto where = place(world, n);
    const bool is_past = !world.written_by_xcatd.empty();
    if (GetParam().reboots) world.reboot();
    const auto outcome = world.undo();
    EXPECT_FALSE(is_past && outcome.code == Exit::done) << where;
    if (outcome.code == Exit::refused) break;  // so it stays from here on
    ++undone;
    EXPECT_EQ(world.state.rows, before.rows) << where;
    EXPECT_EQ(world.state.hostname, before.hostname) << where;
    EXPECT_EQ(world.state.files.at("/etc/hostname"), before.files.at("/etc/hostname")) << where;
    EXPECT_EQ(world.role(), base::RoleName::standby) << where;
    auto addresses = world.state.addresses;
    std::sort(addresses.begin(), addresses.end(),
              [](const auto& a, const auto& b) { return a.address < b.address; });
    EXPECT_EQ(addresses, before.addresses) << where;
    if (HasFailure()) return;
  }
  EXPECT_GT(undone, 50U);
  std::printf("undone at %zu points: %s\n", undone, GetParam().name.c_str());
}

void given_more_addresses(World& world) {
  for (const auto* address : {"10.77.0.30", "10.77.0.40"}) {
    world.state.addresses.push_back({.interface = "eth0", .address = address, .prefix_length = 16});
  }
}

std::vector<Case> cases() {
  return {{"Take", {}},
          {"Alias", {.alias = true}},
          {"TakeWithMoreAddresses", {}, given_more_addresses},
          {"TakeWithReboot", {}, [](World&) {}, true},
          {"AliasWithReboot", {.alias = true}, [](World&) {}, true}};
}

INSTANTIATE_TEST_SUITE_P(Cases, KillMatrix, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST(KillTwiceTest, ConvergesThoughTheSecondRunIsKilledAsWell) {
  World whole;
  ASSERT_EQ(whole.failover().code, Exit::done);
  std::size_t points = 0;
  for (std::size_t first = 3; first < 140; first += 17) {
    for (std::size_t second = 2; second < 140; second += 13) {
      World world;
      if (!kill_run(world, first) || world.role() == base::RoleName::primary) continue;
      if (!kill_run(world, second)) continue;
      ++points;
      const auto where = std::to_string(first) + ", then " + place(world, second);
      finish(world, where);
      expect_same_end(world, whole, where);
      if (HasFailure()) return;
    }
  }
  std::printf("killed twice at %zu points\n", points);
}

}  // namespace
}  // namespace hamn::takeover
