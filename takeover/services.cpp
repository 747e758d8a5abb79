#include "takeover/services.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/text.h"
#include "takeover/name_services.h"

namespace hamn::takeover {

namespace {

using base::State;

constexpr const char* conserver_file = "/etc/conserver.cf";
constexpr std::uint64_t largest_file_bytes = 64U << 20U;

/// Names behind "console" in conserver.cf(5).
std::set<std::string> consoles_in(const std::string& conserver_cf) {
  std::set<std::string> names;
  for (const auto& line : base::lines_of(conserver_cf)) {
    const auto words = base::words_of(line);
    if (words.size() >= 2 && words[0] == "console") names.insert(words[1]);
  }
  return names;
}

/// Nodes with a console that this management node itself serves.
std::vector<std::string> wanted_consoles(const Context& context) {
  std::vector<std::string> names;
  for (const auto& node : context.cluster.nodes) {
    if (node.has_console && node.service_node.empty()) names.push_back(node.name);
  }
  return names;
}

std::vector<std::string> missing_of(const std::vector<std::string>& wanted,
                                    const std::set<std::string>& have) {
  std::vector<std::string> missing;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(missing),
               [&](const std::string& name) { return !have.contains(name); });
  return missing;
}

base::Finding incomplete(const std::vector<std::string>& missing, std::size_t wanted,
                         const base::Facts& facts) {
  return {.state = State::due,
          .why = base::human_count(missing.size()) + " of " + base::human_count(wanted) +
                 " consoles are not set up: " + name_some(missing),
          .facts = facts};
}

bool trusts(const std::string& conserver_cf, const std::string& address) {
  for (const auto& line : base::lines_of(conserver_cf)) {
    const auto words = base::words_of(line);
    if (words.size() < 2 || words.front() != "trusted") continue;
    for (auto& name : base::split(words[1], ',')) {
      if (name == address || name == address + ";") return true;
    }
  }
  return false;
}

}  // namespace

base::Finding StartXcatd::check() {
  auto& host = context_.local();
  const bool active = is_active(host, context_.site.units.xcatd);
  const base::Command ask{.argv = {context_.xcat("bin/lsxcatd"), "-d"},
                          .time_limit = std::chrono::seconds{20}};
  const auto answer = host.run(ask);
  const bool answers = answer.succeeded() && answer.output.find("dbengine=") != std::string::npos;
  if (active && answers && !is_passed()) {
    return {.state = State::due,
            .why = "xcatd runs, but this takeover did not start it on its database",
            .facts = {}};
  }
  if (active && answers && !is_enabled(host, context_.site.units.xcatd)) {
    return {.state = State::due, .why = "xcatd does not start at boot", .facts = {}};
  }
  if (active && answers) {
    return {
        .state = State::done, .why = "xcatd answers: " + base::trim(answer.output), .facts = {}};
  }
  if (!active) return {.state = State::due, .why = "xcatd does not run", .facts = {}};
  return {.state = State::due,
          .why = "xcatd runs, but lsxcatd " + base::describe(answer, ask),
          .facts = {}};
}

bool StartXcatd::is_passed() const {
  return read_note(context_, serving_note).has_value();
}

base::Plan StartXcatd::plan(const base::Finding& /*found*/) const {
  const auto& unit = context_.site.units.xcatd;
  base::Plan plan;
  plan.add(base::write_on(context_.here,
                          "Write down that the database belongs to xcatd from now on",
                          note_file(context_, serving_note, {{"unit", unit}})));
  plan.add(base::run_on(context_.here, "Start xcatd at every boot from now on",
                        {.argv = {"systemctl", "enable", "--quiet", unit}}));
  plan.add(base::run_on(
      context_.here, "Start xcatd",
      {.argv = {"systemctl", "restart", unit}, .time_limit = std::chrono::minutes{10}}));
  return plan;
}

