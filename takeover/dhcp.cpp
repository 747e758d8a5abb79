#include "takeover/dhcp.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/network.h"
#include "base/text.h"
#include "takeover/deployment.h"
#include "takeover/name_services.h"

namespace hamn::takeover {

namespace {

using base::State;

constexpr std::uint64_t largest_file_bytes = 256U << 20U;
constexpr std::array lease_files{"/var/lib/dhcp/dhcpd.leases", "/var/lib/dhcpd/dhcpd.leases",
                                 "/var/lib/dhcp/db/dhcpd.leases"};
constexpr std::array isc_files{"/etc/dhcp/dhcpd.conf", "/etc/dhcpd.conf"};
constexpr std::array isc_pid_files{"/run/dhcpd.pid", "/run/dhcp-server/dhcpd.pid"};
constexpr std::array kea_files{"/etc/kea/kea-dhcp4.conf"};

template <std::size_t Count>
std::optional<std::string> first_file(base::Host& host,
                                      const std::array<const char*, Count>& paths) {
  for (const auto* path : paths) {
    if (auto text = host.read(path, largest_file_bytes)) return text;
  }
  return std::nullopt;
}

std::optional<std::string> dhcp_unit(const Context& context) {
  return find_unit(context.local(), context.site.units.dhcp,
                   {"isc-dhcp-server", "dhcpd", "kea-dhcp4-server", "kea-dhcp4"});
}

bool is_kea(const std::string& unit) {
  return unit.starts_with("kea");
}

base::Finding not_installed() {
  return {.state = State::not_applicable, .why = "no DHCP server is installed here", .facts = {}};
}

base::Command makedhcp(const Context& context, const std::vector<std::string>& arguments) {
  base::Command command{.argv = {context.xcat("sbin/makedhcp")},
                        .time_limit = context.site.takeover.command_limit,
                        .output_limit_bytes = largest_file_bytes};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

/// True if nodes are told that `address` is the next server.
bool hands_out(base::Host& host, const std::string& unit, const std::string& address) {
  if (is_kea(unit)) return holds_word(first_file(host, kea_files).value_or(""), address);
  const auto lines = base::lines_of(first_file(host, isc_files).value_or(""));
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    const auto words = base::words_of(line);
    return words.size() >= 2 && words[0] == "next-server" && words[1] == address + ";";
  });
}

/// True if dhcpd was started before its configuration was last written, or if that cannot be told.
bool runs_an_old_configuration(base::Host& host) {
  for (const auto* pid_file : isc_pid_files) {
    if (!host.read(pid_file, 4096)) continue;
    base::Command find{.argv = {"find"}};
    find.argv.insert(find.argv.end(), isc_files.begin(), isc_files.end());
    find.argv.insert(find.argv.end(), {"-newer", pid_file});
    return !base::trim(host.run(find).output).empty();
  }
  return true;
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

/// What the server knows: MAC → address.
std::map<std::string, std::string> known_nodes(const Context& context, const std::string& unit) {
  if (is_kea(unit)) {
    return parse_dhcp_query(context.local().run(makedhcp(context, {"-q", "all"})).output);
  }
  return parse_lease_hosts(first_file(context.local(), lease_files).value_or(""));
}

/// Reads host declarations line by line.
class LeaseReader {
 public:
  void take(const std::string& line) {
    auto words = base::words_of(line);
    if (words.empty()) return;
    if (words.back().ends_with(";")) words.back().pop_back();
    if (words.size() >= 3 && words[0] == "host" && words.back() == "{") {
      name_ = words[1];
      current_ = {};
    } else if (!name_.empty()) {
      take_inside(words);
    }
  }

  [[nodiscard]] std::map<std::string, std::string> hosts() const {
    std::map<std::string, std::string> found;
    for (const auto& [name, host] : by_name_) {
      if (!host.mac.empty()) found[host.mac] = host.address;
    }
    return found;
  }

 private:
  struct Declaration {
    std::string mac = {};
    std::string address = {};
    bool deleted = false;
  };

  void take_inside(const std::vector<std::string>& words) {
    if (words[0] == "deleted") current_.deleted = true;
    if (words.size() >= 2 && words[0] == "fixed-address") current_.address = words[1];
    if (words.size() == 3 && words[0] == "hardware" && words[1] == "ethernet") {
      current_.mac = words[2];
    }
    if (words[0] != "}") return;
    if (current_.deleted) {
      by_name_.erase(name_);
    } else {
      by_name_[name_] = current_;
    }
    name_.clear();
  }

  std::map<std::string, Declaration> by_name_;
  std::string name_;
  Declaration current_;
};

}  // namespace

std::map<std::string, std::string> parse_lease_hosts(const std::string& text) {
  LeaseReader reader;
  for (const auto& line : base::lines_of(text)) reader.take(line);
  return reader.hosts();
}

std::map<std::string, std::string> parse_dhcp_query(const std::string& output) {
  std::map<std::string, std::string> hosts;
  for (const auto& line : base::lines_of(output)) {
    // "n001:" "ip-address" "=" "10.1.2.1," "hardware-address" "=" "02:00:00:00:02:01"
    const auto words = base::words_of(line);
    if (words.size() != 7 || words[1] != "ip-address" || words[4] != "hardware-address") continue;
    hosts[words[6]] = words[3].substr(0, words[3].find(','));
  }
  return hosts;
}

base::Finding MakeDhcp::check() {
  const auto unit = dhcp_unit(context_);
  if (!unit) return not_installed();
  auto& host = context_.local();
  base::Facts facts{{"unit", *unit}};
  const auto& address = context_.site.service.address.address;
  const auto due = [&](const std::string& why) {
    return base::Finding{.state = State::due, .why = why, .facts = facts};
  };
  if (!hands_out(host, *unit, address)) {
    return due("the configuration of DHCP does not name " + address + " as next-server");
  }
  facts["configured"] = "yes";
  if (!is_active(host, *unit)) return due(*unit + " does not run");
  if (!is_kea(*unit) && runs_an_old_configuration(host)) {
    return due(*unit + " runs with an older configuration");
  }
  if (!is_enabled(host, *unit)) return due(*unit + " does not start at boot");
  return {.state = State::done,
          .why = *unit + " runs with " + address + " as next-server",
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
  const auto unit = dhcp_unit(context_);
  if (!unit) return not_installed();
  const auto wanted = nodes_for_dhcp(context_);
  if (wanted.empty()) {
    return {.state = State::not_applicable, .why = "no node has a MAC and an address", .facts = {}};
  }
  const auto have = known_nodes(context_, *unit);
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
