#include <CLI/CLI.hpp>

#include "base/lock.h"
#include "base/text.h"
#include "cli/commands.h"
#include "dbrepl/recovery_point.h"
#include "sync/index.h"
#include "sync/receiver.h"
#include "sync/sender.h"
#include "takeover/report.h"

namespace hamn::cli {

namespace {

constexpr const char* of_the_future = "of the future: the clocks of the two hosts differ";

struct Copies {
  base::Table table{.columns = {{"what", "What"},
                                {"generation", "Generation"},
                                {"age", "Age"},
                                {"limit", "Allowed"},
                                {"size", "Size"},
                                {"state", "State"}},
                    .rows = {}};
  bool all_fresh = true;

  void add(const std::string& what, const std::string& generation, base::Milliseconds age,
           base::Milliseconds limit, const std::string& size) {
    const bool fresh = age <= limit;
    all_fresh = all_fresh && fresh;
    table.rows.push_back({.cells = {what, generation, base::human_duration(age),
                                    base::human_duration(limit), size, fresh ? "fresh" : "lagging"},
                          .mark = fresh ? base::Mark::good : base::Mark::warning});
  }
  void add_missing(const std::string& what, const std::string& why) {
    all_fresh = false;
    table.rows.push_back({.cells = {what, "", "", "", "", why}, .mark = base::Mark::bad});
  }
};

/// The newest recovery point that a standby has.
void add_database(Copies& copies, const base::Site& site, base::WallTime now) {
  const auto kept = dbrepl::newest_point(dbrepl::database_directories(site.state_directory).points);
  if (!kept || !kept->point) return copies.add_missing("database", "no recovery point");
  const auto& point = *kept->point;
  if (base::is_ahead(point.taken, now)) return copies.add_missing("database", of_the_future);
  std::uint64_t rows = 0;
  for (const auto& table : point.tables) rows += table.rows;
  copies.add("database", point.id, base::age(point.taken, now), site.database.max_age,
             base::human_count(rows) + " rows");
}

/// What this host knows about the copies: a standby what it received, a primary what was confirmed.
Copies look_at_copies(Environment& environment, bool is_primary) {
  const auto& site = environment.site();
  const auto now = environment.clock().wall();
  Copies copies;
  for (const auto& [name, set] : site.file_sets) {
    const auto path = is_primary ? sync::sender_index_path(site.state_directory, name)
                                 : sync::receiver_index_path(site.state_directory, name);
    const auto state = sync::read_index_state(path);
    if (!state || !state->complete) {
      copies.add_missing("files: " + name, state ? "first copy not finished" : "never copied");
      continue;
    }
    if (base::is_ahead(state->as_of, now)) {
      copies.add_missing("files: " + name, of_the_future);
      continue;
    }
    copies.add("files: " + name, std::to_string(state->generation), base::age(state->as_of, now),
               set.max_age,
               base::human_count(state->files) + " files, " + base::human_size(state->bytes));
  }
  if (!is_primary) add_database(copies, site, now);
  return copies;
}

std::string headline_for(const base::Role& role, bool fresh, const std::string& other) {
  switch (role.name) {
    case base::RoleName::primary:
      return role.host + " is the primary" +
             (fresh ? "; " + other + " has confirmed fresh copies of its files."
                    : ", but " + other + " is not up to date.");
    case base::RoleName::standby:
      return role.host + " is the standby" +
             (fresh ? " and could take over." : ", but its copies are not fresh.");
    case base::RoleName::promoting:
      return "A takeover is under way on " + role.host + ". To go on: hamn failover";
    case base::RoleName::deposed:
      return role.host + " was deposed: another host is in charge. It pushes nothing.";
  }
  return {};
}

base::Exit status(Environment& environment) {
  const auto role = environment.role();
  const auto& site = environment.site();
  const bool is_primary = role.name == base::RoleName::primary;
  auto copies = look_at_copies(environment, is_primary);
  base::FactList facts{
      .items = {{"Cluster", site.cluster, "cluster"},
                {"Host", role.host, "host"},
                {"Role", base::to_text(role.name), "role"},
                {"Epoch", std::to_string(role.epoch), "epoch"},
                {"Since", base::to_text(role.since), "since"},
                {"Other host", environment.there(), "other"},
                {"Service identity",
                 site.service.hostname + " " + base::to_text(site.service.address), "service"}}};
  if (const auto holder = base::lock_holder(site.run_directory + "/takeover.lock")) {
    facts.items.push_back({"Under way", holder->text, "under_way"});
  }
  const auto runs =
      takeover::list_runs(base::read_journal(environment.journal_path("takeover")).events);
  if (!runs.empty()) {
    facts.items.push_back(
        {"Last takeover",
         runs.back().result + " (" + runs.back().run + "): " + runs.back().headline,
         "last_takeover"});
  }
  const bool good = copies.all_fresh && (is_primary || role.name == base::RoleName::standby);
  show(environment,
       {.title = "hamn on " + role.host,
        .mark = good ? base::Mark::good : base::Mark::warning,
        .verdict = base::to_text(role.name),
        .headline = headline_for(role, copies.all_fresh, environment.there()),
        .sections = {{"host", "This host", std::move(facts)},
                     {"copies", is_primary ? "Confirmed by the standby" : "Copies on this host",
                      std::move(copies.table)}}});
  return good ? base::Exit::done : base::Exit::problems;
}

}  // namespace

void add_status_commands(CLI::App& app, Environment& environment, Chosen& chosen) {
  app.add_subcommand("status", "Role of this host and age of the copies")->callback([&] {
    chosen = [&] { return status(environment); };
  });
}

}  // namespace hamn::cli