/// The console server that xCAT's commands would set up here: the one that was used before, or the
/// only one, or goconserver, which xCAT prefers.
std::optional<std::string> Consoles::unit() const {
  auto& host = context_.local();
  const auto& configured = context_.site.units.console;
  if (configured != "auto") return configured;
  const auto go = find_unit(host, "auto", {"goconserver"});
  const auto classic = find_unit(host, "auto", {"conserver-server", "conserver"});
  if (!go || !classic) return go ? go : classic;
  const auto file = host.read(conserver_file, largest_file_bytes).value_or("");
  return consoles_in(file).empty() ? go : classic;
}

base::Finding Consoles::check() {
  const auto wanted = wanted_consoles(context_);
  if (wanted.empty()) {
    return {.state = State::not_applicable, .why = "no node has a console", .facts = {}};
  }
  const auto server = unit();
  if (!server) {
    return {.state = State::not_applicable,
            .why = "neither conserver nor goconserver is installed here",
            .facts = {{"follow_up", "install conserver, then run makeconservercf"}}};
  }
  const bool is_go = *server == "goconserver";
  const bool on_demand = context_.cluster.site_value("consoleondemand", "no") == "yes";
  if (!on_demand && wanted.size() > context_.site.takeover.console_limit) {
    const std::string command = is_go ? "makegocons" : "makeconservercf";
    return {
        .state = State::not_applicable,
        .why = base::human_count(wanted.size()) + " consoles would start as many processes at once",
        .facts = {{"follow_up", "chtab key=consoleondemand site.value=yes; " + command}}};
  }
  return is_go ? check_goconserver(wanted) : check_conserver(*server, wanted);
}

base::Finding Consoles::check_conserver(const std::string& unit,
                                        const std::vector<std::string>& wanted) {
  auto& host = context_.local();
  const auto file = host.read(conserver_file, largest_file_bytes).value_or("");
  base::Facts facts{{"unit", unit}};
  const auto missing = missing_of(wanted, consoles_in(file));
  if (!missing.empty()) return incomplete(missing, wanted.size(), facts);
  if (!trusts(file, context_.site.service.address.address)) {
    return {
        .state = State::due, .why = "conserver does not trust the service address", .facts = facts};
  }
  if (!host.run({.argv = {"pgrep", "-x", "conserver"}}).succeeded()) {
    return {.state = State::due, .why = "conserver does not run", .facts = facts};
  }
  return {.state = State::done,
          .why = base::human_count(wanted.size()) + " consoles are set up and conserver runs",
          .facts = facts};
}

/// makegocons registers node by node and starts the server itself; that the unit is active says
/// nothing about the nodes.
base::Finding Consoles::check_goconserver(const std::vector<std::string>& wanted) {
  auto& host = context_.local();
  base::Facts facts{{"unit", "goconserver"}};
  if (!is_active(host, "goconserver")) {
    return {.state = State::due, .why = "goconserver does not run", .facts = facts};
  }
  const base::Command ask{.argv = {context_.xcat("sbin/makegocons"), "-q"},
                          .time_limit = std::chrono::minutes{2},
                          .output_limit_bytes = largest_file_bytes};
  std::set<std::string> have;
  for (const auto& line : base::lines_of(host.run(ask).output)) {
    const auto words = base::words_of(line);
    if (!words.empty()) have.insert(words[0].substr(0, words[0].find(':')));
  }
  const auto missing = missing_of(wanted, have);
  if (!missing.empty()) return incomplete(missing, wanted.size(), facts);
  return {.state = State::done,
          .why = "goconserver knows all " + base::human_count(wanted.size()) + " consoles",
          .facts = facts};
}

base::Plan Consoles::plan(const base::Finding& found) const {
  const bool go = found.facts.at("unit") == "goconserver";
  base::Plan plan;
  plan.add(base::run_on(context_.here, "Write the console configuration and restart the server",
                        {.argv = {context_.xcat(go ? "sbin/makegocons" : "sbin/makeconservercf")},
                         .time_limit = context_.site.takeover.command_limit}));
  return plan;
}

}  // namespace hamn::takeover
