#include "takeover/freeze.h"

#include "base/lock.h"
#include "base/text.h"
#include "sync/receiver.h"

namespace hamn::takeover {

namespace {

using base::State;

base::FileWrite role_file(const Context& context, base::RoleName name, std::uint64_t epoch) {
  const base::Role role{.host = context.here,
                        .name = name,
                        .epoch = epoch,
                        .since = context.started,
                        .run = context.run};
  return {.path = context.role_path(), .content = base::format_role(role), .mode = 0600};
}

std::optional<base::Role> read_role(const Context& context) {
  const auto text = context.local().read(context.role_path(), 1U << 16U);
  if (!text) return std::nullopt;
  return base::parse_role(*text, context.role_path());
}

/// Processes that receive files right now: set → pid.
std::vector<std::string> receivers(const Context& context) {
  std::vector<std::string> pids;
  for (const auto& [name, set] : context.site.file_sets) {
    const auto holder =
        base::lock_holder(sync::receiver_lock_path(context.site.run_directory, name));
    if (holder && holder->pid > 0) pids.push_back(std::to_string(holder->pid));
  }
  return pids;
}

std::vector<std::string> active_timers(const Context& context) {
  const auto outcome =
      context.local().run({.argv = {"systemctl", "list-units", "--type=timer", "--state=active",
                                    "--plain", "--no-legend", "hamn-*"}});
  std::vector<std::string> timers;
  if (!outcome.succeeded()) return timers;  // no systemd here: no timers either
  for (const auto& line : base::lines_of(outcome.output)) {
    const auto words = base::words_of(line);
    if (!words.empty()) timers.push_back(words.front());
  }
  return timers;
}

}  // namespace

base::Finding FreezeReplication::check() {
  const auto role = read_role(context_);
  const auto pids = receivers(context_);
  const auto timers = active_timers(context_);
  base::Facts facts{{"role", role ? base::to_text(role->name) : "none"},
                    {"epoch", std::to_string(role ? role->epoch : 0)},
                    {"receivers", base::join(pids, " ")},
                    {"timers", base::join(timers, " ")}};
  const bool frozen = role && role->name == base::RoleName::promoting;
  if (frozen && pids.empty() && timers.empty()) {
    return {.state = State::done, .why = "nothing is pushed to this host any more", .facts = facts};
  }
  std::string why = "pushes from the primary are still accepted";
  if (frozen) why = "receivers or timers are still at work";
  return {.state = State::due, .why = why, .facts = facts};
}

base::Plan FreezeReplication::plan(const base::Finding& found) const {
  base::Plan plan;
  const auto epoch = base::parse_unsigned(found.facts.at("epoch")).value_or(0);
  if (found.facts.at("role") != base::to_text(base::RoleName::promoting)) {
    plan.add(base::write_on(context_.here, "Refuse pushes: the role becomes promoting",
                            role_file(context_, base::RoleName::promoting, epoch)));
  }
  for (const auto& pid : base::words_of(found.facts.at("receivers"))) {
    plan.add(base::run_on(context_.here, "End the receiver that is at work",
                          {.argv = {"kill", "-TERM", pid}}, {0, 1}));
  }
  const auto timers = base::words_of(found.facts.at("timers"));
  if (!timers.empty()) {
    base::Command stop{.argv = {"systemctl", "stop"}};
    stop.argv.insert(stop.argv.end(), timers.begin(), timers.end());
    plan.add(base::run_on(context_.here, "Stop the timers of hamn", stop));
  }
  return plan;
}

base::Plan FreezeReplication::undo(const base::Finding& before) const {
  base::Plan plan;
  const auto epoch = base::parse_unsigned(before.facts.at("epoch")).value_or(0);
  plan.add(base::write_on(context_.here, "Be a standby again",
                          role_file(context_, base::RoleName::standby, epoch)));
  const auto timers = base::words_of(before.facts.at("timers"));
  if (!timers.empty()) {
    base::Command start{.argv = {"systemctl", "start"}};
    start.argv.insert(start.argv.end(), timers.begin(), timers.end());
    plan.add(base::run_on(context_.here, "Start the timers of hamn again", start));
  }
  return plan;
}

base::Finding RecordRole::check() {
  const auto role = read_role(context_);
  if (role && role->name == base::RoleName::primary && role->epoch >= context_.epoch) {
    return {.state = State::done,
            .why = context_.here + " is the primary of epoch " + std::to_string(role->epoch),
            .facts = {}};
  }
  return {.state = State::due,
          .why = "the role is " + (role ? base::to_text(role->name) : "none"),
          .facts = {}};
}

base::Plan RecordRole::plan(const base::Finding& /*found*/) const {
  base::Plan plan;
  plan.add(base::write_on(context_.here, "Record the role and the epoch",
                          role_file(context_, base::RoleName::primary, context_.epoch)));
  return plan;
}

std::vector<std::string_view> RecordRole::needs() const {
  std::vector<std::string_view> needed{"freeze-replication", "fence-primary", "promote-database",
                                       "take-address",       "take-hostname", "start-xcatd"};
  if (context_.accept_open.empty()) {
    needed.insert(needed.end(), {"announce-address", "makehosts", "makedns", "makedhcp",
                                 "makedhcp-nodes", "consoles", "nodeset"});
  }
  return needed;
}

}  // namespace hamn::takeover
