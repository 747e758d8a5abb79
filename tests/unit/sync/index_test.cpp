#include "sync/index.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace hamn::sync {
namespace {

Entry file(const std::string& name, std::uint64_t size = 10) {
  Entry entry;
  entry.name = name;
  entry.size_bytes = size;
  return entry;
}

Entry directory(const std::string& name) {
  Entry entry;
  entry.name = name;
  entry.kind = Kind::directory;
  return entry;
}

const DirectoryKey top{.root = 0, .path = ""};
const DirectoryKey a{.root = 0, .path = "a"};
const DirectoryKey ab{.root = 0, .path = "a/b"};

IndexBatch tree() {
  IndexBatch batch;
  batch.put(top, directory("a"));
  batch.put(a, directory("b"));
  batch.put(a, file("one"));
  batch.put(a, file("two", 20));
  batch.put(ab, file("deep", 5));
  batch.put({.root = 0, .path = "a0"}, file("neighbour"));
  return batch;
}

TEST(IndexTest, RemembersEntriesAndStateOverReopening) {
  const test::TemporaryDirectory root;
  {
    Index index{root / "i.db"};
    index.commit(
        tree(),
        {.generation = 3, .token = "t", .complete = true, .roots = "r", .peer = "mn2", .epoch = 2});
  }
  const Index index{root / "i.db"};
  const auto state = index.state();
  EXPECT_EQ(state.generation, 3U);
  EXPECT_EQ(state.token, "t");
  EXPECT_TRUE(state.complete);
  EXPECT_EQ(state.roots, "r");
  EXPECT_EQ(state.files, 4U);
  EXPECT_EQ(state.bytes, 45U);
  ASSERT_EQ(index.directory(a).size(), 3U);
  EXPECT_EQ(index.directory(a)[2].name, "two");
  EXPECT_EQ(index.directories().size(), 4U);
}

TEST(IndexTest, ForgetsEverythingBelowADirectoryThatIsGoneAndNothingBesideIt) {
  const test::TemporaryDirectory root;
  Index index{root / "i.db"};
  index.commit(tree(), {});
  IndexBatch gone;
  gone.remove(top, "a");
  index.commit(gone, {});
  EXPECT_TRUE(index.directory(a).empty());
  EXPECT_TRUE(index.directory(ab).empty());
  EXPECT_EQ(index.directory({.root = 0, .path = "a0"}).size(), 1U);
  EXPECT_EQ(index.state().files, 1U);
}

TEST(IndexTest, AFullPassDropsWhatItDidNotSee) {
  const test::TemporaryDirectory root;
  Index index{root / "i.db"};
  index.commit(tree(), {.generation = 1, .token = "t", .complete = true});
  index.start_full_pass();
  EXPECT_FALSE(index.state().complete);
  IndexBatch seen;
  seen.directories[top].starts_empty = true;
  seen.put(top, directory("a"));
  seen.directories[a].starts_empty = true;
  seen.put(a, file("one"));
  index.commit(seen, {});
  index.finish_full_pass();
  EXPECT_EQ(index.directories().size(), 2U);
  EXPECT_EQ(index.directory(a).size(), 1U);
  EXPECT_EQ(index.state().files, 1U);
}

TEST(IndexTest, KeepsEntriesThatABatchDoesNotName) {
  const test::TemporaryDirectory root;
  Index index{root / "i.db"};
  index.commit(tree(), {});
  IndexBatch change;
  change.put(a, file("one", 99));
  change.remove(a, "two");
  index.commit(change, {});
  const auto entries = index.directory(a);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "b");
  EXPECT_EQ(entries[1].size_bytes, 99U);
  EXPECT_EQ(index.directory(ab).size(), 1U);
}

/// Reads everything; true if that worked without a complaint.
bool can_be_read(const std::string& path) {
  try {
    const Index index{path};
    (void)index.state();
    for (const auto& key : index.directories()) (void)index.directory(key);
    return true;
  } catch (const base::Error&) {
    return false;
  }
}

/// Every entry that a cut index still gives out must be one that was written: what is missing is
/// only sent again.
void expect_only_true_entries(const std::string& path, const std::string& when) {
  const Index index{path};
  for (const auto& key : index.directories()) {
    const auto entries = index.directory(key);
    ASSERT_LE(entries.size(), 1U) << when;
    for (const auto& entry : entries) {
      EXPECT_EQ("d" + std::to_string(entry.size_bytes), key.path) << when;
    }
  }
}

