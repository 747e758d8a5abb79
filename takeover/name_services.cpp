#include "takeover/name_services.h"

#include <algorithm>
#include <array>

#include "base/network.h"
#include "base/text.h"

namespace hamn::takeover {

namespace {

using base::State;

constexpr std::uint64_t hosts_limit_bytes = 64U << 20U;

base::Command xcat_command(const Context& context, const std::vector<std::string>& words) {
  base::Command command{.argv = words, .time_limit = context.site.takeover.command_limit};
  command.argv.front() = context.xcat(command.argv.front());
  return command;
}

std::map<std::string, std::vector<std::string>> hosts_file(const Context& context) {
  return parse_hosts(context.local().read("/etc/hosts", hosts_limit_bytes).value_or(""));
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

MakeDns::Answers MakeDns::expected_answers() const {
  const auto domain = context_.cluster.site_value("domain", "");
  const auto hosts = hosts_file(context_);
  Answers expected;
  for (const auto& node : context_.cluster.nodes) {
    const auto found = hosts.find(node.name);
    if (found == hosts.end()) continue;
    const bool is_full = node.name.ends_with("." + domain);
    expected[is_full ? node.name : node.name + "." + domain] = found->second;
  }
  return expected;
}

std::vector<std::string> MakeDns::wrong_names(const Answers& expected) const {
  std::vector<std::string> names;
  for (const auto& [name, addresses] : expected) names.push_back(name);
  const auto answers =
      context_.probes.dns(context_.site.service.address.address, names, std::chrono::seconds{10});
  std::vector<std::string> wrong;
  for (const auto& [name, right] : expected) {
    const auto found = answers.find(name);
    const bool is_right = found != answers.end() &&
                          std::find(right.begin(), right.end(), found->second) != right.end();
    if (!is_right) wrong.push_back(name);
  }
  return wrong;
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
  const auto expected = expected_answers();
  const bool starts_at_boot = is_enabled(context_.local(), *unit);
  if (expected.empty()) {
    const bool runs = is_active(context_.local(), *unit) && starts_at_boot;
    return {.state = runs ? State::done : State::due,
            .why = runs ? *unit + " runs; no node has a name yet"
                        : *unit + " does not run, or not after the next boot",
            .facts = facts};
  }
  const auto wrong = wrong_names(expected);
  if (wrong.empty() && !starts_at_boot) {
    facts["configured"] = "yes";
    return {.state = State::due, .why = *unit + " does not start at boot", .facts = facts};
  }
  if (wrong.empty()) {
    return {.state = State::done,
            .why = "DNS at " + context_.site.service.address.address + " answers for all " +
                   base::human_count(expected.size()) + " nodes",
            .facts = facts};
  }
  return {.state = State::due,
          .why = "DNS does not answer right for " + base::human_count(wrong.size()) + " of " +
                 base::human_count(expected.size()) + " nodes: " + name_some(wrong),
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

}  // namespace hamn::takeover
