#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/plan.h"
#include "takeover/cluster.h"

namespace hamn::takeover {

// What the services of a management node have to know, by the rules of xCAT 2.19's own commands.
// A good takeover is held against this, so whatever xCAT passes over is passed over here too, and
// whatever cannot be told for certain is left out and named. All functions are pure.

/// What is not looked at: why → names.
using LeftOut = std::map<std::string, std::vector<std::string>>;
/// "left out: 2 not on a network of this host (bmc1, bmc2); 1 without an address (n9)"; empty if
/// there is nothing.
[[nodiscard]] std::string to_text(const LeftOut& left_out);
/// "n001, n002, n003, …": three names at most.
[[nodiscard]] std::string name_some(const std::vector<std::string>& names);

/// An address that DHCP has to give to one of these network cards. xCAT enters cards one by one and
/// takes back what has the same name or address, so the last one of a bond is enough.
struct DhcpHost {
  std::string name;
  std::string address;
  std::vector<std::string> macs;

  friend bool operator==(const DhcpHost&, const DhcpHost&) = default;
};

/// What DHCP has to know, and what is not looked at.
struct DhcpExpectation {
  std::vector<DhcpHost> hosts;
  LeftOut left_out;
};

/// What `makedhcp -a` enters on this host (dhcp.pm addnode, NetworkUtils.pm nodeonmynet): every
/// MAC of the table "mac" with the address of its host part, the node itself if there is none.
/// Passed over, because nothing is missing: nodes of service nodes, and "!*NOIP*". Left out: hosts
/// without an address, nodes not on a network of this host (nor "!remote!" in the table networks),
/// addresses inside a dynamic range, InfiniBand, and MACs that several addresses claim.
/// `hosts_text` is /etc/hosts; `here` are the addresses of this host.
[[nodiscard]] DhcpExpectation expected_dhcp(const Cluster& cluster, const std::string& hosts_text,
                                            const std::vector<base::InterfaceAddress>& here);

/// The step's verdict; `known` is MAC → address.
[[nodiscard]] base::Finding judge_dhcp(const DhcpExpectation& expected,
                                       const std::map<std::string, std::string>& known);

/// What DNS has to say, and what is not looked at.
struct DnsExpectation {
  std::map<std::string, std::vector<std::string>> answers;  ///< full name → right addresses
  LeftOut left_out;
};

/// What `makedns -n` enters (ddns.pm process_request, NetworkUtils.pm getNodeDomains): every node
/// in /etc/hosts, in the domain of its network, site.domain by default. Left out: nodes in no row
/// of the table networks, or only in rows whose name server is not this host, and those whose line
/// makedns passes over: names with "_", addresses that have a later line. Only IPv4 is asked for.
[[nodiscard]] DnsExpectation expected_dns(const Cluster& cluster, const std::string& hosts_text,
                                          const std::vector<base::InterfaceAddress>& here);

/// True if site.externaldns says that names are somebody else's business: makedns then leaves the
/// server here alone.
[[nodiscard]] bool has_external_dns(const Cluster& cluster);

/// How /etc/hosts stands to the nodes of the cluster.
struct HostsExpectation {
  std::size_t present = 0;           ///< nodes that are in /etc/hosts as they should be
  std::vector<std::string> missing;  ///< nodes whose address is known, but is not in /etc/hosts
  /// Nodes that are not in /etc/hosts and perhaps never will be: without an address, or with one
  /// that another node has too, which makehosts gives a single line.
  std::vector<std::string> unnamed;
};

/// /etc/hosts held against the nodes of the cluster (hosts.pm). A node whose address is not known
/// needs a line with whatever address.
[[nodiscard]] HostsExpectation expected_hosts(const Cluster& cluster,
                                              const std::string& hosts_text);

}  // namespace hamn::takeover