TEST(IndexTest, NeverGivesOutWrongEntriesOfAFileThatWasCut) {
  const test::TemporaryDirectory root;
  {
    Index index{root / "i.db"};
    for (int i = 0; i < 200; ++i) {
      IndexBatch batch;
      batch.put({.root = 0, .path = "d" + std::to_string(i)},
                file("f", static_cast<std::uint64_t>(i)));
      index.commit(batch, {});
    }
  }
  const auto whole = test::content_of(root / "i.db");
  int noticed = 0;
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    test::given_file(root / "cut.db", whole.substr(0, size));
    std::filesystem::remove(root / "cut.db-wal");
    if (can_be_read(root / "cut.db")) {
      expect_only_true_entries(root / "cut.db", "cut to " + std::to_string(size));
    } else {
      ++noticed;
    }
  }
  EXPECT_GT(noticed, 100);
}

TEST(IndexTest, NoticesEveryChangedByteOfARow) {
  const test::TemporaryDirectory root;
  {
    Index index{root / "i.db"};
    IndexBatch batch;
    for (int i = 0; i < 20; ++i) batch.put(a, file("name-to-find-" + std::to_string(i)));
    index.commit(batch, {});
  }
  const auto whole = test::content_of(root / "i.db");
  const auto row = whole.find("name-to-find-0");
  ASSERT_NE(row, std::string::npos);
  for (std::size_t at = row; at < row + 600; at += 13) {
    auto changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    test::given_file(root / "changed.db", changed);
    EXPECT_FALSE(can_be_read(root / "changed.db")) << "byte " << at;
  }
}

TEST(IndexTest, BelievesNoEntryThatItWouldNotWrite) {
  const test::TemporaryDirectory root;
  Index index{root / "i.db"};
  IndexBatch batch;
  batch.put(a, file(".."));
  index.commit(batch, {});
  EXPECT_THROW((void)index.directory(a), IndexDamaged);
}

TEST(IndexTest, BelievesNoTimeOutsideOfTheCalendar) {
  const test::TemporaryDirectory root;
  for (const auto moment :
       {base::WallTime{base::Milliseconds{-1}}, base::last_wall_time + base::Milliseconds{1}}) {
    Index index{root / "i.db"};
    IndexState state;
    state.as_of = moment;
    index.commit({}, state);
    EXPECT_THROW((void)index.state(), IndexDamaged);
  }
}

TEST(IndexTest, SetsADamagedFileAsideAndSaysWhy) {
  const test::TemporaryDirectory root;
  test::given_file(root / "i.db", std::string(4096, 'x'));
  std::string problem;
  const auto index = open_or_replace_index(root / "i.db", "roots", problem);
  EXPECT_FALSE(problem.empty());
  EXPECT_TRUE(index.directories().empty());
  EXPECT_TRUE(test::exists(root / "i.db.damaged"));
}

TEST(IndexTest, StartsEmptyForOtherRoots) {
  const test::TemporaryDirectory root;
  Index{root / "i.db"}.commit(tree(),
                              {.generation = 3, .token = "t", .complete = true, .roots = "old"});
  std::string problem;
  const auto index = open_or_replace_index(root / "i.db", "new", problem);
  EXPECT_TRUE(problem.empty());
  EXPECT_TRUE(index.directories().empty());
  EXPECT_TRUE(index.state().token.empty());
}

TEST(DiffTest, TellsAddedChangedGoneAndEqualApart) {
  auto same = file("same");
  auto content = file("content");
  auto mode = file("mode");
  const std::vector<Entry> before{content, file("gone"), file("kind"), mode, same};
  content.modified.nanoseconds = 1;
  mode.mode = 0600;
  const std::vector<Entry> now{file("added"), content, directory("kind"), mode, same};
  const auto diff = diff_directory(before, now);
  ASSERT_EQ(diff.changes.size(), 3U);
  EXPECT_EQ(diff.changes[0].second, Change::added);
  EXPECT_EQ(diff.changes[1].second, Change::content);
  EXPECT_EQ(diff.changes[2].second, Change::metadata);
  ASSERT_EQ(diff.gone.size(), 1U);
  EXPECT_EQ(diff.gone[0]->name, "gone");
  ASSERT_EQ(diff.directories.size(), 1U);
}

}  // namespace
}  // namespace hamn::sync
