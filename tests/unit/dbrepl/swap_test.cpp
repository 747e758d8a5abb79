#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "tests/unit/dbrepl/worlds.h"

namespace hamn::dbrepl {
namespace {

namespace fs = std::filesystem;
using test::Tables;

class SwapTest : public test::SwapWorld {
 protected:
  template <typename Work>
  base::ErrorText error_of(Work work) {
    try {
      work();
    } catch (const base::Error& error) {
      EXPECT_FALSE(error.hint().empty());
      return error.text();
    }
    ADD_FAILURE() << "no error";
    return {};
  }
};

TEST_F(SwapTest, PutsAPointInChargeAndBack) {
  swap_in();
  EXPECT_EQ(standby_.all(), new_);
  expect_only(3);
  EXPECT_TRUE(differences(point_.point->tables, read_sqlite_tables(standby_.directory())).empty());
  EXPECT_EQ(Tables{undo_}.all(), old_);
  EXPECT_EQ(read_point(disk_, undo_).problem, "");
  EXPECT_FALSE(interrupted_swap(undo_));
  swap_back();
  EXPECT_EQ(standby_.all(), old_);
  expect_only(3);
  EXPECT_EQ(Tables{undo_ + ".back"}.all(), new_);
  EXPECT_EQ(Tables{undo_}.all(), old_);
}

TEST_F(SwapTest, DoesNothingTheSecondTime) {
  swap_in();
  const auto live = test::inode_of(standby_.file("site"));
  const auto kept = test::inode_of(undo_);
  swap_in();
  EXPECT_EQ(test::inode_of(standby_.file("site")), live);
  EXPECT_EQ(test::inode_of(undo_), kept);
  swap_back();
  const auto back = test::inode_of(undo_ + ".back");
  swap_back();
  EXPECT_EQ(test::inode_of(undo_ + ".back"), back);
  EXPECT_EQ(standby_.all(), old_);
}

TEST_F(SwapTest, GivesRootFilesOfTheirOwn) {
  ::chmod(standby_.file("site").c_str(), 0644);
  swap_in();
  struct stat found {};
  for (const auto& [table, content] : new_) {
    ASSERT_EQ(::stat(standby_.file(table).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777U, 0600U);
    EXPECT_EQ(found.st_uid, ::geteuid());
    EXPECT_EQ(found.st_nlink, 1U);
    EXPECT_NE(found.st_ino, test::inode_of(point_.directory + "/" + table + ".sqlite"));
  }
}

TEST_F(SwapTest, LeavesThePointAloneWhateverHappensToTheLiveTables) {
  const auto before = test::tree_of(point_.directory);
  swap_in();
  standby_.put("site", "after", "the takeover");
  EXPECT_EQ(test::tree_of(point_.directory), before);
}

TEST_F(SwapTest, KeepsWhatWasWrittenAfterTheSwapWhenGoingBack) {
  swap_in();
  standby_.put("site", "after", "the takeover");
  swap_back();
  EXPECT_EQ(standby_.all(), old_);
  EXPECT_EQ(Tables{undo_ + ".back"}.value("site", "after"), "the takeover");
}

TEST_F(SwapTest, FillsADirectoryWithoutTables) {
  for (const auto& [table, content] : old_) fs::remove(standby_.file(table));
  swap_in();
  EXPECT_EQ(standby_.all(), new_);
  swap_back();
  EXPECT_TRUE(standby_.all().empty());
  expect_only(0);
}

TEST_F(SwapTest, RemovesJournalsThatBelongToNothing) {
  test::write(standby_.file("mac") + "-journal", "of a table that was never there");
  test::write(standby_.file("site") + "-wal", "left behind");
  test::write(standby_.file("site") + "-shm", "left behind");
  test::write(standby_.file("policy") + "-journal", std::string(512, '\0'));
  swap_in();
  EXPECT_EQ(standby_.all(), new_);
  expect_only(3);
}

TEST_F(SwapTest, ReplacesTablesInWalMode) {
  sqlite3* writer = nullptr;
  sqlite3_open(standby_.file("site").c_str(), &writer);
  sqlite3_exec(writer, "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
  sqlite3_exec(writer, "INSERT INTO site (key, value) VALUES ('in', 'wal')", nullptr, nullptr,
               nullptr);
  // As a power cut would leave it: the -wal is there, nobody has it open.
  fs::copy(standby_.directory(), root_ / "copy");
  sqlite3_close(writer);
  fs::remove_all(standby_.directory());
  fs::rename(root_ / "copy", standby_.directory());
  ASSERT_TRUE(fs::exists(standby_.file("site") + "-wal"));
  swap_in();
  EXPECT_EQ(standby_.all(), new_);
  expect_only(3);
  EXPECT_EQ(Tables{undo_}.value("site", "in"), "wal");
}

TEST_F(SwapTest, ReplacesDamagedTablesAndKeepsTheirBytes) {
  const std::string garbage(5000, 'x');
  test::write(standby_.file("site"), garbage);
  swap_in();
  EXPECT_EQ(standby_.all(), new_);
  EXPECT_EQ(test::read(undo_ + "/site.sqlite.damaged"), garbage);
  swap_back();
  old_.erase("site");
  EXPECT_EQ(standby_.all(), old_);
}

TEST_F(SwapTest, RefusesADamagedPointAndChangesNothing) {
  test::flip_bit(point_.directory + "/site.sqlite", 5000);
  EXPECT_EQ(error_of([&] { swap_in(); }).detail,
            "site.sqlite does not have the SHA-256 that its manifest names");
  point_ = read_point(disk_, point_.directory);
  EXPECT_EQ(error_of([&] { swap_in(); }).detail,
            "site.sqlite does not have the SHA-256 that its manifest names");
  EXPECT_EQ(standby_.all(), old_);
  expect_only(3);
}

TEST_F(SwapTest, SaysThatThereIsNothingToGoBackTo) {
  EXPECT_EQ(error_of([&] { swap_back(); }).what, "cannot go back to the tables before the swap");
  EXPECT_EQ(standby_.all(), old_);
}

TEST_F(SwapTest, ChangesNothingWhileSomebodyReads) {
  test::watch_sqlite();  // spares the waits
  test::Child reader{[&] {
    sqlite3* handle = nullptr;
    sqlite3_open(standby_.file("site").c_str(), &handle);
    sqlite3_exec(handle, "BEGIN; SELECT * FROM site", nullptr, nullptr, nullptr);
    test::write(root_ / "reading", "");
    ::pause();
    return 0;
  }};
  while (!fs::exists(root_ / "reading")) ::usleep(1000);
  const auto error = error_of([&] { swap_in(); });
  EXPECT_EQ(error.what, "cannot lock table site in " + standby_.directory());
  EXPECT_EQ(error.code, base::Exit::failed);
  EXPECT_EQ(standby_.all(), old_);
  expect_only(3);
  EXPECT_FALSE(interrupted_swap(undo_));
  reader.kill();
  swap_in();
  EXPECT_EQ(standby_.all(), new_);
}

TEST_F(SwapTest, KeepsWhatSomebodyWroteAtTheLastMoment) {
  test::Outsider outsider;
  int written = 0;
  disk_.before_creating = [&](const std::string& name) {
    // The copy of what is there is complete but for its manifest; nothing is locked.
    if (name != "manifest.json" || written++ > 0) return;
    EXPECT_EQ(outsider.try_execute(standby_.file("site"),
                                   "INSERT INTO site (key, value) VALUES ('late', 'news')"),
              SQLITE_OK);
  };
  swap_in();
  EXPECT_EQ(written, 2);
  EXPECT_EQ(standby_.all(), new_);
  EXPECT_EQ(Tables{undo_}.value("site", "late"), "news");
}

TEST_F(SwapTest, GivesUpIfSomebodyGoesOnWriting) {
  test::Outsider outsider;
  disk_.before_creating = [&](const std::string& name) {
    if (name == "manifest.json") outsider.try_execute(standby_.file("site"), "DELETE FROM site");
    if (name == "manifest.json") {
      outsider.try_execute(standby_.file("site"), "INSERT INTO site (key) VALUES ('again')");
    }
  };
  EXPECT_EQ(error_of([&] { swap_in(); }).detail, "somebody goes on writing to the tables");
  EXPECT_EQ(standby_.value("site", "again"), "NULL");
  EXPECT_FALSE(interrupted_swap(undo_));
}

TEST_F(SwapTest, EmptiesOldFilesThatSomebodyStillHasOpen) {
  sqlite3* late = nullptr;
  sqlite3_open(standby_.file("site").c_str(), &late);
  sqlite3_exec(late, "SELECT * FROM site", nullptr, nullptr, nullptr);
  swap_in();
  EXPECT_NE(sqlite3_exec(late, "SELECT * FROM site", nullptr, nullptr, nullptr), SQLITE_OK)
      << "old rows among new tables would be a mixture";
  sqlite3_close(late);
}

TEST_F(SwapTest, LeavesOldFilesAloneThatHaveAnotherName) {
  fs::create_hard_link(standby_.file("site"), root_ / "kept.sqlite");
  const auto before = test::read(root_ / "kept.sqlite");
  swap_in();
  EXPECT_EQ(test::read(root_ / "kept.sqlite"), before);
}

TEST_F(SwapTest, LetsNobodyReadUntilAllTablesAreInPlace) {
  test::Outsider outsider;
  int looks = 0;
  disk_.after_renaming = [&](const std::string& name) {
    if (!name.ends_with(".sqlite")) return;
    for (const auto& [table, content] : new_) {
      if (!fs::exists(standby_.file(table))) continue;
      EXPECT_EQ(outsider.try_execute(standby_.file(table), "SELECT * FROM " + table), SQLITE_BUSY)
          << table << " once " << name << " was in place";
      ++looks;
    }
  };
  swap_in();
  EXPECT_GE(looks, 7);
  EXPECT_EQ(outsider.try_execute(standby_.file("mac"), "SELECT * FROM mac"), SQLITE_OK);
}

/// The values of one key in several tables, all of them read-locked together; nothing if one of
/// them could not be read.
std::optional<std::string> read_together(const std::vector<std::string>& files) {
  std::string values;
  bool complete = true;
  std::vector<sqlite3*> handles;
  for (const auto& file : files) {
    sqlite3_open_v2(file.c_str(), &handles.emplace_back(), SQLITE_OPEN_READWRITE, nullptr);
    sqlite3_busy_timeout(handles.back(), 10'000);
    const auto add = [](void* to, int, char** found, char**) {
      *static_cast<std::string*>(to) += found[0];
      return 0;
    };
    const auto sql =
        "BEGIN; SELECT value FROM " + fs::path{file}.stem().string() + " WHERE key = 'marker'";
    const int result = sqlite3_exec(handles.back(), sql.c_str(), add, &values, nullptr);
    complete = complete && result == SQLITE_OK;
  }
  for (auto* handle : handles) sqlite3_close(handle);
  return complete ? std::optional{values} : std::nullopt;
}

TEST_F(SwapTest, IsSeenByReadersAsAWhole) {
  for (const char* name : {"nodelist", "site"}) primary_.put(name, "marker", "new");
  for (const char* name : {"nodelist", "site"}) standby_.put(name, "marker", "old");
  point_ = make_point(2);
  const auto read_on = [&] {
    int seen = 0;
    while (!fs::exists(root_ / "enough")) {
      // Whoever had opened the old file of a table finds nothing in it, and has to look again.
      const auto values = read_together({standby_.file("nodelist"), standby_.file("site")});
      if (values && *values != "oldold" && *values != "newnew") return 1;
      seen += values ? 1 : 0;
    }
    return seen > 3 ? 0 : 2;
  };
  std::array<std::unique_ptr<test::Child>, 3> readers;
  for (auto& reader : readers) reader = std::make_unique<test::Child>(read_on);
  base::RealClock clock;
  for (int i = 0; i < 10; ++i) {
    ::usleep(3000);
    swap_in_sqlite_point(disk_, clock,
                         {.point = point_, .directory = standby_.directory(), .undo = undo_});
    ::usleep(3000);
    swap_back_sqlite(disk_, clock, standby_.directory(), undo_);
  }
  test::write(root_ / "enough", "");
  for (auto& reader : readers) EXPECT_EQ(reader->wait(), 0) << "1: a mixture was seen";
}

TEST_F(SwapTest, TellsThatItStoppedInTheMiddle) {
  class BrokenDisk : public base::RealDisk {
   public:
    void rename(int from, const std::string& old_name, int to,
                const std::string& new_name) override {
      if (new_name == "site.sqlite") throw base::DiskError{"cannot put in place site.sqlite", EIO};
      RealDisk::rename(from, old_name, to, new_name);
    }
  } broken;
  const auto error = error_of([&] {
    swap_in_sqlite_point(broken, clock_,
                         {.point = point_, .directory = standby_.directory(), .undo = undo_});
  });
  EXPECT_EQ(error.code, base::Exit::incomplete);
  EXPECT_EQ(interrupted_swap(undo_), "p0001-00000001");
  swap_in();
  EXPECT_EQ(standby_.all(), new_);
  EXPECT_EQ(Tables{undo_}.all(), old_);
}

TEST_F(SwapTest, RefusesAnotherDirectoryWhileASwapIsUnderWay) {
  fs::create_directories(root_ / "database");
  test::write(root_ / "database/swap.json",
              R"({"format": 1, "target": "p0001-00000009", "directory": "/etc/xcat"})");
  EXPECT_EQ(interrupted_swap(undo_), "p0001-00000009");
  EXPECT_EQ(error_of([&] { swap_in(); }).detail, "an interrupted swap of /etc/xcat comes first");
  test::write(root_ / "database/swap.json", "torn");
  EXPECT_EQ(interrupted_swap(undo_), "an unknown point");
}

}  // namespace
}  // namespace hamn::dbrepl
