// The walk with several threads: what it finds, what it leaves out, how it ends.

#include "sync/walker.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "tests/support/temporary_directory.h"
#include "tests/unit/sync/world.h"

namespace hamn::sync {
namespace {

namespace fs = std::filesystem;

/// A source whose index is up to date, as after a pass.
class WalkerTest : public testing::Test {
 protected:
  WalkerTest() {
    for (int d = 0; d < 20; ++d) {
      for (int f = 0; f < 5; ++f) {
        test::given_file(root_ / ("src/top/d" + std::to_string(d) + "/deep/f" + std::to_string(f)),
                         "content");
      }
    }
    set_ = make_moved_set("test", root_ / "src/top", root_ / "dst/top");
    fs::create_directories(root_ / "state");
    given_index();
  }

  void given_index() {
    Index index{index_path()};
    IndexBatch batch;
    for (const auto& found : walk(false)) {
      for (const auto& entry : found->listing.entries) batch.put(found->key, entry);
    }
    index.commit(batch, {});
  }

  std::string index_path() { return root_ / "state/test.db"; }

  std::vector<std::shared_ptr<FoundDirectory>> walk(bool compare) {
    Index index{index_path()};
    const auto top = std::make_shared<FoundDirectory>();
    top->directory = std::move(*open_source(root_ / "src"));
    top->children.push_back({.self = describe(*open_source(root_ / "src/top"), "top")});
    Walker walker{set_, index_path(), compare};
    walker.add(top);
    std::vector<std::shared_ptr<FoundDirectory>> all;
    while (auto found = walker.next()) all.push_back(std::move(found));
    return all;
  }

  test::TemporaryDirectory root_;
  FileSet set_;
};

TEST_F(WalkerTest, FindsEveryDirectoryOnceAndItsParentFirst) {
  std::set<std::string> seen{""};
  for (const auto& found : walk(true)) {
    EXPECT_TRUE(seen.contains(parent_of(found->key).path)) << found->key.path;
    EXPECT_TRUE(seen.insert(found->key.path).second) << found->key.path;
  }
  EXPECT_EQ(seen.size(), 1U + 1U + 20U + 20U);
}

TEST_F(WalkerTest, MakesNoListingOfWhatDidNotChangeButCountsIt) {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  for (const auto& found : walk(true)) {
    EXPECT_TRUE(found->is_unchanged) << found->key.path;
    EXPECT_TRUE(found->listing.entries.empty());
    files += found->files;
    bytes += found->bytes;
  }
  EXPECT_EQ(files, 100U);
  EXPECT_EQ(bytes, 700U);
}

TEST_F(WalkerTest, ListsADirectoryInWhichAnythingIsNotAsItWas) {
  const std::map<std::string, std::function<void()>> changes{
      {"d1/deep", [&] { test::given_file(root_ / "src/top/d1/deep/f1", "other"); }},
      {"d2/deep", [&] { test::given_file(root_ / "src/top/d2/deep/new", "new"); }},
      {"d3/deep", [&] { fs::remove(root_ / "src/top/d3/deep/f4"); }},
      {"d4/deep", [&] { fs::permissions(root_ / "src/top/d4/deep/f4", fs::perms{0600}); }},
      {"d5/deep", [&] { fs::create_symlink("f1", root_ / "src/top/d5/deep/link"); }},
      {"d6/deep", [&] { fs::create_directory(root_ / "src/top/d6/deep/directory"); }},
  };
  for (const auto& [path, change] : changes) change();
  std::set<std::string> listed;
  for (const auto& found : walk(true)) {
    if (!found->is_unchanged) listed.insert(found->key.path.substr(4));
  }
  std::set<std::string> expected{"d6/deep/directory"};
  for (const auto& [path, change] : changes) expected.insert(path);
  EXPECT_EQ(listed, expected);
}

TEST_F(WalkerTest, SaysWhichDirectoriesAreNotWhatTheyWere) {
  fs::permissions(root_ / "src/top/d7/deep", fs::perms{0700});
  for (const auto& found : walk(true)) {
    if (found->key.path == "top") continue;  // the index of this test does not hold it
    EXPECT_EQ(found->child.is_visibly_different, found->key.path == "top/d7/deep")
        << found->key.path;
  }
}

TEST_F(WalkerTest, LeavesOutALinkToADirectoryAboveAndSaysSo) {
  fs::create_directory_symlink("..", root_ / "src/top/d8/up");
  std::size_t loops = 0;
  for (const auto& found : walk(true)) {
    for (const auto& problem : found->problems) loops += problem.kind == ProblemKind::loop ? 1 : 0;
  }
  EXPECT_EQ(loops, 1U);
}

TEST_F(WalkerTest, EndsItsThreadsWhenNobodyTakesTheResultsAnyMore) {
  const auto top = std::make_shared<FoundDirectory>();
  top->directory = std::move(*open_source(root_ / "src"));
  top->children.push_back({.self = describe(*open_source(root_ / "src/top"), "top")});
  Index index{index_path()};
  Walker walker{set_, index_path(), false};
  walker.add(top);
  EXPECT_NE(walker.next(), nullptr);
}

}  // namespace
}  // namespace hamn::sync
