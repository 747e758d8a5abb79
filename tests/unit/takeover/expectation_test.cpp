#include "takeover/expectation.h"

#include <gtest/gtest.h>

namespace hamn::takeover {
namespace {

using base::State;
using Known = std::map<std::string, std::string>;
using Answers = std::map<std::string, std::vector<std::string>>;

constexpr const char* first_mac = "02:00:00:00:00:01";

/// A management node with two networks, 10.77.0.0/16 and 10.88.0.0/16, and the nodes of each test.
class ExpectationTest : public testing::Test {
 protected:
  ExpectationTest() {
    tables_["site"] = {{{"key", "domain"}, {"value", "cluster.test"}}};
    given_network("10.77.0.0", {{"mask", "255.255.0.0"}});
  }

  /// A node with an address in /etc/hosts and a value of the table "mac".
  void given_node(const std::string& name, const std::string& address,
                  const std::string& mac = "") {
    tables_["nodelist"].push_back({{"node", name}, {"groups", "all"}});
    if (!address.empty()) given_line(address + " " + name);
    if (!mac.empty()) tables_["mac"].push_back({{"node", name}, {"mac", mac}});
  }

  void given_line(const std::string& line) { hosts_ += line + "\n"; }

  void given_network(const std::string& net, Row columns) {
    columns["net"] = net;
    tables_["networks"].push_back(std::move(columns));
  }

  void given_site(const std::string& key, const std::string& value) {
    tables_["site"].push_back({{"key", key}, {"value", value}});
  }

  [[nodiscard]] DhcpExpectation dhcp() const {
    return expected_dhcp(make_cluster(tables_), hosts_, here_);
  }
  [[nodiscard]] DnsExpectation dns() const {
    return expected_dns(make_cluster(tables_), hosts_, here_);
  }
  [[nodiscard]] HostsExpectation hosts() const {
    return expected_hosts(make_cluster(tables_), hosts_);
  }

