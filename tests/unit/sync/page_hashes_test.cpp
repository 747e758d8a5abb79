// Changed pages found on the sender alone: the delta, its limits, what is remembered, whole passes.

#include "sync/page_hashes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/fd.h"
#include "tests/unit/sync/world.h"

namespace hamn::sync {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t page = 4096;
constexpr std::size_t large = smallest_paged_file + 4 * page + 100;

PageHashes hashes_of(const std::string& content) {
  PageHasher hasher{content.size()};
  // In odd pieces: pages are cut across them.
  for (std::size_t at = 0; at < content.size(); at += 10'007)
    hasher.feed(content.substr(at, 10'007));
  return hasher.finish(base::xxh128(content));
}

std::string delta_of(const std::string& before, const std::string& now) {
  const auto hashes = hashes_of(before);
  PageDelta delta{hashes, now.size()};
  std::string out;
  const Sink sink = [&](std::string_view bytes) { out += bytes; };
  for (std::size_t at = 0; at < now.size(); at += 7001) delta.feed(now.substr(at, 7001), sink);
  delta.finish(sink);
  EXPECT_EQ(delta.take_hashes(base::xxh128(now)).pages, hashes_of(now).pages);
  return out;
}

base::Fd file_with(const test::TemporaryDirectory& directory, const std::string& content) {
  test::given_file(directory / "file", content);
  return base::Fd{::open((directory / "file").c_str(), O_RDONLY | O_CLOEXEC)};
}

std::string patched(const std::string& before, const std::string& delta, std::size_t limit) {
  const test::TemporaryDirectory directory;
  const auto basis = file_with(directory, before);
  std::string result;
  Patcher patcher{basis.get(), limit, [&](std::string_view bytes) { result += bytes; }};
  for (std::size_t at = 0; at < delta.size(); at += 13) patcher.feed(delta.substr(at, 13));
  patcher.finish();
  return result;
}

TEST(PageDeltaTest, MakesTheNewFileOutOfTheOldOneAndItsChangedPages) {
  const auto before = noise(50 * page + 100, 1);
  auto changed = before;
  changed[7 * page + 5] ^= 1;
  changed[49 * page] ^= 1;
  changed[50 * page + 99] ^= 1;
  const std::string longer = before + noise(3 * page, 2);
  const std::string shorter = before.substr(0, 20 * page + 17);
  for (const auto& now : {changed, longer, shorter, std::string{}, noise(3 * page, 3)}) {
    const auto delta = delta_of(before, now);
    EXPECT_EQ(patched(before, delta, now.size()), now) << now.size();
  }
  EXPECT_LT(delta_of(before, changed).size(), 3 * page + 200);
}

TEST(PageDeltaTest, GivesNothingOutIfNothingChanged) {
  const auto before = noise(50 * page + 100, 1);
  EXPECT_EQ(delta_of(before, before), "");
}

TEST(PageDeltaTest, TellsLinedUpPagesFromShiftedOnes) {
  const test::TemporaryDirectory directory;
  const auto before = noise(1000 * page, 1);
  const auto hashes = hashes_of(before);
  auto scattered = before;
  for (std::size_t i = 0; i < 1000; i += 50) scattered[i * page] ^= 1;
  auto shifted_late = before;
  shifted_late.insert(960 * page, "inserted");
  const auto lines_up = [&](const std::string& now) {
    const auto file = file_with(directory, now);
    return pages_line_up(file.get(), now.size(), hashes);
  };
  EXPECT_TRUE(lines_up(before));
  EXPECT_TRUE(lines_up(scattered));
  EXPECT_TRUE(lines_up(before + "more"));
  EXPECT_FALSE(lines_up("x" + before));
  EXPECT_FALSE(lines_up(shifted_late));
  EXPECT_FALSE(lines_up(noise(1000 * page, 2)));
}

TEST(PageHashesTest, SurviveTheFileAndNoDamageGoesUnnoticed) {
  const auto bytes = encode(hashes_of(noise(10 * page + 1, 1)));
  const auto read = decode_page_hashes(bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(encode(*read), bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= 4;
    EXPECT_FALSE(decode_page_hashes(damaged).has_value()) << i;
    EXPECT_FALSE(decode_page_hashes(bytes.substr(0, i)).has_value()) << i;
  }
}

TEST(PageHashesTest, StayBelowEightMebibytesForAnyFile) {
  for (const std::uint64_t size : {1ULL << 24U, 1ULL << 32U, 1ULL << 40U, 1ULL << 44U}) {
    EXPECT_LE(size / page_bytes_for(size) * 8, 8U << 20U) << size;
  }
  EXPECT_EQ(page_bytes_for(4ULL << 30U), 4096U);
}

/// A standby that has a large file, and a primary on which three of its pages changed since.
class PagesPassTest : public testing::Test {
 protected:
  PagesPassTest() : content_(noise(large, 1)) {
    world_.given("image", content_);
    world_.pass();
    for (const std::size_t number : {3U, 1000U, 4097U}) content_[number * page + 1] ^= 1;
    world_.given("image", content_);
  }
  void expect_equal() { EXPECT_EQ(world_.source_tree(), world_.target_tree()); }

  World world_;
  std::string content_;
};

TEST_F(PagesPassTest, SendsTheChangedPagesOnly) {
  const auto result = world_.pass();
  EXPECT_LT(result.wire_bytes, 4 * page);
  EXPECT_EQ(result.files_sent, 1U);
  expect_equal();
  content_[5 * page] ^= 1;  // and again, from what that pass remembered
  world_.given("image", content_);
  EXPECT_LT(world_.pass().wire_bytes, 2 * page);
  expect_equal();
}

TEST_F(PagesPassTest, SendsNoContentOfATouchedFile) {
  world_.pass();
  fs::last_write_time(world_.source("data/image"), fs::file_time_type::clock::now());
  const auto result = world_.pass();
  EXPECT_EQ(result.files_sent, 0U);
  EXPECT_LT(result.wire_bytes, 1000U);
  expect_equal();
}

TEST_F(PagesPassTest, SendsAllOfAFileThatSomebodyChangedOnTheStandby) {
  auto there = test::content_of(world_.target("data/image"));
  there[100] ^= 1;
  test::given_file(world_.target("data/image"), there);
  EXPECT_EQ(world_.pass().problem_count, 0U);
  expect_equal();
}

TEST_F(PagesPassTest, SendsAllOfAFileThatIsShorterOrGoneOnTheStandby) {
  fs::resize_file(world_.target("data/image"), 100);
  EXPECT_EQ(world_.pass().problem_count, 0U);
  expect_equal();
  content_[5 * page] ^= 1;
  world_.given("image", content_);
  fs::remove(world_.target("data/image"));
  EXPECT_EQ(world_.pass().problem_count, 0U);
  expect_equal();
}

/// A file system that shares blocks, as XFS and btrfs do.
class SharingDisk : public test::UnsyncedDisk {
 public:
  bool share_content(int from, int to) override {
    const auto content = test::content_of("/proc/self/fd/" + std::to_string(from));
    write(to, content, 0);
    ++shared;
    return true;
  }
  int shared = 0;
};

TEST_F(PagesPassTest, ChangesASharedCopyInPlaceZerosAndANewSizeIncluded) {
  SharingDisk disk;
  const World::Wrap as_it_is = [](auto stream) { return stream; };
  content_.replace(50 * page, 3 * page, 3 * page, '\0');
  world_.given("image", content_);
  EXPECT_LT(world_.pass_with(disk, as_it_is).wire_bytes, 20 * page);
  expect_equal();
  content_.resize(smallest_paged_file + 1);
  world_.given("image", content_);
  EXPECT_LT(world_.pass_with(disk, as_it_is).wire_bytes, 20 * page);
  expect_equal();
  EXPECT_EQ(disk.shared, 2);
}

}  // namespace
}  // namespace hamn::sync
