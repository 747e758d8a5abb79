#include "dbrepl/cfgloc.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "base/error.h"

namespace hamn::dbrepl {
namespace {

/// A host with some files and directories; refuses everything but reading and `test -d`.
class FilesHost : public base::Host {
 public:
  std::map<std::string, std::string> files;
  std::set<std::string> directories;

  [[nodiscard]] std::string name() const override { return "mn1"; }
  base::Outcome run(const base::Command& command) override {
    EXPECT_EQ(command.argv.at(0), "test");
    EXPECT_EQ(command.argv.at(1), "-d");
    base::Outcome outcome;
    outcome.exit_code = directories.contains(command.argv.at(2)) ? 0 : 1;
    return outcome;
  }
  std::unique_ptr<base::Stream> open(const base::Command& /*command*/) override { return nullptr; }
  std::optional<std::string> read(const std::string& path, std::uint64_t /*limit*/) override {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional{found->second};
  }
  void write(const base::FileWrite& /*file*/) override { ADD_FAILURE() << "looking writes"; }
};

DatabaseLocation parse(const std::string& line) {
  return parse_cfgloc(line, "/etc/xcat/cfgloc");
}

base::ErrorText error_of(const std::string& line) {
  try {
    (void)parse(line);
  } catch (const base::Error& error) {
    return error.text();
  }
  ADD_FAILURE() << "no error for " << line;
  return {};
}

TEST(CfglocTest, TakesAValueWithoutColonForASqliteDirectory) {
  const auto location = parse("/var/lib/xcat/tables");
  EXPECT_EQ(location.engine, Engine::sqlite);
  EXPECT_EQ(location.directory, "/var/lib/xcat/tables");
  EXPECT_EQ(location.origin, "/etc/xcat/cfgloc");
}

TEST(CfglocTest, ReadsEveryTypeThatXcatKnows) {
  struct Case {
    const char* line;
    Engine engine;
    const char* directory;
    const char* database;
    const char* host;
    int port;
    const char* user;
    const char* password;
  };
  const std::vector<Case> cases{
      {"SQLite:/etc/xcat", Engine::sqlite, "/etc/xcat", "", "", 0, "", ""},
      {"SQLite:/srv/a:b", Engine::sqlite, "/srv/a:b", "", "", 0, "", ""},
      {"CSV:/etc/xcat/csv", Engine::csv, "/etc/xcat/csv", "", "", 0, "", ""},
      {"Pg:dbname=xcatdb;host=10.1.0.1|xcatadm|cluster", Engine::postgresql, "", "xcatdb",
       "10.1.0.1", 0, "xcatadm", "cluster"},
      {"Pg:host=mn;dbname=xcat;port=5433|xcatadm|pw", Engine::postgresql, "", "xcat", "mn", 5433,
       "xcatadm", "pw"},
      {"dbi:Pg:dbname=xcatdb|xcatadm|pw", Engine::postgresql, "", "xcatdb", "", 0, "xcatadm", "pw"},
      {"Pg:dbname=xcatdb", Engine::postgresql, "", "xcatdb", "", 0, "", ""},
      {"mysql:dbname=xcatdb;host=10.1.0.1|xcatadmin|xcat201", Engine::mysql, "", "xcatdb",
       "10.1.0.1", 0, "xcatadmin", "xcat201"},
      {"mysql:database=xcatdb;hostname=::1;port=3307|a|b", Engine::mysql, "", "xcatdb", "::1", 3307,
       "a", "b"},
      {"mysql:xcatdb;host=mn|a|b", Engine::mysql, "", "xcatdb", "mn", 0, "a", "b"},
      {"DB2:xcatdb|xcatdb|cluster", Engine::db2, "", "xcatdb", "", 0, "xcatdb", "cluster"},
  };
  for (const auto& expected : cases) {
    const auto location = parse(expected.line);
    EXPECT_EQ(location.engine, expected.engine) << expected.line;
    EXPECT_EQ(location.directory, expected.directory) << expected.line;
    EXPECT_EQ(location.database, expected.database) << expected.line;
    EXPECT_EQ(location.host, expected.host) << expected.line;
    EXPECT_EQ(location.port, expected.port) << expected.line;
    EXPECT_EQ(location.user, expected.user) << expected.line;
    EXPECT_EQ(location.password, expected.password) << expected.line;
  }
}

TEST(CfglocTest, TakesPasswordsAsXcatDoes) {
  for (const char* password :
       {"a:b", "a=b", "a;b=c", " blanks around ", "Grüße", "it's\"", "#", ""}) {
    EXPECT_EQ(parse(std::string{"Pg:dbname=x|u|"} + password).password, password);
  }
  // Perl's split into three variables cuts at the next '|': with this line xCAT logs in with "a".
  EXPECT_EQ(parse("Pg:dbname=x|u|a|b").password, "a");
  EXPECT_EQ(parse("Pg:dbname=x|u|a|b|c").password, "a");
}

TEST(CfglocTest, SaysWhatIsWrong) {
  EXPECT_EQ(error_of("").detail, "its first line is empty");
  EXPECT_EQ(error_of("# where the tables are").detail,
            "the directory of the tables is not an absolute path");
  EXPECT_EQ(error_of("SQLite:").detail, "the directory of the tables is not an absolute path");
  EXPECT_EQ(error_of("SQLite:/etc/xcat ").detail,
            "the directory of the tables is not an absolute path");
  EXPECT_EQ(error_of("Pg:host=mn|u|p").detail, "it names no database");
  EXPECT_EQ(error_of("Pg:dbname=x;port=0|u|p").detail, "port= is not a number from 1 to 65535");
  EXPECT_EQ(error_of("Pg:dbname=x;port=65536|u|p").detail, "port= is not a number from 1 to 65535");
  EXPECT_EQ(error_of("pg:dbname=x|u|p").hint, "perhaps it should begin with \"Pg:\"");
  EXPECT_EQ(error_of("Postgres:dbname=x|u|p").detail,
            "its type is none of SQLite, Pg, mysql, DB2, CSV");
  EXPECT_EQ(error_of("dbi:SQLite:/etc/xcat").detail, "xCAT does not take \"dbi:\" before SQLite");
  EXPECT_EQ(error_of("SQLite:/etc/xcat\r").detail,
            "there is a line break within the value, which xCAT takes as part of it");
  EXPECT_EQ(error_of("Pg:dbname=x|u|p\r").detail,
            "there is a line break within the value, which xCAT takes as part of it");
  EXPECT_EQ(error_of("Oracle:x").code, base::Exit::usage);
}

TEST(CfglocTest, NeverTellsAnyPartOfTheLine) {
  for (const char* line : {"Pg:host=mn|u|s3cr3t", "s3cr3t:x", "s3cr3t",
                           "mysql:port=s3cr3t;dbname=x", "Pg:dbname=x|u|s3cr3t\r", "dbi:s3cr3t"}) {
    const auto text = error_of(line);
    EXPECT_EQ((text.what + text.detail + text.hint).find("s3cr3t"), std::string::npos) << line;
  }
}

class FindDatabaseTest : public ::testing::Test {
 protected:
  DatabaseLocation find() { return find_database(host_, "/etc/xcat/cfgloc", "/opt/xcat"); }
  FilesHost host_;
};

TEST_F(FindDatabaseTest, TakesTheFirstLineOfCfgloc) {
  host_.files["/etc/xcat/cfgloc"] = "Pg:dbname=xcatdb;host=10.1.0.1|xcatadm|pw\n# second line\n";
  EXPECT_EQ(find().engine, Engine::postgresql);
  EXPECT_EQ(find().password, "pw");
}

TEST_F(FindDatabaseTest, FallsBackToTheOldDirectoryThenToEtcXcat) {
  EXPECT_EQ(find().directory, "/etc/xcat");
  EXPECT_EQ(find().origin, "default /etc/xcat");
  host_.directories.insert("/opt/xcat/cfg");
  EXPECT_EQ(find().directory, "/opt/xcat/cfg");
  EXPECT_EQ(find().origin, "default /opt/xcat/cfg");
}

TEST_F(FindDatabaseTest, TreatsAnEmptyFirstLineAsXcatDoes) {
  host_.files["/etc/xcat/cfgloc"] = "\nPg:dbname=xcatdb|a|b\n";
  EXPECT_EQ(find().directory, "/etc/xcat");
  host_.files["/etc/xcat/cfgloc"] = "";
  EXPECT_EQ(find().directory, "/etc/xcat");
}

TEST_F(FindDatabaseTest, RefusesTheStaleTablesOfAClusterThatLostItsPointer) {
  host_.files["/etc/xcat/cfgloc.mysql"] = "mysql:dbname=xcatdb;host=10.1.0.1|xcatadmin|s3cr3t\n";
  try {
    (void)find();
    FAIL() << "took " << find().directory;
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Exit::usage);
    EXPECT_NE(error.detail().find("cfgloc.mysql names a database server"), std::string::npos);
    EXPECT_EQ((error.what() + error.detail() + error.hint()).find("s3cr3t"), std::string::npos);
  }
}

TEST_F(FindDatabaseTest, LooksThroughABackupThatNamesSqlite) {
  host_.files["/etc/xcat/cfgloc.xcat.backup"] = "SQLite:/etc/xcat\n";
  EXPECT_EQ(find().directory, "/etc/xcat");
}

TEST_F(FindDatabaseTest, BelievesAPointerThatIsThereWhateverLiesBesideIt) {
  host_.files["/etc/xcat/cfgloc.mysql"] = "mysql:dbname=xcatdb;host=10.1.0.1|xcatadmin|pw\n";
  host_.files["/etc/xcat/cfgloc"] = "SQLite:/etc/xcat\n";
  EXPECT_EQ(find().engine, Engine::sqlite);
}

}  // namespace
}  // namespace hamn::dbrepl
