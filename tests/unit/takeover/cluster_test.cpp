#include "takeover/cluster.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "dbrepl/sqlite_database.h"
#include "takeover/dhcp_server.h"
#include "takeover/name_services.h"
#include "tests/support/temporary_directory.h"

namespace hamn::takeover {
namespace {

using Hosts = std::map<std::string, std::vector<std::string>>;

Tables small() {
  Tables tables;
  tables["nodelist"] = {{{"node", "n001"}, {"groups", "rack1,compute,all"}},
                        {{"node", "n002"}, {"groups", "compute,rack1"}},
                        {{"node", "n003"}}};
  return tables;
}

TEST(MakeClusterTest, TakesANodesOwnRowBeforeThoseOfItsGroupsInTheirOrder) {
  auto tables = small();
  tables["noderes"] = {{{"node", "compute"}, {"netboot", "grub2"}, {"servicenode", "sn1"}},
                       {{"node", "rack1"}, {"netboot", "petitboot"}},
                       {{"node", "n001"}, {"netboot", "xnba"}}};
  const auto cluster = make_cluster(tables);
  ASSERT_EQ(cluster.nodes.size(), 3U);
  EXPECT_EQ(cluster.nodes[0].boot_method, "xnba");
  EXPECT_EQ(cluster.nodes[0].service_node, "sn1");  // its own row says nothing about that
  EXPECT_EQ(cluster.nodes[1].boot_method, "grub2");
  EXPECT_EQ(cluster.nodes[2].boot_method, "");
}

TEST(MakeClusterTest, KnowsTheAddressesOfNodesOnlyAndWorksGroupsOut) {
  auto tables = small();
  tables["hosts"] = {{{"node", "compute"}, {"ip", "|\\D+(\\d+)|10.77.1.($1+10)|"}},
                     {{"node", "n001"}, {"ip", "10.77.1.1"}},
                     {{"node", "n003"}, {"ip", "n003.elsewhere"}}};
  EXPECT_EQ(make_cluster(tables).addresses,
            (std::map<std::string, std::string>{{"n001", "10.77.1.1"}, {"n002", "10.77.1.12"}}));
}

TEST(MakeClusterTest, KeepsWhatItCannotWorkOutWhereBeingSetIsWhatCounts) {
  auto tables = small();
  tables["noderes"] = {{{"node", "compute"}, {"servicenode", "|n\\d+|sn1|"}},
                       {{"node", "n003"}, {"servicenode", "|x(\\d)|sn($1)|"}}};
  const auto cluster = make_cluster(tables);
  EXPECT_EQ(cluster.nodes[0].service_node, "sn1");
  EXPECT_EQ(cluster.nodes[2].service_node, "|x(\\d)|sn($1)|");
}

TEST(MakeClusterTest, TakesANodeForOneWithAConsoleAsXcatDoes) {
  auto tables = small();
  tables["nodehm"] = {{{"node", "n001"}, {"cons", "ipmi"}},
                      {{"node", "n002"}, {"mgt", "ipmi"}, {"serialport", "0"}},
                      {{"node", "n003"}, {"mgt", "ipmi"}}};
  auto cluster = make_cluster(tables);
  EXPECT_TRUE(cluster.nodes[0].has_console);
  EXPECT_TRUE(cluster.nodes[1].has_console);
  EXPECT_FALSE(cluster.nodes[2].has_console);
  tables["nodehm"] = {{{"node", "rack1"}, {"serialport", "0"}},
                      {{"node", "n001"}, {"mgt", "|.*|ipmi|"}}};
  cluster = make_cluster(tables);
  EXPECT_TRUE(cluster.nodes[0].has_console);   // one half its own, the other of its group
  EXPECT_FALSE(cluster.nodes[1].has_console);  // nothing says by which method
}

TEST(MakeClusterTest, AnswersSiteValuesWithAFallback) {
  const auto cluster = make_cluster({{"site", {{{"key", "domain"}, {"value", "cluster.test"}}}}});
  EXPECT_EQ(cluster.site_value("domain", ""), "cluster.test");
  EXPECT_EQ(cluster.site_value("consoleondemand", "no"), "no");
}

TEST(MakeClusterTest, MakesAnEmptyClusterOfNoTables) {
  EXPECT_TRUE(make_cluster({}).nodes.empty());
}

TEST(ReadSqliteClusterTest, ReadsEveryTableAndLeavesDisabledRowsOut) {
  const test::TemporaryDirectory directory;
  for (const auto* name : {"nodelist.sqlite", "chain.sqlite"})
    test::given_file(directory / name, "");
  dbrepl::Database table{directory / "nodelist.sqlite", dbrepl::Access::write};
  table.execute("CREATE TABLE nodelist (node TEXT, groups TEXT, comments TEXT, disable TEXT)");
  table.execute(
      "INSERT INTO nodelist VALUES ('n001', 'all', '', NULL), ('n002', 'all', NULL, '1'), "
      "('n003', 'all', 'x', 'yes'), ('n004', NULL, NULL, '0')");
  dbrepl::Database{directory / "chain.sqlite", dbrepl::Access::write}.execute(
      "CREATE TABLE other (a TEXT)");
  test::given_file(directory / "cfgloc", "SQLite:/etc/xcat\n");
  EXPECT_EQ(
      read_sqlite_cluster(directory.path()),
      (Tables{{"chain", {}},
              {"nodelist",
               {{{"node", "n001"}, {"groups", "all"}}, {{"node", "n004"}, {"disable", "0"}}}}}));
}

TEST(ReadSqliteClusterTest, DoesNotTakeADamagedTableForAnEmptyOne) {
  const test::TemporaryDirectory directory;
  test::given_file(directory / "nodelist.sqlite", std::string(4096, 'x'));
  EXPECT_THROW((void)read_sqlite_cluster(directory.path()), base::Error);
  EXPECT_THROW((void)read_sqlite_cluster(directory / "missing"), base::Error);
}

TEST(ParseHostsTest, ListsAddressesByName) {
  EXPECT_EQ(parse_hosts("127.0.0.1 localhost\n::1 localhost ip6-localhost\n"
                        "10.77.1.1 n001 n001.cluster.test # rack 1\n"
                        "\t10.77.2.1\tn001\n#10.77.9.9 gone\nnonsense n002\n10.77.3.3\n"
                        "fd00::5 n005\n"),
            (Hosts{{"n001", {"10.77.1.1", "10.77.2.1"}},
                   {"n001.cluster.test", {"10.77.1.1"}},
                   {"n005", {"fd00::5"}}}));
}

// Leases of isc-dhcp 4.4.3.

TEST(ParseDhcpHostsTest, ReadsWhatMakedhcpOfXcatLeftBehind) {
  const auto hosts = parse_dhcp_hosts(
      test::content_of(std::string{HAMN_SOURCE_DIRECTORY} + "/tests/golden/xcat/dhcpd.leases"));
  EXPECT_EQ(hosts.size(), 7U);
  EXPECT_EQ(hosts.at("02:00:00:00:01:04"), "10.1.1.4");
  EXPECT_EQ(hosts.at("02:00:00:00:01:01"), "10.1.1.1");
}

std::string host(const std::string& name, const std::string& mac, const std::string& address) {
  return "host " + name + " {\n  dynamic;\n  hardware ethernet " + mac + ";\n  fixed-address " +
         address + ";\n}\n";
}

TEST(ParseDhcpHostsTest, TakesTheLastDeclarationOfAName) {
  EXPECT_EQ(parse_dhcp_hosts(host("n1", "02::1", "10.0.0.1") + host("n1", "02::2", "10.0.0.2")),
            (std::map<std::string, std::string>{{"02::2", "10.0.0.2"}}));
}

TEST(ParseDhcpHostsTest, LeavesDeletedHostsOutUntilTheyAreDeclaredAgain) {
  const std::string deleted = "host n1 {\n  dynamic;\n  deleted;\n}\n";
  const auto first = host("n1", "02::1", "10.0.0.1");
  EXPECT_TRUE(parse_dhcp_hosts(first + deleted).empty());
  EXPECT_EQ(parse_dhcp_hosts(first + deleted + first).size(), 1U);
}

TEST(ParseDhcpHostsTest, PassesOverLeasesAndGarbage) {
  EXPECT_TRUE(parse_dhcp_hosts("").empty());
  EXPECT_TRUE(
      parse_dhcp_hosts("lease 10.0.0.5 {\n  hardware ethernet 02::9;\n}\n}\n;\n{\n").empty());
  EXPECT_TRUE(parse_dhcp_hosts("host n1 {\n  hardware ethernet 02::1;\n").empty());
  EXPECT_TRUE(parse_dhcp_hosts("host n1 {\n  fixed-address 10.0.0.1;\n}\n").empty());
}

TEST(ParseDhcpHostsTest, IsNotConfusedByStatementsWithinAHost) {
  EXPECT_EQ(parse_dhcp_hosts("host n1 {\n  dynamic;\n  hardware ethernet 02::1;\n"
                             "  fixed-address 10.0.0.1;\n        supersede host-name = \"n1\";\n"
                             "        if option user-class = \"x\" {\n          supersede a = b;\n"
                             "        }\n}\n" +
                             host("n2", "02::2", "10.0.0.2"))
                .size(),
            2U);
}

TEST(ParseDhcpHostsTest, ReadsHostsOfAConfigurationOnOneLine) {
  // As xCAT writes them on Ubuntu, where omshell cannot be used.
  const auto hosts = parse_dhcp_hosts(
      "shared-network eth0 { subnet 10.0.0.0 netmask 255.255.0.0 { next-server  10.0.0.1; } }\n"
      "#xCAT host declaration for n1 {\n"
      "host n1 { hardware ethernet AA:BB:CC:00:00:01; fixed-address 10.0.0.7; }\n");
  EXPECT_EQ(hosts, (std::map<std::string, std::string>{{"aa:bb:cc:00:00:01", "10.0.0.7"}}));
}

TEST(ParseDhcpHostsTest, TakesTheLeasesForTheLastWord) {
  const auto hosts =
      parse_dhcp_hosts("host n1 { hardware ethernet 02::1; fixed-address 10.0.0.1; }\n" +
                       std::string{"host n1 {\n  dynamic;\n  deleted;\n}\n"});
  EXPECT_TRUE(hosts.empty());
}

TEST(ParseDhcpQueryTest, ReadsWhatKeaAndIscPrint) {
  const std::map<std::string, std::string> expected{{"02:00:00:00:02:01", "10.1.2.1"}};
  EXPECT_EQ(parse_dhcp_query("n001: ip-address = 10.1.2.1, hardware-address = 02:00:00:00:02:01\n"),
            expected);
  EXPECT_EQ(parse_dhcp_query("n001: ip-address = 10.1.2.1 hardware-address = 02:00:00:00:02:01 "
                             "hostname = n001\n"),
            expected);
  EXPECT_TRUE(parse_dhcp_query("n001: no information\nError: ip-address = 10.1.2.1\n").empty());
}

TEST(PrefersKeaTest, FollowsXcatsChoice) {
  EXPECT_TRUE(prefers_kea("auto", "ID=\"rocky\"\nVERSION_ID=\"10.0\"\n"));
  EXPECT_TRUE(prefers_kea("", "ID=ubuntu\nVERSION_ID=\"22.04\"\n"));
  EXPECT_FALSE(prefers_kea("", "ID=ubuntu\nVERSION_ID=\"20.04\"\n"));
  EXPECT_FALSE(prefers_kea("", "ID=\"rhel\"\nVERSION_ID=\"9.4\"\n"));
  EXPECT_FALSE(prefers_kea("", "ID=debian\nVERSION_ID=\"12\"\n"));
  EXPECT_FALSE(prefers_kea("isc", "ID=ubuntu\nVERSION_ID=\"24.04\"\n"));
  EXPECT_TRUE(prefers_kea(" KEA ", ""));
}

TEST(NameSomeTest, NamesThreeAtMost) {
  EXPECT_EQ(name_some({}), "");
  EXPECT_EQ(name_some({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(name_some({"a", "b", "c", "d"}), "a, b, c, …");
}

}  // namespace
}  // namespace hamn::takeover
