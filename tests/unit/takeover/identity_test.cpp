#include "takeover/identity.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "takeover/addresses.h"
#include "takeover/deployment.h"

namespace hamn::takeover {
namespace {

using Addresses = std::vector<base::InterfaceAddress>;
using Lines = std::vector<std::string>;

const base::Subnet wanted{.address = "10.77.0.11", .prefix_length = 16};
const std::string own = "10.77.0.12";
const std::string keep = "sysctl -q -w net/ipv4/conf/eth0/promote_secondaries=1";
const std::string bring_service = "ip address add 10.77.0.11/16 dev eth0";
const std::string take_own = "ip address del 10.77.0.12/16 dev eth0";
const std::string bring_own = "ip address add 10.77.0.12/16 dev eth0";

base::InterfaceAddress at(const std::string& address, const std::string& interface = "eth0",
                          int prefix_length = 16) {
  return {.interface = interface, .address = address, .prefix_length = prefix_length};
}

Lines planned(const Addresses& present, const base::Subnet& service = wanted,
              const std::string& own_address = own) {
  Lines lines;
  for (const auto& action : plan_address("mn2", "eth0", service, own_address, present).actions) {
    EXPECT_EQ(action.host, "mn2");
    lines.push_back(base::to_text(action));
  }
  return lines;
}

struct Case {
  std::string name;
  Addresses present;
  Lines lines;
};

const std::vector<Case> cases{
    {"no address at all", {}, {bring_service, bring_own}},
    {"own address first", {at(own)}, {keep, bring_service, take_own, bring_own}},
    {"own address and others before it",
     {at("10.77.0.30"), at(own)},
     {keep, bring_service, "ip address del 10.77.0.30/16 dev eth0",
      "ip address add 10.77.0.30/16 dev eth0", take_own, bring_own}},
    {"service address second", {at(own), at("10.77.0.11")}, {keep, take_own, bring_own}},
    {"already first", {at("10.77.0.11"), at(own)}, {}},
    {"already first, another behind", {at("10.77.0.11"), at(own), at("10.77.0.30")}, {}},
    {"own missing after a cut", {at("10.77.0.11")}, {bring_own}},
    {"own missing, others there", {at("10.77.0.11"), at("10.77.0.30")}, {bring_own}},
    {"addresses of other subnets are left alone",
     {at("192.168.1.5"), at("10.77.0.11"), at(own)},
     {}},
    {"other interfaces are left alone", {at(own, "eth1")}, {bring_service, bring_own}}};

TEST(PlanAddressTest, MakesTheServiceAddressTheFirstOneOfItsSubnet) {
  for (const auto& each : cases) EXPECT_EQ(planned(each.present), each.lines) << each.name;
}

TEST(PlanAddressTest, LeavesAnOwnAddressOfAnotherSubnetWhereItIs) {
  EXPECT_EQ(planned({at("192.168.1.12")}, wanted, "192.168.1.12"), (Lines{bring_service}));
}

TEST(PlanAddressTest, BringsNothingBackWhereTheServiceAddressIsTheOwnOne) {
  EXPECT_EQ(planned({}, wanted, "10.77.0.11"), (Lines{bring_service}));
  EXPECT_EQ(planned({at("10.77.0.11")}, wanted, "10.77.0.11"), (Lines{}));
}

TEST(PlanAddressTest, KeepsThePrefixLengthThatEachAddressHad) {
  const Addresses present{at(own, "eth0", 24)};
  EXPECT_EQ(planned(present), (Lines{keep, bring_service, "ip address del 10.77.0.12/24 dev eth0",
                                     "ip address add 10.77.0.12/24 dev eth0"}));
}

TEST(PlanAddressTest, WorksWithIpv6) {
  const base::Subnet service{.address = "fd00::11", .prefix_length = 64};
  const Addresses present{at("fd00::12", "eth0", 64), at("10.77.0.12")};
  EXPECT_EQ(planned(present, service, "fd00::12").at(1), "ip address add fd00::11/64 dev eth0");
  EXPECT_EQ(planned({at("fd00::11", "eth0", 64), at("fd00::12", "eth0", 64)}, service, "fd00::12"),
            (Lines{}));
}

TEST(PlanAddressTest, PlansNothingMoreOnceItWasDone) {
  Addresses now{at("10.77.0.11"), at("10.77.0.30"), at(own)};
  EXPECT_EQ(planned(now), (Lines{}));
}

// ip -oneline address show, iproute2 6.1, on a host in a container.
const std::string ip_output =
    "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
    "1: lo    inet6 ::1/128 scope host noprefixroute \\       valid_lft forever preferred_lft "
    "forever\n"
    "2: eth0    inet 10.77.0.12/16 brd 10.77.255.255 scope global eth0\\       valid_lft forever "
    "preferred_lft forever\n"
    "2: eth0    inet 10.77.0.11/16 scope global secondary eth0\\       valid_lft forever "
    "preferred_lft forever\n"
    "2: eth0    inet6 fe80::5054:ff:fe12:3456/64 scope link \\       valid_lft forever "
    "preferred_lft "
    "forever\n"
    "3: eth1    inet 192.168.9.5 peer 192.168.9.1/32 scope global eth1\\       valid_lft forever\n";

TEST(ParseIpAddressTest, KeepsTheOrderOfTheKernelAndLeavesLoopbackOut) {
  EXPECT_EQ(parse_ip_address(ip_output), (Addresses{at("10.77.0.12"), at("10.77.0.11"),
                                                    at("fe80::5054:ff:fe12:3456", "eth0", 64)}));
}

TEST(ParseIpAddressTest, PassesOverWhatItDoesNotKnow) {
  EXPECT_TRUE(parse_ip_address("").empty());
  EXPECT_TRUE(parse_ip_address("2: eth0\n\nnonsense inet inet6\n2: eth0 link ether\n").empty());
  EXPECT_TRUE(parse_ip_address("2: eth0 inet 300.1.1.1/8 scope global\n").empty());
}

TEST(HoldsWordTest, FindsWholeAddressesAndNamesOnly) {
  const std::vector<std::tuple<std::string, std::string, bool>> table{
      {"10.77.0.1", "10.77.0.1", true},
      {"http://10.77.0.1/install", "10.77.0.1", true},
      {"10.77.0.1,10.77.0.2", "10.77.0.1", true},
      {"10.77.0.11", "10.77.0.1", false},
      {"110.77.0.1", "10.77.0.1", false},
      {"10.77.0.1.5", "10.77.0.1", false},
      {"mn2", "mn2", true},
      {"mn2.cluster.test", "mn2", true},
      {"mn22", "mn2", false},
      {"x-mn2", "mn2", false},
      {"mn2-bmc", "mn2", false},
      {"www.mn2", "mn2", false},
      {"mn22 mn2", "mn2", true},
      {"", "mn2", false}};
  for (const auto& [text, word, holds] : table) {
    EXPECT_EQ(holds_word(text, word), holds) << word << " in " << text;
  }
}

}  // namespace
}  // namespace hamn::takeover
