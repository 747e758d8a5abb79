#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/error.h"
#include "dbrepl/sqlite_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/dbrepl/faults.h"
#include "tests/unit/dbrepl/tables.h"

namespace hamn::dbrepl {
namespace {

using hamn::test::FakeClock;
using hamn::test::TemporaryDirectory;
using test::Tables;

class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest() {
    tables_.create("nodelist");
    tables_.create("site");
    tables_.create("mac");
    tables_.put("site", "master", "10.1.0.1");
    tables_.fill("nodelist", 100);
  }
  ~SnapshotTest() override { test::restore_sqlite(); }

  RecoveryPoint take() { return take_sqlite_snapshot(disk_, clock_, request_); }
  RecoveryPoint take_later() {
    clock_.advance(std::chrono::minutes{1});
    return take();
  }
  [[nodiscard]] std::string outgoing(const std::string& table) const {
    return request_.outgoing + "/" + table + ".sqlite";
  }
  [[nodiscard]] KeptPoint shipped() {
    base::RealDisk disk;
    return read_point(disk, request_.outgoing);
  }
  base::ErrorText error_of_taking() {
    try {
      (void)take();
    } catch (const base::Error& error) {
      return error.text();
    }
    ADD_FAILURE() << "no error";
    return {};
  }

  TemporaryDirectory root_;
  base::RealDisk disk_;
  FakeClock clock_;
  Tables tables_{root_ / "xcat"};
  SnapshotRequest request_{.directory = root_ / "xcat",
                           .outgoing = root_ / "state/database/outgoing",
                           .host = "mn1",
                           .epoch = 1};
};

TEST_F(SnapshotTest, CopiesEveryTableWithItsContent) {
  const auto point = take();
  EXPECT_EQ(point.id, "p0001-00000001");
  EXPECT_EQ(point.host, "mn1");
  EXPECT_EQ(point.source_directory, root_ / "xcat");
  EXPECT_EQ(point.taken, clock_.wall());
  EXPECT_EQ(shipped().problem, "");
  EXPECT_EQ(shipped().point, point);
  EXPECT_EQ(Tables{request_.outgoing}.all(), tables_.all());
  ASSERT_EQ(point.tables.size(), 3U);
  EXPECT_EQ(point.tables[1].name, "nodelist");
  EXPECT_EQ(point.tables[1].rows, 100U);
  EXPECT_TRUE(differences(point.tables, read_sqlite_tables(root_ / "xcat")).empty());
}

TEST_F(SnapshotTest, LeavesNothingBeside) {
  take();
  tables_.put("site", "a", "b");
  take();
  for (const auto& entry : std::filesystem::directory_iterator(root_ / "state/database")) {
    EXPECT_EQ(entry.path().filename(), "outgoing");
  }
  EXPECT_EQ(test::tree_of(request_.outgoing).size(), 4U);
  EXPECT_EQ(test::tree_of(root_ / "xcat").size(), 3U);
}

TEST_F(SnapshotTest, KeepsItsFilesToItself) {
  take();
  struct stat found {};
  for (const auto& [name, content] : test::tree_of(request_.outgoing)) {
    ::stat((request_.outgoing + "/" + name).c_str(), &found);
    EXPECT_EQ(found.st_mode & 07777U, 0600U) << name;
  }
  ::stat(request_.outgoing.c_str(), &found);
  EXPECT_EQ(found.st_mode & 07777U, 0700U);
}

TEST_F(SnapshotTest, RenewsOnlyTheTimeWhenNothingChanged) {
  const auto first = take();
  const auto inode = test::inode_of(request_.outgoing);
  const auto second = take_later();
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.tables, first.tables);
  EXPECT_EQ(second.taken, clock_.wall());
  EXPECT_EQ(shipped().point, second);
  EXPECT_EQ(test::inode_of(request_.outgoing), inode);
}

TEST_F(SnapshotTest, KeepsTheGenerationWhenOnlyPagesChanged) {
  const auto first = take();
  const auto inode = test::inode_of(outgoing("site"));
  tables_.put("site", "passing", "thought");
  tables_.remove("site", "passing");
  const auto second = take_later();
  EXPECT_EQ(second.generation, first.generation);
  EXPECT_NE(second.position, first.position);
  EXPECT_EQ(second.position, sqlite_position(root_ / "xcat"));
  EXPECT_EQ(test::inode_of(outgoing("site")), inode);
  EXPECT_EQ(shipped().problem, "");
}

