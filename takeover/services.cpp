#include "takeover/services.h"

#include <algorithm>

#include "base/text.h"

namespace hamn::takeover {

namespace {

using base::State;

constexpr const char* conserver_file = "/etc/conserver.cf";

std::size_t consoles_in(const std::string& conserver_cf) {
  const auto lines = base::lines_of(conserver_cf);
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(),
                    [](const std::string& line) { return line.starts_with("console "); }));
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

base::Finding Consoles::check() {
  const auto& nodes = context_.cluster.nodes;
  const auto wanted =
      static_cast<std::size_t>(std::count_if(nodes.begin(), nodes.end(), [](const Node& node) {
        return node.has_console && node.service_node.empty();
      }));
  if (wanted == 0) {
    return {.state = State::not_applicable, .why = "no node has a console", .facts = {}};
  }
  auto& host = context_.local();
  const auto unit = find_unit(host, context_.site.units.console,
                              {"goconserver", "conserver-server", "conserver"});
  if (!unit) {
    return {.state = State::not_applicable,
            .why = "neither conserver nor goconserver is installed here",
            .facts = {{"follow_up", "install conserver, then run makeconservercf"}}};
  }
  const bool on_demand =
      context_.cluster.site_value("consoleondemand", "no") == "yes" || *unit == "goconserver";
  if (!on_demand && wanted > context_.site.takeover.console_limit) {
    return {.state = State::not_applicable,
            .why = base::human_count(wanted) + " consoles would start as many processes at once",
            .facts = {{"follow_up", "chtab key=consoleondemand site.value=yes; makeconservercf"}}};
  }
  if (*unit == "goconserver") {
    if (is_active(host, *unit)) {
      return {.state = State::done, .why = "goconserver runs", .facts = {{"unit", *unit}}};
    }
    return {.state = State::due, .why = "goconserver does not run", .facts = {{"unit", *unit}}};
  }
  return check_conserver(*unit, wanted);
}

base::Finding Consoles::check_conserver(const std::string& unit, std::size_t wanted) {
  auto& host = context_.local();
  const auto file = host.read(conserver_file, 64U << 20U).value_or("");
  const auto have = consoles_in(file);
  base::Facts facts{{"unit", unit}};
  const auto running = host.run({.argv = {"pgrep", "-x", "conserver"}});
  if (have < wanted) {
    return {.state = State::due,
            .why = base::human_count(have) + " of " + base::human_count(wanted) +
                   " consoles are set up",
            .facts = facts};
  }
  if (!trusts(file, context_.site.service.address.address)) {
    return {
        .state = State::due, .why = "conserver does not trust the service address", .facts = facts};
  }
  if (!running.succeeded()) {
    return {.state = State::due, .why = "conserver does not run", .facts = facts};
  }
  return {.state = State::done,
          .why = base::human_count(have) + " consoles are set up and conserver runs",
          .facts = facts};
}

base::Plan Consoles::plan(const base::Finding& found) const {
  base::Plan plan;
  const bool go = found.facts.at("unit") == "goconserver";
  if (go) {
    plan.add(base::run_on(context_.here, "Start goconserver",
                          {.argv = {"systemctl", "enable", "--now", "--quiet", "goconserver"}}));
  }
  plan.add(base::run_on(context_.here, "Write the console configuration and restart the server",
                        {.argv = {context_.xcat(go ? "sbin/makegocons" : "sbin/makeconservercf")},
                         .time_limit = context_.site.takeover.command_limit}));
  return plan;
}

}  // namespace hamn::takeover
