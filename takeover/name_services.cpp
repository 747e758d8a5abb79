#include "takeover/name_services.h"

#include <algorithm>
#include <array>

#include "base/network.h"
#include "base/text.h"

namespace hamn::takeover {

namespace {

using base::State;

constexpr std::uint64_t hosts_limit_bytes = 64U << 20U;
constexpr std::array lease_files{"/var/lib/dhcp/dhcpd.leases", "/var/lib/dhcpd/dhcpd.leases",
                                 "/var/lib/dhcp/db/dhcpd.leases"};
constexpr std::array dhcpd_files{"/etc/dhcp/dhcpd.conf", "/etc/dhcpd.conf"};
constexpr std::array dhcpd_pid_files{"/run/dhcpd.pid", "/run/dhcp-server/dhcpd.pid"};

base::Command xcat_command(const Context& context, const std::vector<std::string>& words) {
  base::Command command{.argv = words, .time_limit = context.site.takeover.command_limit};
  command.argv.front() = context.xcat(command.argv.front());
  return command;
}

std::map<std::string, std::vector<std::string>> hosts_file(const Context& context) {
  return parse_hosts(context.local().read("/etc/hosts", hosts_limit_bytes).value_or(""));
}

template <std::size_t Count>
std::optional<std::string> first_file(base::Host& host,
                                      const std::array<const char*, Count>& paths) {
  for (const auto* path : paths) {
    if (auto text = host.read(path, 256U << 20U)) return text;
  }
  return std::nullopt;
}

std::optional<std::string> dhcp_unit(const Context& context) {
  return find_unit(context.local(), context.site.units.dhcp,
                   {"isc-dhcp-server", "dhcpd", "kea-dhcp4-server", "kea-dhcp4"});
}

/// True if dhcpd was started before its configuration was last written, or if that cannot be told.
bool runs_an_old_configuration(base::Host& host) {
  for (const auto* pid_file : dhcpd_pid_files) {
    if (!host.read(pid_file, 4096)) continue;
    base::Command find{.argv = {"find"}};
    find.argv.insert(find.argv.end(), dhcpd_files.begin(), dhcpd_files.end());
    find.argv.insert(find.argv.end(), {"-newer", pid_file});
    return !base::trim(host.run(find).output).empty();
  }
  return true;
}

/// Nodes that this management node itself serves by DHCP: with a MAC and an address.
std::map<std::string, std::string> nodes_for_dhcp(const Context& context) {
  std::map<std::string, std::string> wanted;  // MAC → address
  const auto hosts = hosts_file(context);
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

std::string name_some(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 3;
  std::vector<std::string> some(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), shown)));
  return base::join(some, ", ") + (names.size() > shown ? ", …" : "");
}

base::Finding MakeHosts::check() {
  const auto hosts = hosts_file(context_);
  std::vector<std::string> missing;
  for (const auto& [name, address] : context_.cluster.addresses) {
    const auto found = hosts.find(name);
    const bool there = found != hosts.end() && std::find(found->second.begin(), found->second.end(),
                                                         address) != found->second.end();
    // Rows of groups name no host.
    const bool is_node =
        std::any_of(context_.cluster.nodes.begin(), context_.cluster.nodes.end(),
                    [&, &wanted = name](const Node& node) { return node.name == wanted; });
    if (!there && is_node) missing.push_back(name);
  }
  if (missing.empty()) {
    return {.state = State::done,
            .why = "/etc/hosts has all " + base::human_count(context_.cluster.addresses.size()) +
                   " addresses",
            .facts = {}};
  }
  return {.state = State::due,
          .why = base::human_count(missing.size()) +
                 " nodes are missing in /etc/hosts: " + name_some(missing),
          .facts = {}};
}

base::Plan MakeHosts::plan(const base::Finding& /*found*/) const {
  base::Plan plan;
  plan.add(
      base::run_on(context_.here, "Write /etc/hosts", xcat_command(context_, {"sbin/makehosts"})));
  return plan;
}

base::Finding MakeDns::check() {
  const auto unit = find_unit(context_.local(), context_.site.units.dns, {"named", "bind9"});
  if (!unit) {
    return {.state = State::not_applicable, .why = "no DNS server is installed here", .facts = {}};
  }
  base::Facts facts{{"unit", *unit}};
  if (!context_.holds_service_address()) {
    return {.state = State::due, .why = "the service address is not here yet", .facts = facts};
  }
  const auto domain = context_.cluster.site_value("domain", "");
  const auto hosts = hosts_file(context_);
  std::map<std::string, std::string> nodes;  // name in DNS → name in /etc/hosts
  std::vector<std::string> names;
  for (const auto& node : context_.cluster.nodes) {
    if (!hosts.contains(node.name)) continue;
    names.push_back(node.name.ends_with("." + domain) ? node.name : node.name + "." + domain);
    nodes[names.back()] = node.name;
  }
  const bool starts_at_boot = is_enabled(context_.local(), *unit);
  if (names.empty()) {
    const bool runs = is_active(context_.local(), *unit) && starts_at_boot;
    return {.state = runs ? State::done : State::due,
            .why = runs ? *unit + " runs; no node has a name yet"
                        : *unit + " does not run, or not after the next boot",
            .facts = facts};
  }
  const auto answers =
      context_.probes.dns(context_.site.service.address.address, names, std::chrono::seconds{10});
  std::vector<std::string> wrong;
  for (const auto& name : names) {
    const auto& right = hosts.at(nodes.at(name));
    const auto found = answers.find(name);
    const bool is_right = found != answers.end() &&
                          std::find(right.begin(), right.end(), found->second) != right.end();
    if (!is_right) wrong.push_back(name);
  }
  if (wrong.empty() && !starts_at_boot) {
    facts["configured"] = "yes";
    return {.state = State::due, .why = *unit + " does not start at boot", .facts = facts};
  }
  if (wrong.empty()) {
    return {.state = State::done,
            .why = "DNS at " + context_.site.service.address.address + " answers for all " +
                   base::human_count(names.size()) + " nodes",
            .facts = facts};
  }
  return {.state = State::due,
          .why = "DNS does not answer right for " + base::human_count(wrong.size()) + " of " +
                 base::human_count(names.size()) + " nodes: " + name_some(wrong),
          .facts = facts};
}