TEST_F(SnapshotTest, KeepsTheFilesOfUnchangedTables) {
  const auto first = take();
  const auto inode = test::inode_of(outgoing("nodelist"));
  const auto modified = test::modified_ns(outgoing("nodelist"));
  const auto site_inode = test::inode_of(outgoing("site"));
  tables_.put("site", "domain", "cluster.test");
  const auto second = take_later();
  EXPECT_EQ(second.generation, first.generation + 1);
  EXPECT_EQ(test::inode_of(outgoing("nodelist")), inode);
  EXPECT_EQ(test::modified_ns(outgoing("nodelist")), modified);
  EXPECT_NE(test::inode_of(outgoing("site")), site_inode);
  EXPECT_EQ(Tables{request_.outgoing}.value("site", "domain"), "cluster.test");
  EXPECT_EQ(shipped().problem, "");
}

TEST_F(SnapshotTest, CopiesATableWhoseDefinitionChanged) {
  take();
  test::execute(tables_.file("site"), "CREATE INDEX by_value ON site (value)");
  const auto second = take();
  EXPECT_EQ(second.generation, 2U);
  EXPECT_NE(test::query(outgoing("site"), "SELECT name FROM sqlite_master").find("by_value"),
            std::string::npos);
}

TEST_F(SnapshotTest, FollowsTablesThatComeAndGo) {
  take();
  tables_.create("vm");
  EXPECT_EQ(take().tables.size(), 4U);
  std::filesystem::remove(tables_.file("mac"));
  const auto third = take();
  EXPECT_EQ(third.generation, 3U);
  EXPECT_EQ(third.tables.size(), 3U);
  EXPECT_FALSE(std::filesystem::exists(outgoing("mac")));
}

TEST_F(SnapshotTest, CountsOnInANewEpochWithTheSameFiles) {
  take();
  const auto inode = test::inode_of(outgoing("nodelist"));
  request_.epoch = 2;
  EXPECT_EQ(take().id, "p0002-00000002");
  EXPECT_EQ(test::inode_of(outgoing("nodelist")), inode);
}

TEST_F(SnapshotTest, ExceedsAGenerationThatItIsTold) {
  take();
  request_.after_generation = 41;
  EXPECT_EQ(take().generation, 42U);
  EXPECT_EQ(take().generation, 42U);
  tables_.put("site", "a", "b");
  EXPECT_EQ(take().generation, 43U);
}

TEST_F(SnapshotTest, CopiesAgainWhatWasDamagedInOutgoing) {
  take();
  test::flip_bit(outgoing("site"), 5000);
  std::filesystem::remove(outgoing("mac"));
  const auto second = take();
  EXPECT_EQ(second.generation, 2U);
  EXPECT_EQ(shipped().problem, "");
  test::write(request_.outgoing + "/manifest.json", "{}");
  EXPECT_EQ(take().generation, 1U);
  EXPECT_EQ(shipped().problem, "");
}

TEST_F(SnapshotTest, CopiesTablesInWalModeWithWhatIsOnlyInTheWal) {
  sqlite3* writer = nullptr;
  sqlite3_open(tables_.file("site").c_str(), &writer);
  sqlite3_exec(writer, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0", nullptr, nullptr,
               nullptr);
  sqlite3_exec(writer, "INSERT INTO site (key, value) VALUES ('in', 'wal')", nullptr, nullptr,
               nullptr);
  take();
  const auto position = sqlite_position(root_ / "xcat");
  EXPECT_EQ(Tables{request_.outgoing}.value("site", "in"), "wal");
  const auto head = test::read(outgoing("site"));
  EXPECT_EQ(head[18], 1) << "the copy must not need a -wal";
  EXPECT_FALSE(std::filesystem::exists(outgoing("site") + "-wal"));
  EXPECT_EQ(test::query(tables_.file("site"), "PRAGMA journal_mode"), "wal");
  sqlite3_exec(writer,
               "INSERT INTO site (key, value) VALUES ('in', 'wal too') ON CONFLICT DO "
               "UPDATE SET value = excluded.value",
               nullptr, nullptr, nullptr);
  EXPECT_NE(sqlite_position(root_ / "xcat"), position);
  take();
  EXPECT_EQ(Tables{request_.outgoing}.value("site", "in"), "wal too");
  sqlite3_close(writer);
}

