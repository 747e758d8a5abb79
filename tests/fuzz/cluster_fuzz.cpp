#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/network.h"
#include "base/text.h"
#include "cli/site_template.h"
#include "takeover/cluster.h"
#include "takeover/expectation.h"

namespace {

using Cells = std::vector<std::string>;

/// Lines "table,column=value,…" as tables.
hamn::takeover::Tables tables_in(const std::vector<Cells>& lines) {
  hamn::takeover::Tables tables;
  for (const auto& cells : lines) {
    hamn::takeover::Row row;
    for (std::size_t i = 1; i < cells.size(); ++i) {
      const auto equals = cells[i].find('=');
      if (equals == std::string::npos || equals + 1 == cells[i].size()) continue;
      row[cells[i].substr(0, equals)] = cells[i].substr(equals + 1);
    }
    tables[cells.at(0)].push_back(std::move(row));
  }
  return tables;
}

/// Regular expressions are for another one: on long names they take too long.
bool has_expressions(const std::vector<Cells>& lines) {
  return std::any_of(lines.begin(), lines.end(), [](const Cells& cells) {
    return std::any_of(cells.begin(), cells.end(), [](const std::string& cell) {
      return cell.find("=|") != std::string::npos || cell.find("=/") != std::string::npos;
    });
  });
}

/// Knowing what is expected is enough for DHCP, only IPv4 is expected of DNS, and each node is
/// counted once for /etc/hosts.
void check_expectations(const hamn::takeover::Cluster& cluster, const std::string& hosts) {
  using namespace hamn::takeover;
  const std::vector<hamn::base::InterfaceAddress> here{
      {.interface = "eth0", .address = "10.1.0.1", .prefix_length = 16}};
  const auto dhcp = expected_dhcp(cluster, hosts, here);
  std::map<std::string, std::string> known;
  for (const auto& host : dhcp.hosts) {
    if (!hamn::base::is_address(host.address) || host.macs.empty()) std::abort();
    known[host.macs.back()] = host.address;
  }
  if (judge_dhcp(dhcp, known).state == hamn::base::State::due) std::abort();
  const auto dns = expected_dns(cluster, hosts, here);
  for (const auto& [name, addresses] : dns.answers) {
    const bool all_ipv4 = std::none_of(addresses.begin(), addresses.end(), hamn::base::is_ipv6);
    if (addresses.empty() || !all_ipv4) std::abort();
  }
  const auto names = expected_hosts(cluster, hosts);
  const auto told = names.present + names.missing.size() + names.unnamed.size();
  if (told != cluster.nodes.size()) std::abort();
}

}  // namespace

/// Any bytes as tabdump prints tables, up to a line "====", and as /etc/hosts behind it: a node for
/// every row of nodelist, and services that can know what is expected of them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  const std::string separator = "\n====\n";
  const auto end = std::min(text.find(separator), text.size());
  const auto hosts = text.substr(std::min(end + separator.size(), text.size()));
  const auto lines = hamn::cli::parse_tabdump(text.substr(0, end));
  if (has_expressions(lines)) return 0;
  auto tables = tables_in(lines);
  const auto nodes = tables["nodelist"].size();
  const auto cluster = hamn::takeover::make_cluster(tables);
  if (cluster.nodes.size() != nodes) std::abort();
  for (const auto& [name, address] : cluster.addresses) {
    if (!hamn::base::is_address(address)) std::abort();
  }
  check_expectations(cluster, hosts);
  return 0;
}
