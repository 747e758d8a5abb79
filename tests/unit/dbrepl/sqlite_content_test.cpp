#include "dbrepl/sqlite_content.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "dbrepl/sqlite_store.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/dbrepl/tables.h"

namespace hamn::dbrepl {
namespace {

using hamn::test::TemporaryDirectory;

class ContentTest : public ::testing::Test {
 protected:
  /// Content of a new file made with `sql`.
  TableContent content(const std::string& sql) {
    const auto file = root_ / ("t" + std::to_string(++files_) + ".sqlite");
    test::execute(file, sql);
    Database database{file, Access::read};
    return read_content(database);
  }
  std::string hash(const std::string& sql) { return content(sql).hash; }

  TemporaryDirectory root_;
  int files_ = 0;
};

constexpr const char* table = "CREATE TABLE t (k, v);";
std::string with(const std::string& more) {
  return table + more;
}

TEST_F(ContentTest, DoesNotDependOnOrderOrHistory) {
  const auto plain = content(with("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')"));
  EXPECT_EQ(plain.rows, 3U);
  EXPECT_EQ(plain.hash.size(), 32U);
  EXPECT_EQ(hash(with("INSERT INTO t VALUES (3, 'c'), (1, 'a'), (2, 'b')")), plain.hash);
  EXPECT_EQ(hash(with("INSERT INTO t VALUES (3, 'c'), (9, 'z'), (1, 'a'), (2, 'x'); "
                      "DELETE FROM t WHERE k = 9; UPDATE t SET v = 'b' WHERE k = 2; VACUUM")),
            plain.hash);
  EXPECT_EQ(hash("PRAGMA page_size = 512; PRAGMA encoding = 'UTF-16le';" +
                 with("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")),
            plain.hash);
}

TEST_F(ContentTest, TellsEveryDifferenceApart) {
  const std::vector<std::string> different{
      with(""),
      with("INSERT INTO t VALUES (1, 'a')"),
      with("INSERT INTO t VALUES (1, 'a'), (1, 'a')"),
      with("INSERT INTO t VALUES (1, 'a'), (1, 'a'), (1, 'a')"),
      with("INSERT INTO t VALUES (1, 'b')"),
      with("INSERT INTO t VALUES ('1', 'a')"),
      with("INSERT INTO t VALUES (1.5, 'a')"),
      with("INSERT INTO t VALUES (x'31', 'a')"),
      with("INSERT INTO t VALUES (NULL, 'a')"),
      with("INSERT INTO t VALUES ('', 'a')"),
      with("INSERT INTO t VALUES (x'', 'a')"),
      with("INSERT INTO t VALUES ('a', 'bc')"),
      with("INSERT INTO t VALUES ('ab', 'c')"),
      with("INSERT INTO t VALUES ('a' || char(0), 'bc')"),
      "CREATE TABLE t (k, w); INSERT INTO t VALUES (1, 'a')",
      "CREATE TABLE t (v, k); INSERT INTO t VALUES (1, 'a')",
      "CREATE TABLE u (k, v); INSERT INTO u VALUES (1, 'a')",
      "CREATE TABLE t (k, v); CREATE TABLE u (k, v); INSERT INTO t VALUES (1, 'a')",
      "CREATE TABLE t (k, v, w); INSERT INTO t VALUES (1, 'a', NULL)",
      "VACUUM",
  };
  std::map<std::string, std::string> seen;
  for (const auto& sql : different) {
    const auto [other, is_new] = seen.emplace(hash(sql), sql);
    EXPECT_TRUE(is_new) << sql << "\nequals\n" << other->second;
  }
}

TEST_F(ContentTest, LooksThroughIndicesViewsAndItsOwnTables) {
  const auto plain = content(with("INSERT INTO t VALUES (1, 'a')"));
  const auto more =
      content(with("CREATE INDEX i ON t (v); CREATE VIEW w AS SELECT * FROM missing; "
                   "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END; "
                   "INSERT INTO t VALUES (1, 'a'); ANALYZE"));
  EXPECT_EQ(more.hash, plain.hash);
  EXPECT_NE(more.schema, plain.schema);
}

TEST_F(ContentTest, KnowsTheSameHashOnEveryMachine) {
  // Least significant byte first, whatever the processor: two hosts compare these.
  EXPECT_EQ(hash(with("INSERT INTO t VALUES (1, 'a'), (-2.5, NULL)")),
            "7458fe564e02aebf1ad40837458c5005");
}

TEST_F(ContentTest, NamesADamagedFile) {
  const auto file = root_ / "bad.sqlite";
  test::execute(file, with("INSERT INTO t SELECT value, value FROM json_each('[1,2,3]')"));
  EXPECT_EQ(damage_of(file, Access::read), "");
  test::write(file, test::read(file).substr(0, 4096));
  EXPECT_NE(damage_of(file, Access::read), "");
  test::write(file, std::string(8192, 'x'));
  EXPECT_EQ(damage_of(file, Access::read), "file is not a database");
  Database database{file, Access::read};
  try {
    (void)read_content(database);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(std::string{error.what()}, "cannot read " + file);
    EXPECT_NE(error.hint().find("integrity_check"), std::string::npos);
  }
}

TEST_F(ContentTest, OpensFilesWithOddNames) {
  const auto file = root_ / "50% off? #1 a&b.sqlite";
  test::execute(file, with("INSERT INTO t VALUES (1, 2)"));
  Database database{file, Access::unchanging};
  EXPECT_EQ(read_content(database).rows, 1U);
}

TEST_F(ContentTest, FindsNoFileWhereThereIsNone) {
  EXPECT_FALSE(Database::open_if_present(root_ / "none.sqlite", Access::write));
  EXPECT_THROW(Database(root_ / "none.sqlite", Access::read), base::Error);
}

class PositionTest : public ::testing::Test {
 protected:
  PositionTest() {
    tables_.create("a");
    tables_.create("b");
  }
  std::string position() { return sqlite_position(root_.path()); }
  TemporaryDirectory root_;
  test::Tables tables_{root_.path()};
};

TEST_F(PositionTest, MovesWithEveryCommitAndOnlyThen) {
  auto before = position();
  EXPECT_EQ(position(), before);
  (void)tables_.value("a", "x");
  EXPECT_EQ(position(), before) << "reading is no change";
  test::execute(tables_.file("a"), "BEGIN; INSERT INTO a (key) VALUES ('x'); ROLLBACK");
  EXPECT_EQ(position(), before) << "nothing was committed";
  for (int i = 0; i < 50; ++i) {
    tables_.put(i % 2 == 0 ? "a" : "b", "x", std::to_string(i));
    const auto now = position();
    ASSERT_NE(now, before);
    before = now;
  }
  tables_.create("c");
  EXPECT_NE(position(), before);
}

TEST_F(PositionTest, MovesWithEveryCommitInWalMode) {
  test::execute(tables_.file("a"), "PRAGMA journal_mode = WAL");
  // A second connection keeps the -wal there, so that commits overwrite its frames in place.
  Database holder{tables_.file("a"), Access::write};
  (void)holder.answer("SELECT * FROM a");
  auto before = position();
  for (int i = 0; i < 50; ++i) {
    tables_.put("a", "x", std::to_string(i));
    if (i % 7 == 0) test::execute(tables_.file("a"), "PRAGMA wal_checkpoint(RESTART)");
    const auto now = position();
    ASSERT_NE(now, before) << i;
    before = now;
  }
}

TEST_F(PositionTest, MovesWhenAFileIsReplaced) {
  const auto before = position();
  const auto content = test::read(tables_.file("a"));
  test::write(tables_.file("a") + ".copy", content);
  ASSERT_EQ(::rename((tables_.file("a") + ".copy").c_str(), tables_.file("a").c_str()), 0);
  EXPECT_NE(position(), before);
}

}  // namespace
}  // namespace hamn::dbrepl
