#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/local_host.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/perform.h"
#include "base/text.h"
#include "cli/commands.h"
#include "dbrepl/inspection.h"
#include "dbrepl/sqlite_store.h"
#include "takeover/context.h"

namespace hamn::cli {

namespace {

dbrepl::DatabaseDirectories directories(Environment& environment) {
  return dbrepl::database_directories(environment.site().state_directory);
}

base::Lock database_lock(Environment& environment, const std::string& purpose) {
  return base::Lock{environment.site().run_directory + "/database.lock", purpose,
                    environment.clock()};
}

base::Exit inspect(Environment& environment) {
  const auto live = dbrepl::inspect_here(environment.database_location(), directories(environment),
                                         environment.clock());
  if (environment.json) {
    put(dbrepl::format_live(live));
    return base::Exit::done;
  }
  base::FactList facts{.items = {{"Engine", live.engine, "engine"},
                                 {"Directory", live.directory, "directory"},
                                 {"Tables", std::to_string(live.tables), "tables"},
                                 {"Position", live.position, "position"}}};
  if (live.snapshot) {
    facts.items.push_back({"Last snapshot",
                           live.snapshot->id + " of " + base::to_text(live.snapshot->taken),
                           "snapshot"});
  }
  show(environment, {.title = "Cluster database of " + environment.here(),
                     .mark = live.healthy ? base::Mark::good : base::Mark::bad,
                     .verdict = live.healthy ? "done" : "failed",
                     .headline = live.healthy ? "It is healthy." : live.problem,
                     .sections = {{"database", "Database", std::move(facts)}}});
  return live.healthy ? base::Exit::done : base::Exit::problems;
}

base::Exit points(Environment& environment) {
  const auto kept = dbrepl::inspect_points_here(directories(environment), environment.clock());
  if (environment.json) {
    put(dbrepl::format_points(kept));
    return base::Exit::done;
  }
  base::Table table{.columns = {{"id", "Point"},
                                {"taken", "Equal to the primary at"},
                                {"age", "Age"},
                                {"tables", "Tables"},
                                {"rows", "Rows"},
                                {"problem", "State"}},
                    .rows = {}};
  for (const auto& point : kept.points) {
    std::uint64_t rows = 0;
    for (const auto& each : point.tables) rows += each.rows;
    const bool good = point.problem.empty();
    table.rows.push_back({.cells = {point.id, base::to_text(point.taken),
                                    base::human_duration(base::age(point.taken, kept.now)),
                                    std::to_string(point.tables.size()), base::human_count(rows),
                                    good ? "good" : point.problem},
                          .mark = good ? base::Mark::good : base::Mark::bad});
  }
  const auto count = table.rows.size();
  const bool all_good = std::all_of(kept.points.begin(), kept.points.end(),
                                    [](const auto& point) { return point.problem.empty(); });
  const std::string headline = all_good
                                   ? "The newest one comes first."
                                   : "Not all of them can be used. The newest one comes first.";
  show(environment,
       {.title = "Recovery points on " + environment.here(),
        .mark = count > 0 && all_good ? base::Mark::good : base::Mark::warning,
        .verdict = all_good ? "done" : "damaged",
        .headline = count > 0 ? headline : "There is none. On the primary: hamn db replicate",
        .sections = {{"points", "Points", std::move(table)}}});
  return all_good ? base::Exit::done : base::Exit::problems;
}

base::Exit compare(Environment& environment, const std::string& id) {
  const auto comparison =
      dbrepl::compare_here(environment.database_location(), directories(environment), id);
  if (environment.json) {
    put(dbrepl::format_comparison(comparison));
    return base::Exit::done;
  }
  base::Prose prose{.paragraphs = comparison.differences};
  show(environment,
       {.title = "The live database against " + comparison.point,
        .mark = comparison.equal ? base::Mark::good : base::Mark::warning,
        .verdict = comparison.equal ? "equal" : "different",
        .headline =
            comparison.equal
                ? "Both hold the same."
                : "They differ in " + std::to_string(comparison.differences.size()) + " tables.",
        .sections = {{"differences", "Differences", std::move(prose)}}});
  return comparison.equal ? base::Exit::done : base::Exit::problems;
}

base::Exit snapshot(Environment& environment, std::uint64_t after) {
  require_root();
  const auto role = environment.role();
  if (role.name != base::RoleName::primary) {
    throw base::Error{{.what = "refusing to copy the database of a host that is not the primary",
                       .detail = "the role of " + role.host + " is " + base::to_text(role.name),
                       .hint = "hamn status tells which host is in charge",
                       .code = base::Exit::refused}};
  }
  const auto lock = database_lock(environment, "hamn db snapshot");
  const auto point =
      dbrepl::take_sqlite_snapshot(environment.disk(), environment.clock(),
                                   {.directory = environment.database_location().directory,
                                    .outgoing = directories(environment).outgoing,
                                    .host = environment.here(),
                                    .epoch = role.epoch,
                                    .after_generation = after});
  put(point.id + "\n");
  return base::Exit::done;
}

base::Exit accept(Environment& environment) {
  require_root();
  const auto role = environment.role();
  if (role.name != base::RoleName::standby) {
    throw base::Error{
        {.what = "refusing to take a copy of the database",
         .detail = "the role of " + role.host + " is " + base::to_text(role.name) + ", not standby",
         .hint = "hamn status tells which host is in charge",
         .code = base::Exit::refused}};
  }
  const auto lock = database_lock(environment, "hamn db accept");
  const auto where = directories(environment);
  const auto point = dbrepl::accept_sqlite_point(environment.disk(), where.incoming, where.points,
                                                 environment.site().database.keep_points);
  put(point.id + "\n");
  return base::Exit::done;
}

/// Outside of a takeover a person has to name the host whose live database is replaced.
void require_consent(Environment& environment, const std::string& yes) {
  const auto role = environment.role();
  if (role.name == base::RoleName::promoting) return;
  const auto& unit = environment.site().units.xcatd;
  base::LocalHost host{environment.here(), environment.disk()};
  if (takeover::is_active(host, unit)) {
    throw base::Error{{.what = "refusing to replace the database under a running xcatd",
                       .detail = role.host + " is the " + base::to_text(role.name),
                       .hint = "systemctl stop " + unit,
                       .code = base::Exit::refused}};
  }
  if (yes == role.host) return;
  throw base::Error{
      {.what = "this replaces the live database of " + role.host,
       .detail = "its role is " + base::to_text(role.name) + ", and no takeover is under way",
       .hint = "if that is what you want: add --yes=" + role.host,
       .code = base::Exit::usage}};
}

base::Exit swap_in(Environment& environment, const std::string& id, const std::string& yes) {
  require_root();
  require_consent(environment, yes);
  const auto lock = database_lock(environment, "hamn db swap-in");
  const auto where = directories(environment);
  dbrepl::swap_in_sqlite_point(environment.disk(), environment.clock(),
                               {.point = dbrepl::find_point(where, id),
                                .directory = environment.database_location().directory,
                                .undo = where.undo});
  put(id + " is live now; the way back: hamn db swap-back\n");
  return base::Exit::done;
}

base::Exit swap_back(Environment& environment, const std::string& yes) {
  require_root();
  require_consent(environment, yes);
  const auto lock = database_lock(environment, "hamn db swap-back");
  const auto undo = directories(environment).undo;
  if (::access(undo.c_str(), F_OK) != 0 && !dbrepl::interrupted_swap(undo)) {
    put("nothing was replaced\n");
    return base::Exit::done;
  }
  dbrepl::swap_back_sqlite(environment.disk(), environment.clock(),
                           environment.database_location().directory, undo);
  return base::Exit::done;
}

base::Exit verify(Environment& environment, const std::string& id) {
  const auto kept = dbrepl::find_point(directories(environment), id);
  const auto problems = dbrepl::check_sqlite_point(kept);
  const auto name = kept.point ? kept.point->id : kept.directory;
  show(environment,
       {.title = "Recovery point " + name,
        .mark = problems.empty() ? base::Mark::good : base::Mark::bad,
        .verdict = problems.empty() ? "good" : "damaged",
        .headline = problems.empty() ? "Every table is as its manifest says: integrity, rows and "
                                       "content."
                                     : "It cannot be trusted.",
        .sections = {{"problems", "Problems", base::Prose{problems}}}});
  return problems.empty() ? base::Exit::done : base::Exit::problems;
}

/// One cycle on the primary: look at both sides, do what is needed, look again.
base::Exit replicate(Environment& environment, bool scheduled) {
  require_root();
  if (scheduled) base::set_quiet(true);
  const auto role = environment.role();
  if (role.name != base::RoleName::primary) {
    if (scheduled) return base::Exit::done;
    throw base::Error{{.what = "refusing to replicate from a host that is not the primary",
                       .detail = "the role of " + role.host + " is " + base::to_text(role.name),
                       .hint = "run it on the primary: hamn status tells which one it is",
                       .code = base::Exit::refused}};
  }
  const base::Lock lock{environment.site().run_directory + "/replicate.lock", "hamn db replicate",
                        environment.clock()};
  auto driver = environment.driver(environment.program());
  auto& hosts = environment.hosts();
  const auto look = [&] {
    return dbrepl::Replica{.primary = driver->inspect_live(hosts.at(environment.here())),
                           .standby = driver->inspect_points(hosts.at(environment.there()))};
  };
  const auto plan = driver->catch_up(look());
  if (!plan.actions.empty()) {
    auto journal = environment.open_journal("activity");
    base::perform(plan, hosts, *journal);
  }
  const auto after = look().standby;
  if (after.state != base::State::done) {
    throw base::Error{{.what = "the standby has no sound recovery point",
                       .detail = after.why,
                       .hint = "look there: hamn db points (on " + environment.there() + ")"}};
  }
  if (!scheduled) {
    show(environment,
         {.title = "Cluster database to " + environment.there(),
          .mark = base::Mark::good,
          .verdict = "done",
          .headline = (plan.actions.empty() ? "Nothing had changed: " : "") + after.why,
          .sections = {}});
  }
  return base::Exit::done;
}

/// Options that the commands share; lives as long as the parser's callbacks.
struct Options {
  std::string point;
  std::uint64_t after = 0;
  bool scheduled = false;
  std::string yes;
};

}  // namespace

void add_database_commands(CLI::App& app, Environment& environment, Chosen& chosen) {
  auto* db = app.add_subcommand("db", "The cluster database: copies and recovery points");
  db->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* what, auto work) {
    auto* command = db->add_subcommand(name, what);
    command->callback([&chosen, work] { chosen = work; });
    return command;
  };
  add("replicate", "Bring the standby's recovery point up to date (on the primary)",
      [&, options] { return replicate(environment, options->scheduled); })
      ->add_flag("--scheduled", options->scheduled,
                 "For timers: quiet, and nothing to do on a host that is not the primary");
  add("points", "List the recovery points of this host", [&] { return points(environment); });
  add("inspect", "Look at the live database of this host", [&] { return inspect(environment); });
  add("verify", "Check a recovery point by content", [&, options] {
    return verify(environment, options->point);
  })->add_option("--point", options->point, "Which one; the newest one if not given");
  add("compare", "Compare the live database with a recovery point", [&, options] {
    return compare(environment, options->point);
  })->add_option("--point", options->point, "Which one; the newest one if not given");
  add("snapshot", "Copy the live database at one moment (a step of replicate)", [&, options] {
    return snapshot(environment, options->after);
  })->add_option("--after", options->after, "Make a higher generation than this");
  add("accept", "Verify what arrived and keep it as a recovery point (a step of replicate)",
      [&] { return accept(environment); });
  const auto add_swap = [&](const char* name, const char* what, auto work) {
    auto* command = add(name, what, work);
    command->add_option("--yes", options->yes, "Name of this host, where no takeover is under way");
    return command;
  };
  add_swap("swap-in", "Put a recovery point in charge (a step of failover; xcatd must be stopped)",
           [&, options] { return swap_in(environment, options->point, options->yes); })
      ->add_option("--point", options->point, "Which one")
      ->required()
      ->check([](const std::string& id) { return id.empty() ? "it must not be empty" : ""; });
  add_swap("swap-back", "Bring back what swap-in replaced",
           [&, options] { return swap_back(environment, options->yes); });
}

}  // namespace hamn::cli