  Tables tables_;
  std::string hosts_ = "127.0.0.1 localhost\n10.77.0.11 mn1\n";
  std::vector<base::InterfaceAddress> here_{
      {.interface = "eth0", .address = "10.77.0.11", .prefix_length = 16},
      {.interface = "eth1", .address = "10.88.0.11", .prefix_length = 16}};
};

// DHCP.

TEST_F(ExpectationTest, GivesEveryMacTheAddressOfItsHostPart) {
  given_node("n001", "10.77.1.1", "02:00:00:00:00:01|02:00:00:00:00:02!n001-eth1");
  given_line("10.88.1.1 n001-eth1");
  EXPECT_EQ(dhcp().hosts,
            (std::vector<DhcpHost>{
                {.name = "n001", .address = "10.77.1.1", .macs = {first_mac}},
                {.name = "n001-eth1", .address = "10.88.1.1", .macs = {"02:00:00:00:00:02"}},
            }));
  EXPECT_EQ(to_text(dhcp().left_out), "");
}

TEST_F(ExpectationTest, TakesTheMacOfAnotherNameForThatNameOnly) {
  given_node("n001", "10.77.1.1", "02:00:00:00:00:01!other");
  given_line("10.77.9.9 other");
  ASSERT_EQ(dhcp().hosts.size(), 1U);
  EXPECT_EQ(dhcp().hosts[0].address, "10.77.9.9");
}

TEST_F(ExpectationTest, WantsNoAddressForCardsThatXcatDeniesBooting) {
  given_node("n001", "10.77.1.1", "02:00:00:00:00:09!*NOIP*|02:00:00:00:00:01|");
  EXPECT_EQ(dhcp().hosts,
            (std::vector<DhcpHost>{{.name = "n001", .address = "10.77.1.1", .macs = {first_mac}}}));
  EXPECT_TRUE(dhcp().left_out.empty());
}

TEST_F(ExpectationTest, WritesMacsAsDhcpdDoes) {
  given_node("n001", "10.77.1.1", "AA-BB-CC-00-11-22");
  given_node("n002", "10.77.1.2", "AABBCC001123");
  given_node("n003", "10.77.1.3", "AA:BB:CC:00:11:24");
  ASSERT_EQ(dhcp().hosts.size(), 3U);
  EXPECT_EQ(dhcp().hosts[0].macs, std::vector<std::string>{"aa:bb:cc:00:11:22"});
  EXPECT_EQ(dhcp().hosts[1].macs, std::vector<std::string>{"aa:bb:cc:00:11:23"});
  EXPECT_EQ(dhcp().hosts[2].macs, std::vector<std::string>{"aa:bb:cc:00:11:24"});
}

TEST_F(ExpectationTest, NamesInfinibandAndNonsenseInsteadOfMissingThem) {
  given_node("n001", "10.77.1.1", "00:02:c9:03:00:0a:6f:31");
  given_node("n002", "10.77.1.2", "a0:00:02:20:fe:80:00:00:00:00:00:00:00:02:c9:03:00:0a:6f:32");
  given_node("n003", "10.77.1.3", "to be found");
  EXPECT_TRUE(dhcp().hosts.empty());
  EXPECT_EQ(to_text(dhcp().left_out),
            "left out: 1 with a MAC that is none (n003); 2 with an InfiniBand MAC, which is not "
            "looked for (n001, n002)");
}

TEST_F(ExpectationTest, LeavesNodesOutThatAreNotOnANetworkOfThisHost) {
  given_node("n001", "10.77.1.1", first_mac);
  given_node("n001-bmc", "10.99.1.1", "02:00:00:00:00:02");
  EXPECT_EQ(dhcp().hosts.size(), 1U);
  EXPECT_EQ(to_text(dhcp().left_out), "left out: 1 not on a network of this host (n001-bmc)");
  given_network("10.99.0.0", {{"mask", "255.255.0.0"}, {"mgtifname", "!remote!eth0"}});
  EXPECT_EQ(dhcp().hosts.size(), 2U);
}

TEST_F(ExpectationTest, LeavesAddressesOfADynamicRangeOut) {
  tables_["networks"][0]["dynamicrange"] = "10.77.5.1-10.77.5.9;10.77.6.1,10.77.6.9";
  given_node("n001", "10.77.5.9", first_mac);
  given_node("n002", "10.77.6.1", "02:00:00:00:00:02");
  given_node("n003", "10.77.5.10", "02:00:00:00:00:03");
  ASSERT_EQ(dhcp().hosts.size(), 1U);
  EXPECT_EQ(dhcp().hosts[0].name, "n003");
  EXPECT_EQ(to_text(dhcp().left_out), "left out: 2 inside a dynamic range (n001, n002)");
}

TEST_F(ExpectationTest, LeavesHostsWithoutAnAddressOut) {
  given_node("n001", "", first_mac);
  given_node("n002", "10.77.1.2", "02:00:00:00:00:02!n002-eth9");
  EXPECT_TRUE(dhcp().hosts.empty());
  EXPECT_EQ(to_text(dhcp().left_out), "left out: 2 without an address (n001, n002-eth9)");
}

TEST_F(ExpectationTest, TakesTheAddressOfTheTableWhereHostsHasNone) {
  given_node("n001", "", first_mac);
  tables_["hosts"] = {{{"node", "all"}, {"ip", "|\\D+(\\d+)|10.77.3.($1+0)|"}}};
  ASSERT_EQ(dhcp().hosts.size(), 1U);
  EXPECT_EQ(dhcp().hosts[0].address, "10.77.3.1");
}

TEST_F(ExpectationTest, LeavesTheNodesOfServiceNodesToThem) {
  given_node("n001", "10.77.1.1", first_mac);
  given_node("n002", "10.77.1.2", "02:00:00:00:00:02");
  given_node("r9", "10.77.1.3", "02:00:00:00:00:03");
  tables_["noderes"] = {{{"node", "n001"}, {"servicenode", "sn1"}},
                        {{"node", "n002"}, {"servicenode", "|n\\d+(\\d)|sn$1|"}}};
  ASSERT_EQ(dhcp().hosts.size(), 1U);
  EXPECT_EQ(dhcp().hosts[0].name, "r9");
  EXPECT_TRUE(dhcp().left_out.empty());
}

TEST_F(ExpectationTest, IsContentWithOneCardOfABond) {
  given_node("n001", "10.77.1.1", "02:00:00:00:00:01|02:00:00:00:00:02!n001-b");
  given_line("10.77.1.1 n001-b");
  EXPECT_EQ(judge_dhcp(dhcp(), Known{{"02:00:00:00:00:02", "10.77.1.1"}}),
            (base::Finding{.state = State::done, .why = "DHCP knows all 1 nodes"}));
}

TEST_F(ExpectationTest, CannotTellWhoseAMacIsThatTwoNodesHave) {
  given_node("n001", "10.77.1.1", first_mac);
  given_node("n002", "10.77.1.2", first_mac);
  EXPECT_TRUE(dhcp().hosts.empty());
  EXPECT_EQ(to_text(dhcp().left_out),
            "left out: 2 with a MAC that another address has too (n001, n002)");
}

TEST_F(ExpectationTest, IsDueForWrongAddressesAndDoneInSpiteOfWhatIsLeftOut) {
  given_node("n001", "10.77.1.1", first_mac);
  given_node("bmc", "10.99.1.1", "02:00:00:00:00:02");
  const std::string rest = "left out: 1 not on a network of this host (bmc)";
  const base::Facts facts{{"follow_up", "look whether DHCP has to know what was " + rest}};
  EXPECT_EQ(judge_dhcp(dhcp(), Known{{first_mac, "10.77.1.2"}}),
            (base::Finding{.state = State::due,
                           .why = "DHCP does not know 1 of 1 nodes: n001; " + rest,
                           .facts = facts}));
  EXPECT_EQ(judge_dhcp(dhcp(), Known{{first_mac, "10.77.1.1"}}),
            (base::Finding{
                .state = State::done, .why = "DHCP knows all 1 nodes; " + rest, .facts = facts}));
}

TEST_F(ExpectationTest, HasNothingToTellDhcpWhereNoNodeCounts) {
  EXPECT_EQ(judge_dhcp(dhcp(), {}), (base::Finding{.state = State::not_applicable,
                                                   .why = "no node has a MAC and an address"}));
  given_node("bmc", "10.99.1.1", first_mac);
  EXPECT_EQ(judge_dhcp(dhcp(), {}).state, State::not_applicable);
  EXPECT_TRUE(judge_dhcp(dhcp(), {}).facts.contains("follow_up"));
}

// DNS.

TEST_F(ExpectationTest, TakesTheDomainOfTheLongestNetwork) {
  given_network("10.77.200.0", {{"mask", "255.255.255.0"}, {"domain", ".bmc.test"}});
  given_network("10.88.0.0", {{"mask", "255.255.0.0"}, {"domain", "ib.test"}});
  given_node("n001", "10.77.1.1");
  given_node("n001-bmc", "10.77.200.1");
  given_node("n001-ib", "10.88.1.1");
  EXPECT_EQ(dns().answers, (Answers{{"n001.cluster.test", {"10.77.1.1"}},
                                    {"n001-bmc.bmc.test", {"10.77.200.1"}},
                                    {"n001-ib.ib.test", {"10.88.1.1"}}}));
}

TEST_F(ExpectationTest, KeepsNamesThatHaveTheirDomainAlready) {
  given_node("n001.cluster.test", "10.77.1.1");
  given_node("rack1.n2", "10.77.1.2");
  EXPECT_EQ(dns().answers, (Answers{{"n001.cluster.test", {"10.77.1.1"}},
                                    {"rack1.n2.cluster.test", {"10.77.1.2"}}}));
}

TEST_F(ExpectationTest, LeavesNamesOutThatNoNetworkOfThisHostHolds) {
  given_network("10.99.0.0", {{"mask", "255.255.0.0"}, {"nameservers", "10.99.0.1"}});
  given_node("n001", "10.77.1.1");
  given_node("lost", "172.16.1.1");
  given_node("bmc", "10.99.1.1");
  EXPECT_EQ(dns().answers.size(), 1U);
  EXPECT_EQ(to_text(dns().left_out),
            "left out: 2 in no network that this host serves names for (lost, bmc)");
}

TEST_F(ExpectationTest, KnowsItselfAsNameServerInTheWaysThatMakednsDoes) {
  given_node("n001", "10.77.1.1");
  given_site("nameservers", "mn.cluster.test");
  for (const auto* servers :
       {"", "10.77.0.11", "10.77.0.1,10.77.0.11", "<xcatmaster>", "mn.cluster.test"}) {
    tables_["networks"][0]["nameservers"] = servers;
    EXPECT_EQ(dns().answers.size(), 1U) << servers;
  }
  for (const auto* servers : {"10.77.0.1", "10.88.0.11", "10.77.0.111"}) {
    tables_["networks"][0]["nameservers"] = servers;
    EXPECT_EQ(dns().answers.size(), 0U) << servers;
  }
}

TEST_F(ExpectationTest, LeavesLinesOutThatMakednsPassesOver) {
  given_node("n_1", "10.77.1.1");
  given_line("10.77.1.2 n002 n002_alias");
  given_node("n002", "");
  given_node("n003", "10.77.1.3");
  given_line("10.77.1.3 later");  // takes the address away from n003
  given_node("n004", "");
  EXPECT_TRUE(dns().answers.empty());
  EXPECT_EQ(to_text(dns().left_out),
            "left out: 3 on a line of /etc/hosts that makedns passes over (n_1, n002, n003); 1 "
            "without an address (n004)");
}

TEST_F(ExpectationTest, KnowsNetworksByMaskAndByPrefixAndPassesOverNonsense) {
  tables_["networks"] = {{{"net", "10.77.0.0"}, {"mask", "255.0.255.0"}, {"domain", "a.test"}},
                         {{"net", "nonsense"}, {"mask", "255.255.0.0"}, {"domain", "b.test"}},
                         {{"net", "fd00::/64"}, {"domain", "six.test"}},
                         {{"net", "10.77.0.0/16"}, {"domain", "c.test"}}};
  given_node("n001", "10.77.1.1");
  given_node("n006", "fd00::6");
  EXPECT_EQ(dns().answers, (Answers{{"n001.c.test", {"10.77.1.1"}}}));
  EXPECT_EQ(to_text(dns().left_out), "left out: 1 with IPv6 only, which is not asked for (n006)");
}

TEST_F(ExpectationTest, LeavesNamesWithoutAnyDomainOut) {
  tables_["site"].clear();
  given_node("n001", "10.77.1.1");
  EXPECT_EQ(to_text(dns().left_out), "left out: 1 without a domain (n001)");
}

TEST_F(ExpectationTest, TakesAnySettingOfExternaldnsButZeroForYes) {
  EXPECT_FALSE(has_external_dns(make_cluster(tables_)));
  given_site("externaldns", "0");
  EXPECT_FALSE(has_external_dns(make_cluster(tables_)));
  tables_["site"].back()["value"] = "yes";
  EXPECT_TRUE(has_external_dns(make_cluster(tables_)));
}

// /etc/hosts.

TEST_F(ExpectationTest, CountsNodesOnlyAndFollowsTheExpressionOfTheirGroup) {
  tables_["hosts"] = {{{"node", "all"}, {"ip", "|\\D+(\\d+)|10.77.1.($1+0)|"}},
                      {{"node", "gone"}, {"ip", "10.77.1.99"}}};
  given_node("n001", "10.77.1.1");
  given_node("n002", "10.77.9.9");  // another address than the table has
  given_node("n003", "");
  EXPECT_EQ(hosts().present, 1U);
  EXPECT_EQ(hosts().missing, (std::vector<std::string>{"n002", "n003"}));
  EXPECT_TRUE(hosts().unnamed.empty());
}

TEST_F(ExpectationTest, IsContentWithAnyLineWhereTheAddressIsNotKnown) {
  tables_["hosts"] = {{{"node", "all"}, {"ip", "|n(\\d+)|10.77.1.(sprintf('%d',$1))|"}}};
  given_node("n001", "10.77.1.1");
  given_node("n002", "");
  EXPECT_EQ(hosts().present, 1U);
  EXPECT_TRUE(hosts().missing.empty());
  EXPECT_EQ(hosts().unnamed, std::vector<std::string>{"n002"});
}

TEST_F(ExpectationTest, DoesNotInsistOnALineForEachOfTwoNodesWithOneAddress) {
  tables_["hosts"] = {{{"node", "n001"}, {"ip", "10.77.1.1"}},
                      {{"node", "n002"}, {"ip", "10.77.1.1"}}};
  given_node("n001", "");
  given_node("n002", "10.77.1.1");
  EXPECT_EQ(hosts().present, 1U);
  EXPECT_EQ(hosts().unnamed, std::vector<std::string>{"n001"});
}

}  // namespace
}  // namespace hamn::takeover
