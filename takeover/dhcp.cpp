#include "takeover/dhcp.h"

#include "takeover/addresses.h"
#include "takeover/dhcp_server.h"
#include "takeover/expectation.h"

namespace hamn::takeover {

namespace {

using base::State;

constexpr std::uint64_t largest_file_bytes = 256U << 20U;

base::Finding not_installed() {
  return {.state = State::not_applicable, .why = "no DHCP server is installed here", .facts = {}};
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
  const auto hosts = context_.local().read("/etc/hosts", largest_file_bytes).value_or("");
  const auto expected =
      expected_dhcp(context_.cluster, hosts, local_addresses_of(context_.local()));
  if (expected.hosts.empty()) return judge_dhcp(expected, {});
  return judge_dhcp(expected, known_dhcp_hosts(context_, *server));
}

base::Plan MakeDhcpNodes::plan(const base::Finding& /*found*/) const {
  base::Plan plan;
  plan.add(base::run_on(context_.here, "Enter all nodes, one by one", makedhcp(context_, {"-a"})));
  return plan;
}

}  // namespace hamn::takeover