TEST_F(SnapshotTest, TakesAnEmptyFileForATableWithoutRows) {
  test::write(root_ / "xcat/zone.sqlite", "");
  const auto point = take();
  ASSERT_EQ(point.tables.size(), 4U);
  EXPECT_EQ(point.tables[3].name, "zone");
  EXPECT_EQ(point.tables[3].rows, 0U);
  EXPECT_EQ(shipped().problem, "");
}

TEST_F(SnapshotTest, TakesTablesOfOtherNamesAndViews) {
  test::execute(tables_.file("mac"),
                "CREATE TABLE \"odd \"\"name\" (a, b); INSERT INTO \"odd \"\"name\" VALUES (1, "
                "x'00ff'); CREATE VIEW v AS SELECT * FROM missing_table");
  const auto point = take();
  EXPECT_EQ(point.tables[0].rows, 1U);
  EXPECT_EQ(test::query(outgoing("mac"), "SELECT a, hex(b) FROM \"odd \"\"name\""), "1|00FF");
}

TEST_F(SnapshotTest, LeavesOutWhatXcatCannotHaveMade) {
  test::write(root_ / "xcat/cfgloc", "SQLite:/etc/xcat");
  test::write(root_ / "xcat/Copy of site.sqlite", "not one");
  test::write(root_ / "xcat/.hidden.sqlite", "not one");
  test::write(root_ / "xcat/.sqlite", "not one");
  EXPECT_EQ(take().tables.size(), 3U);
}

TEST_F(SnapshotTest, NamesAFileThatIsNoDatabase) {
  take();
  const auto before = test::tree_of(request_.outgoing);
  test::write(tables_.file("mac"), std::string(5000, 'x'));
  const auto error = error_of_taking();
  EXPECT_EQ(error.what, "cannot use " + tables_.file("mac"));
  EXPECT_EQ(error.detail, "SQLite says: file is not a database (26)");
  EXPECT_EQ(test::tree_of(request_.outgoing), before);
}

TEST_F(SnapshotTest, NamesATableThatIsALink) {
  std::filesystem::rename(tables_.file("mac"), root_ / "mac.sqlite");
  std::filesystem::create_symlink(root_ / "mac.sqlite", tables_.file("mac"));
  EXPECT_EQ(error_of_taking().what, "cannot use table mac in " + (root_ / "xcat"));
}

TEST_F(SnapshotTest, RefusesADirectoryWithoutTables) {
  std::filesystem::create_directory(root_ / "empty");
  request_.directory = root_ / "empty";
  EXPECT_EQ(error_of_taking().detail, "there is no table (*.sqlite) in it");
  request_.directory = root_ / "none";
  EXPECT_NE(error_of_taking().detail, "");
}

TEST_F(SnapshotTest, NamesTheTableAndItsHolderWhenItStaysBusy) {
  test::Child holder{[&] {
    sqlite3* handle = nullptr;
    sqlite3_open(tables_.file("nodelist").c_str(), &handle);
    sqlite3_exec(handle, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr);
    test::write(root_ / "held", "");
    ::pause();
    return 0;
  }};
  while (!std::filesystem::exists(root_ / "held")) ::usleep(1000);
  test::watch_sqlite();  // spares the waits
  const auto error = error_of_taking();
  EXPECT_EQ(error.what, "cannot lock table nodelist in " + (root_ / "xcat"));
  EXPECT_NE(error.detail.find("(process " + std::to_string(holder.pid()) + ")"), std::string::npos)
      << error.detail;
  EXPECT_GE(clock_.slept(), std::chrono::seconds{19});
}

TEST_F(SnapshotTest, PlaysBackTheJournalOfAWriterThatDied) {
  test::Child writer{[&] {
    sqlite3* handle = nullptr;
    sqlite3_open(tables_.file("nodelist").c_str(), &handle);
    // A tiny cache, so that changed pages reach the file before the commit.
    sqlite3_exec(handle,
                 "PRAGMA cache_size = 1; BEGIN; UPDATE nodelist SET value = value || 'lost'",
                 nullptr, nullptr, nullptr);
    ::kill(::getpid(), SIGKILL);
    return 0;
  }};
  EXPECT_EQ(writer.wait(), 128 + SIGKILL);
  ASSERT_TRUE(std::filesystem::exists(tables_.file("nodelist") + "-journal"));
  const auto point = take();
  EXPECT_EQ(point.tables[1].rows, 100U);
  EXPECT_EQ(Tables{request_.outgoing}.all().at("nodelist").find("lost"), std::string::npos);
}

}  // namespace
}  // namespace hamn::dbrepl
