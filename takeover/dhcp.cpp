#include "takeover/dhcp.h"

#include "base/network.h"
#include "base/text.h"
#include "takeover/dhcp_server.h"
#include "takeover/name_services.h"

namespace hamn::takeover {

namespace {

using base::State;

constexpr std::uint64_t largest_file_bytes = 256U << 20U;

base::Finding not_installed() {
  return {.state = State::not_applicable, .why = "no DHCP server is installed here", .facts = {}};
}

/// Nodes that this management node itself serves by DHCP, with a MAC and an address: MAC → address.
std::map<std::string, std::string> nodes_for_dhcp(const Context& context) {
  std::map<std::string, std::string> wanted;
  const auto hosts =
      parse_hosts(context.local().read("/etc/hosts", largest_file_bytes).value_or(""));
  for (const auto& node : context.cluster.nodes) {
    if (node.mac.empty() || !node.service_node.empty()) continue;
    const auto found = hosts.find(node.name);
    const auto address = context.cluster.addresses.find(node.name);  // makehosts comes before this
    if (found != hosts.end()) {
      wanted[node.mac] = found->second.front();
    } else if (address != context.cluster.addresses.end()) {
      wanted[node.mac] = address->second;
    }
  }
  return wanted;
}

}  // namespace

base::Finding MakeDhcp::check() {
  const auto server = find_dhcp_server(context_);
  if (!server) return not_installed();
  auto& host = context_.local();
  base::Facts facts{{"unit", server->unit}};
  const auto& address = context_.site.service.address.address;
  const auto due = [&](const std::string& why) {
    return base::Finding{.state = State::due, .why = why, .facts = facts};
  };
  if (!is_configured_for(context_, *server, address)) {
    return due("DHCP has no configuration of this takeover with " + address + " as next-server");
  }
  facts["configured"] = "yes";
  if (!is_active(host, server->unit)) return due(server->unit + " does not run");
  if (runs_an_old_configuration(context_, *server)) {
    return due(server->unit + " runs with an older configuration");
  }
  if (!is_enabled(host, server->unit)) return due(server->unit + " does not start at boot");
  return {.state = State::done,
          .why = server->unit + " runs with " + address + " as next-server",
          .facts = facts};
}

base::Plan MakeDhcp::plan(const base::Finding& found) const {
  const auto& unit = found.facts.at("unit");
  base::Plan plan;
  if (found.facts.contains("configured")) {
    plan.add(base::run_on(context_.here, "Start DHCP with the new configuration",
                          {.argv = {"systemctl", "restart", unit}}));
  } else {
    plan.add(base::run_on(context_.here, "Write the configuration of DHCP and restart it",
                          makedhcp(context_, {"-n"})));
  }
  plan.add(base::run_on(context_.here, "Start DHCP at every boot from now on",
                        {.argv = {"systemctl", "enable", "--quiet", unit}}));
  return plan;
}

base::Finding MakeDhcpNodes::check() {
  const auto server = find_dhcp_server(context_);
  if (!server) return not_installed();
  const auto wanted = nodes_for_dhcp(context_);
  if (wanted.empty()) {
    return {.state = State::not_applicable, .why = "no node has a MAC and an address", .facts = {}};
  }
  const auto have = known_dhcp_hosts(context_, *server);
  std::vector<std::string> missing;
  for (const auto& [mac, address] : wanted) {
    const auto found = have.find(mac);
    if (found == have.end() || found->second != address) missing.push_back(address);
  }
  if (missing.empty()) {
    return {.state = State::done,
            .why = "DHCP knows all " + base::human_count(wanted.size()) + " nodes",
            .facts = {}};
  }
  return {.state = State::due,
          .why = "DHCP does not know " + base::human_count(missing.size()) + " of " +
                 base::human_count(wanted.size()) + " nodes: " + name_some(missing),
          .facts = {}};
}

base::Plan MakeDhcpNodes::plan(const base::Finding& /*found*/) const {
  base::Plan plan;
  plan.add(base::run_on(context_.here, "Enter all nodes, one by one", makedhcp(context_, {"-a"})));
  return plan;
}

}  // namespace hamn::takeover
