// What a kill, a cut line, a flipped bit or a power cut at any moment of a pass leaves behind:
// every file old or new, and a pass afterwards that converges.

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <set>

#include "base/error.h"
#include "tests/support/broken_streams.h"
#include "tests/support/forgetful_disk.h"
#include "tests/unit/sync/world.h"

namespace hamn::sync {
namespace {

namespace fs = std::filesystem;
using test::Direction;

/// Every file's content on the standby must be one that the primary had before or after.
class OldOrNew {
 public:
  void know(const std::string& path, const std::string& content) {
    contents_[path].insert(content);
  }
  void check(const World& world, const std::string& when) const {
    for (const auto& [path, allowed] : contents_) {
      const auto target = world.target("data/" + path);
      if (!test::exists(target)) continue;  // not there yet is old, too
      EXPECT_TRUE(allowed.contains(test::content_of(target))) << path << " is torn, " << when;
    }
  }

 private:
  std::map<std::string, std::set<std::string>> contents_;
};

/// A standby with generation 1 of some files, and a primary that has changed all of them since:
/// small ones, one for a delta, a new directory.
struct Changed {
  World world;
  OldOrNew files;

  Changed() {
    put("small", "old small");
    put("directory/second", "old second");
    put("image", noise(700'000, 1));
    world.pass();
    put("small", "new small");
    put("directory/second", noise(3000, 2));
    put("new/deep/file", "new file");
    auto image = noise(700'000, 1);
    image.replace(300'000, 5, "patch");
    put("image", image);
  }

  void put(const std::string& path, const std::string& content) {
    world.given(path, content);
    files.know(path, content);
  }
};

void expect_convergence(Changed& site, const std::string& when) {
  site.files.check(site.world, when);
  const auto result = site.world.pass();
  EXPECT_EQ(result.problem_count, 0U) << when;
  EXPECT_EQ(site.world.source_tree(), site.world.target_tree()) << when;
  for (const auto& entry : fs::recursive_directory_iterator{site.world.target("")}) {
    EXPECT_EQ(entry.path().filename().string().find(".hamn-stage"), std::string::npos) << when;
  }
}

/// Says how far a conversation went in one direction when it is over.
class CountingStream : public base::Stream {
 public:
  CountingStream(std::unique_ptr<test::CuttingStream> inner, Direction direction,
                 std::uint64_t& passed)
      : inner_(std::move(inner)), direction_(direction), passed_(passed) {}
  ~CountingStream() override { passed_ = inner_->passed(direction_); }
  std::size_t read(char* bytes, std::size_t size, base::Milliseconds limit) override {
    return inner_->read(bytes, size, limit);
  }
  void write(std::string_view bytes, base::Milliseconds limit) override {
    inner_->write(bytes, limit);
  }
  void close_write() override { inner_->close_write(); }
  void close() noexcept override { inner_->close(); }
  base::Ending finish(base::Milliseconds limit) override { return inner_->finish(limit); }

 private:
  std::unique_ptr<test::CuttingStream> inner_;
  Direction direction_;
  std::uint64_t& passed_;
};

/// One pass, cut after `at` bytes in one direction. Answers how far it went.
std::uint64_t pass_cut_after(World& world, Direction direction, std::uint64_t at) {
  std::uint64_t passed = 0;
  world.pass([&](std::unique_ptr<base::Stream> stream) -> std::unique_ptr<base::Stream> {
    auto cutting = std::make_unique<test::CuttingStream>(std::move(stream));
    cutting->cut_after(direction, at);
    return std::make_unique<CountingStream>(std::move(cutting), direction, passed);
  });
  return passed;
}

/// Length of the conversation in one direction, from a pass that is not disturbed. Directories come
/// in another order each time, so another pass may be some bytes shorter or longer.
std::uint64_t conversation_length(Direction direction) {
  Changed site;
  return pass_cut_after(site.world, direction, UINT64_MAX);
}

void cut_everywhere(Direction direction) {
  const auto length = conversation_length(direction);
  int cuts = 0;
  const auto step = std::max<std::uint64_t>(1, length / 60);
  for (std::uint64_t at = 0; at < length; at += step) {
    Changed site;
    const auto when = "cut after " + std::to_string(at) + " of " + std::to_string(length);
    try {
      EXPECT_LE(pass_cut_after(site.world, direction, at), at)
          << "a pass succeeded although it was " << when;
    } catch (const base::Error&) {
      ++cuts;
    }
    expect_convergence(site, when);
  }
  EXPECT_GT(cuts, 50);
  std::cout << "the line was cut at " << cuts << " points\n";
}

TEST(SyncCrashTest, ConvergesAfterTheLineWasCutAnywhereOnTheWayThere) {
  cut_everywhere(Direction::writing);
}

TEST(SyncCrashTest, ConvergesAfterTheLineWasCutAnywhereOnTheWayBack) {
  cut_everywhere(Direction::reading);
}

TEST(SyncCrashTest, NoticesEveryFlippedBitThatItTries) {
  int flips = 0;
  for (const auto direction : {Direction::writing, Direction::reading}) {
    const auto bits = conversation_length(direction) * 8;
    for (std::uint64_t bit = 3; bit < bits; bit += bits / 20 + 7) {
      Changed site;
      const auto when = "bit " + std::to_string(bit) + " flipped";
      try {
        site.world.pass([&](std::unique_ptr<base::Stream> stream) -> std::unique_ptr<base::Stream> {
          auto flipping = std::make_unique<test::BitFlippingStream>(std::move(stream));
          flipping->flip_bit(direction, bit);
          return flipping;
        });
        ADD_FAILURE() << "nobody noticed " << when;
      } catch (const base::Error&) {
        ++flips;
      }
      expect_convergence(site, when);
    }
  }
  std::cout << "a bit was flipped at " << flips << " points\n";
}

/// Runs the changed pass on a disk whose power is cut at the n-th operation. False if it had fewer.
bool power_cut_at(std::size_t n, test::PowerLoss loss, test::Moment moment) {
  Changed site;
  test::ForgetfulDisk disk{fs::path{site.world.target("data")}.parent_path()};
  disk.cut_at(n, moment);
  bool was_cut = false;
  try {
    site.world.pass_with(disk, [](std::unique_ptr<base::Stream> stream) { return stream; });
  } catch (const base::Error&) {
    was_cut = true;
  }
  if (disk.operations() < n) return false;
  EXPECT_TRUE(was_cut);
  disk.power_cut(loss);
  expect_convergence(
      site, "power cut at operation " + std::to_string(n) + " (" + disk.last_operation() + ")");
  return true;
}

TEST(SyncCrashTest, ConvergesAfterAPowerCutAtEveryDiskOperation) {
  int cuts = 0;
  for (const auto loss : test::all_power_losses) {
    for (std::size_t n = 1; power_cut_at(n, loss, test::Moment::before); ++n) ++cuts;
  }
  for (std::size_t n = 1;
       power_cut_at(n, test::PowerLoss::keep_names_zero_content, test::Moment::during); ++n) {
    ++cuts;
  }
  std::cout << "the power was cut at " << cuts << " points\n";
  EXPECT_GT(cuts, 100);
}

}  // namespace
}  // namespace hamn::sync
