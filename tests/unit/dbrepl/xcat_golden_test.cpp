#include <gtest/gtest.h>

#include <regex>

#include "dbrepl/cfgloc.h"
#include "dbrepl/sqlite_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/dbrepl/tables.h"

namespace hamn::dbrepl {
namespace {

/// Output of commands on hosts with xCAT 2.19.
std::string golden(const std::string& name) {
  return hamn::test::content_of(HAMN_SOURCE_DIRECTORY "/tests/golden/xcat/" + name);
}

/// "dbhost=10.1.0.1" in the output of lsxcatd -a.
std::string lsxcatd(const std::string& output, const std::string& name) {
  std::smatch found;
  const std::regex line{"\n" + name + "=(.*)\n"};
  return std::regex_search(output, found, line) ? found[1].str() : "";
}

TEST(XcatGoldenTest, UnderstandsTheCfglocThatMysqlsetupWrote) {
  const auto output = golden("my_lsxcatd_a.txt");
  std::smatch found;
  // The first such line is the file itself, with its password.
  ASSERT_TRUE(std::regex_search(output, found, std::regex{"\n(mysql:.*)\n"}));
  const auto location = parse_cfgloc(found[1].str(), "/etc/xcat/cfgloc");
  EXPECT_EQ(location.engine, Engine::mysql);
  EXPECT_EQ(location.database, lsxcatd(output, "dbname"));
  EXPECT_EQ(location.host, lsxcatd(output, "dbhost"));
  EXPECT_EQ(location.user, lsxcatd(output, "dbadmin"));
  EXPECT_FALSE(location.password.empty());
}

TEST(XcatGoldenTest, UnderstandsTheCfglocOfPostgresql) {
  const auto output = golden("pg_lsxcatd_a.txt");
  const auto location = parse_cfgloc(lsxcatd(output, "cfgloc") + "|pw", "/etc/xcat/cfgloc");
  EXPECT_EQ(location.engine, Engine::postgresql);
  EXPECT_EQ(location.database, lsxcatd(output, "dbname"));
  EXPECT_EQ(location.host, lsxcatd(output, "dbhost"));
  EXPECT_EQ(location.user, lsxcatd(output, "dbadmin"));
}

TEST(XcatGoldenTest, CopiesTablesAsXcatDefinesThem) {
  const auto output = golden("sqlite_fds.txt");
  const hamn::test::TemporaryDirectory root;
  const test::Tables tables{root / "xcat"};
  const std::regex definition{R"(CREATE TABLE (\w+) \([\s\S]*?\n\);)"};
  int made = 0;
  for (std::sregex_iterator found{output.begin(), output.end(), definition}, end; found != end;
       ++found, ++made) {
    const auto name = (*found)[1].str();
    test::execute(tables.file(name), found->str() + "INSERT INTO " + name + " DEFAULT VALUES");
  }
  EXPECT_EQ(made, 3);
  base::RealDisk disk;
  hamn::test::FakeClock clock;
  const auto point = take_sqlite_snapshot(
      disk, clock,
      {.directory = tables.directory(), .outgoing = root / "outgoing", .host = "mn1", .epoch = 1});
  EXPECT_EQ(point.tables.size(), 3U);
  EXPECT_EQ(test::Tables{root / "outgoing"}.all(), tables.all());
}

}  // namespace
}  // namespace hamn::dbrepl