base::Plan MakeDns::plan(const base::Finding& found) const {
  const auto& unit = found.facts.at("unit");
  base::Plan plan;
  if (!found.facts.contains("configured")) {
    plan.add(base::run_on(context_.here, "Write the zones and fill them",
                          xcat_command(context_, {"sbin/makedns", "-n"})));
  }
  // makedns reports success whether or not the server came up again.
  plan.add(base::run_on(context_.here, "Start DNS at every boot from now on",
                        {.argv = {"systemctl", "enable", "--now", "--quiet", unit}}));
  return plan;
}

base::Finding MakeDhcp::check() {
  const auto unit = dhcp_unit(context_);
  if (!unit) {
    return {.state = State::not_applicable, .why = "no DHCP server is installed here", .facts = {}};
  }
  base::Facts facts{{"unit", *unit}};
  const auto& address = context_.site.service.address.address;
  const auto text = first_file(context_.local(), dhcpd_files).value_or("");
  bool names_address = false;
  for (const auto& line : base::lines_of(text)) {
    const auto words = base::words_of(line);
    if (words.size() >= 2 && words[0] == "next-server" && words[1] == address + ";") {
      names_address = true;
    }
  }
  const bool is_kea = unit->starts_with("kea");
  if (!is_kea && !names_address) {
    return {.state = State::due,
            .why = "dhcpd.conf does not name " + address + " as next-server",
            .facts = facts};
  }
  facts["configured"] = "yes";
  if (!is_active(context_.local(), *unit)) {
    return {.state = State::due, .why = *unit + " does not run", .facts = facts};
  }
  if (!is_kea && runs_an_old_configuration(context_.local())) {
    return {
        .state = State::due, .why = *unit + " runs with an older configuration", .facts = facts};
  }
  if (!is_enabled(context_.local(), *unit)) {
    return {.state = State::due, .why = *unit + " does not start at boot", .facts = facts};
  }
  return {.state = State::done,
          .why = *unit + " runs" + (is_kea ? "" : " with " + address + " as next-server"),
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
                          xcat_command(context_, {"sbin/makedhcp", "-n"})));
  }
  plan.add(base::run_on(context_.here, "Start DHCP at every boot from now on",
                        {.argv = {"systemctl", "enable", "--quiet", unit}}));
  return plan;
}

std::map<std::string, std::string> parse_lease_hosts(const std::string& text) {
  struct Declaration {
    std::string mac;
    std::string address;
  };
  std::map<std::string, Declaration> by_name;
  std::string name;
  Declaration current;
  bool deleted = false;
  for (const auto& line : base::lines_of(text)) {
    auto words = base::words_of(line);
    if (words.empty()) continue;
    if (!words.back().empty() && words.back().back() == ';') words.back().pop_back();
    if (words.size() >= 3 && words[0] == "host" && words.back() == "{") {
      name = words[1];
      current = {};
      deleted = false;
    } else if (name.empty()) {
      continue;
    } else if (words[0] == "deleted") {
      deleted = true;
    } else if (words.size() == 3 && words[0] == "hardware" && words[1] == "ethernet") {
      current.mac = words[2];
    } else if (words.size() >= 2 && words[0] == "fixed-address") {
      current.address = words[1];
    } else if (words[0] == "}") {
      if (deleted) by_name.erase(name);
      if (!deleted) by_name[name] = current;
      name.clear();
    }
  }
  std::map<std::string, std::string> hosts;
  for (const auto& [each, declaration] : by_name) {
    if (!declaration.mac.empty()) hosts[declaration.mac] = declaration.address;
  }
  return hosts;
}

base::Finding MakeDhcpNodes::check() {
  const auto unit = dhcp_unit(context_);
  if (!unit) {
    return {.state = State::not_applicable, .why = "no DHCP server is installed here", .facts = {}};
  }
  const auto wanted = nodes_for_dhcp(context_);
  if (wanted.empty()) {
    return {.state = State::not_applicable, .why = "no node has a MAC and an address", .facts = {}};
  }
  std::map<std::string, std::string> have;
  if (const auto leases = first_file(context_.local(), lease_files)) {
    have = parse_lease_hosts(*leases);
  }
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
  plan.add(base::run_on(context_.here, "Enter all nodes, one by one",
                        xcat_command(context_, {"sbin/makedhcp", "-a"})));
  return plan;
}

}  // namespace hamn::takeover
