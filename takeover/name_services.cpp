#include "takeover/name_services.h"

#include <algorithm>
#include <array>

#include "base/network.h"
#include "base/text.h"
#include "takeover/addresses.h"

namespace hamn::takeover {

namespace {

using base::State;

constexpr std::uint64_t hosts_limit_bytes = 64U << 20U;

base::Command xcat_command(const Context& context, const std::vector<std::string>& words) {
  base::Command command{.argv = words, .time_limit = context.site.takeover.command_limit};
  command.argv.front() = context.xcat(command.argv.front());
  return command;
}

std::string hosts_file(const Context& context) {
  return context.local().read("/etc/hosts", hosts_limit_bytes).value_or("");
}

std::string count_of_nodes(const std::vector<std::string>& names) {
  return base::human_count(names.size()) + (names.size() == 1 ? " node" : " nodes");
}

}  // namespace

base::Finding MakeHosts::check() {
  const auto seen = expected_hosts(context_.cluster, hosts_file(context_));
  auto missing = seen.missing;
  missing.insert(missing.end(), seen.unnamed.begin(), seen.unnamed.end());
  if (missing.empty()) {
    return {.state = State::done,
            .why = "/etc/hosts has all " + base::human_count(seen.present) + " addresses",
            .facts = {}};
  }
  return {.state = State::due,
          .why = count_of_nodes(missing) + " not in /etc/hosts: " + name_some(missing),
          .facts = {}};
}

base::Finding MakeHosts::verify(const std::vector<base::Outcome>& outcomes) {
  const auto seen = expected_hosts(context_.cluster, hosts_file(context_));
  // A command that did not end well has not had its say about the nodes without an address.
  if (outcomes.empty() || !seen.missing.empty() || seen.unnamed.empty()) return check();
  return {.state = State::done,
          .why = "/etc/hosts has " + base::human_count(seen.present) + " addresses; " +
                 count_of_nodes(seen.unnamed) + " without a line there: " + name_some(seen.unnamed),
          .facts = {{"follow_up",
                     "give each an address of its own in the table hosts, then run makehosts, "
                     "makedns and makedhcp: " +
                         name_some(seen.unnamed)}}};
}

base::Plan MakeHosts::plan(const base::Finding& /*found*/) const {
  base::Plan plan;
  plan.add(
      base::run_on(context_.here, "Write /etc/hosts", xcat_command(context_, {"sbin/makehosts"})));
  return plan;
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
  if (has_external_dns(context_.cluster)) {
    return {.state = State::not_applicable,
            .why = "site.externaldns: names are served by another server",
            .facts = {{"follow_up", "update the external DNS"}}};
  }
  const auto unit = find_unit(context_.local(), context_.site.units.dns, {"named", "bind9"});
  if (!unit) {
    return {.state = State::not_applicable, .why = "no DNS server is installed here", .facts = {}};
  }
  if (!context_.holds_service_address()) {
    return {.state = State::due,
            .why = "the service address is not here yet",
            .facts = {{"unit", *unit}}};
  }
  return check_answers(*unit);
}

base::Finding MakeDns::check_answers(const std::string& unit) {
  base::Facts facts{{"unit", unit}};
  const auto expected =
      expected_dns(context_.cluster, hosts_file(context_), local_addresses_of(context_.local()));
  const auto left_out = to_text(expected.left_out);
  const auto rest = left_out.empty() ? "" : "; " + left_out;
  const bool starts_at_boot = is_enabled(context_.local(), unit);
  if (expected.answers.empty()) {
    const bool runs = is_active(context_.local(), unit) && starts_at_boot;
    return {.state = runs ? State::done : State::due,
            .why = (runs ? unit + " runs; no node has a name yet"
                         : unit + " does not run, or not after the next boot") +
                   rest,
            .facts = facts};
  }
  const auto all = base::human_count(expected.answers.size());
  const auto wrong = wrong_names(expected.answers);
  if (wrong.empty() && !starts_at_boot) {
    facts["configured"] = "yes";
    return {.state = State::due, .why = unit + " does not start at boot", .facts = facts};
  }
  if (wrong.empty()) {
    return {.state = State::done,
            .why = "DNS at " + context_.site.service.address.address + " answers for all " + all +
                   " nodes" + rest,
            .facts = facts};
  }
  return {.state = State::due,
          .why = "DNS does not answer right for " + base::human_count(wrong.size()) + " of " + all +
                 " nodes: " + name_some(wrong) + rest,
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
