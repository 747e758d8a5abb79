#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hamn::base {

/// One address of an interface of this host, in the kernel's order: the first of a subnet is the
/// one that programs use as their source and that xCAT's makedhcp hands out as next-server.
struct InterfaceAddress {
  std::string interface;
  std::string address;  ///< numeric: "10.77.0.11"
  int prefix_length = 0;

  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

/// All addresses of this host but the loopback ones, as the kernel lists them.
[[nodiscard]] std::vector<InterfaceAddress> local_addresses();

/// An address with its prefix length: "10.77.0.11/16".
struct Subnet {
  std::string address;
  int prefix_length = 0;

  friend bool operator==(const Subnet&, const Subnet&) = default;
};

/// Strict: "10.1" and "010.0.0.1", which some programs read as other addresses, are none.
[[nodiscard]] bool is_address(const std::string& text);
[[nodiscard]] bool is_ipv6(const std::string& address);
/// The address as the kernel writes it ("FD00::01" is "fd00::1"), so that texts can be compared.
[[nodiscard]] std::optional<std::string> canonical_address(const std::string& text);
/// ADDRESS/PREFIX, the address in its canonical form. Nothing if it is none.
[[nodiscard]] std::optional<Subnet> parse_subnet(const std::string& text);
[[nodiscard]] std::string to_text(const Subnet& subnet);
/// True if `address` lies in the network of `subnet`.
[[nodiscard]] bool contains(const Subnet& subnet, const std::string& address);

}  // namespace hamn::base
