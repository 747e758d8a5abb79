#include "base/network.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hamn::base {

TEST(NetworkTest, TakesOnlyWholeNumericAddresses) {
  for (const char* good : {"10.77.0.11", "0.0.0.0", "255.255.255.255", "::", "::1", "fd00::11",
                           "2001:db8:0:0:0:0:0:1", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(is_address(good)) << good;
  }
  for (const char* bad : {"", "10.77.0", "10.1", "1", "010.0.0.1", "0x7f.0.0.1", "10.77.0.256",
                          "10.77.0.11 ", " 10.77.0.11", "10.77.0.11/16", "mn1", "fe80::1%eth0",
                          "fd00:::1", "1:2:3", "10.77.0.11.1", "[::1]"}) {
    EXPECT_FALSE(is_address(bad)) << bad;
  }
  EXPECT_FALSE(is_address(std::string{"10.0.0.1\0x", 10}));
}

TEST(NetworkTest, WritesAddressesAsTheKernelDoes) {
  EXPECT_EQ("fd00::1", canonical_address("FD00:0:0::0001"));
  EXPECT_EQ("10.0.0.1", canonical_address("10.0.0.1"));
  EXPECT_EQ(std::nullopt, canonical_address("mn1"));
}

TEST(NetworkTest, ReadsSubnets) {
  EXPECT_EQ((Subnet{.address = "10.77.0.11", .prefix_length = 16}), parse_subnet("10.77.0.11/16"));
  EXPECT_EQ((Subnet{.address = "fd00::1", .prefix_length = 128}), parse_subnet("FD00::1/128"));
  for (const char* bad :
       {"", "/", "10.0.0.1", "10.0.0.1/", "10.0.0.1/0", "10.0.0.1/33", "/24", "fd00::1/129",
        "10.0.0.1/24/1", "10.0.0.1/-1", "10.0.0.1/ 24", "mn1/24"}) {
    EXPECT_EQ(std::nullopt, parse_subnet(bad)) << bad;
  }
  EXPECT_EQ("10.77.0.11/16", to_text(parse_subnet("10.77.0.11/16").value()));
}

TEST(NetworkTest, KnowsWhatLiesInASubnet) {
  struct Case {
    const char* subnet;
    const char* address;
    bool inside;
  };
  const std::vector<Case> cases{{"10.77.0.11/16", "10.77.255.255", true},
                                {"10.77.0.11/16", "10.78.0.0", false},
                                {"10.77.0.11/32", "10.77.0.11", true},
                                {"10.77.0.11/32", "10.77.0.10", false},
                                {"10.0.0.1/1", "127.255.255.255", true},
                                {"10.0.0.1/1", "128.0.0.0", false},
                                {"192.168.5.130/25", "192.168.5.128", true},
                                {"192.168.5.130/25", "192.168.5.127", false},
                                {"192.168.5.130/30", "192.168.5.131", true},
                                {"192.168.5.130/30", "192.168.5.132", false},
                                {"fd00::1/64", "fd00::ffff:ffff:ffff:ffff", true},
                                {"fd00::1/64", "fd00:0:0:1::", false},
                                {"fd00::1/127", "fd00::", true},
                                {"fd00::1/127", "fd00::2", false},
                                {"fd00::1/64", "10.0.0.1", false},
                                {"10.0.0.1/8", "fd00::1", false},
                                {"10.0.0.1/8", "mn1", false},
                                {"10.0.0.1/8", "", false}};
  for (const auto& each : cases) {
    EXPECT_EQ(each.inside, contains(parse_subnet(each.subnet).value(), each.address))
        << each.subnet << " " << each.address;
  }
}

TEST(NetworkTest, ListsTheAddressesOfThisHostWithoutLoopback) {
  for (const auto& found : local_addresses()) {
    EXPECT_TRUE(is_address(found.address)) << found.address;
    EXPECT_EQ(found.address, canonical_address(found.address));
    EXPECT_FALSE(found.interface.empty());
    EXPECT_NE("lo", found.interface);
    EXPECT_GT(found.prefix_length, 0);
    EXPECT_LE(found.prefix_length, is_ipv6(found.address) ? 128 : 32);
  }
}

}  // namespace hamn::base
