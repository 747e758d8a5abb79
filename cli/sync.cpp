#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "base/lock.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/sync_commands.h"
#include "sync/index.h"
#include "sync/pass.h"
#include "sync/receiver.h"

namespace hamn::cli {

namespace {

struct RunRequest {
  std::vector<std::string> sets;
  bool scheduled = false;
  bool accept_emptied = false;
  bool deletes = false;
  bool accept_deletions = false;
};

/// The sets that were named; without names all but hamn's own, which `hamn db` sends.
std::vector<sync::FileSet> choose_sets(Environment& environment, const RunRequest& request) {
  const auto all = environment.file_sets();
  std::vector<sync::FileSet> chosen;
  if (request.sets.empty()) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(chosen),
                 [&](const auto& set) { return environment.site().file_sets.contains(set.name); });
    return chosen;
  }
  for (const auto& name : std::set<std::string>{request.sets.begin(), request.sets.end()}) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const sync::FileSet& set) { return set.name == name; });
    if (found == all.end()) {
      std::vector<std::string> names;
      for (const auto& set : all) names.push_back(set.name);
      const auto meant = base::nearest(name, names);
      throw base::Error{{.what = "there is no file set " + base::printable(name),
                         .detail = "known: " + base::join(names, ", "),
                         .hint = meant ? "did you mean " + *meant + "?"
                                       : "name it in [sync.set." + base::printable(name) + "]",
                         .code = base::Exit::usage}};
    }
    chosen.push_back(*found);
  }
  return chosen;
}

base::Exit send(Environment& environment, const RunRequest& request, const base::Role& role) {
  sync::PassRequest pass;
  pass.sets = choose_sets(environment, request);
  pass.host = environment.here();
  pass.receive = environment.program();
  pass.receive.emplace_back("receive");
  pass.epoch = role.epoch;
  pass.state_directory = environment.site().state_directory;
  pass.accept_emptied = request.accept_emptied;
  pass.deletes = request.deletes;
  pass.accept_deletions = request.accept_deletions;
  std::vector<base::Lock> locks;
  for (const auto& set : pass.sets) {
    locks.emplace_back(environment.site().run_directory + "/sync-" + set.name + ".lock",
                       "hamn sync run " + set.name, environment.clock());
  }
  auto journal = environment.open_journal("activity");
  auto progress = environment.progress();
  auto& receiver = environment.hosts().at(environment.there());
  try {
    const auto results = sync::run_pass(receiver, pass, *journal, environment.clock(), *progress);
    const auto report = sync::report_of(results, receiver.name());
    const bool has_problems = report.mark != base::Mark::good;
    if (environment.json || (!environment.quiet && !request.scheduled) || has_problems) {
      show(environment, report);
    }
    return has_problems ? base::Exit::problems : base::Exit::done;
  } catch (const sync::PeerRefused& refused) {
    if (refused.is_deposed()) become_deposed(environment, role, refused);
    throw;
  }
}

base::Exit run(Environment& environment, const RunRequest& request) {
  require_root();
  if (request.scheduled) base::set_quiet(true);
  const auto role = environment.role();
  if (role.name != base::RoleName::primary) {
    // Timers run on both hosts; only the primary's may do something.
    if (request.scheduled) return base::Exit::done;
    throw base::Error{{.what = "refusing to push files from a host that is not the primary",
                       .detail = "the role of " + role.host + " is " + base::to_text(role.name),
                       .hint = "run it on the primary: hamn status tells which one it is",
                       .code = base::Exit::refused}};
  }
  return send(environment, request, role);
}

base::Exit receive(Environment& environment) {
  require_root();
  sync::ReceiverPolicy policy;
  policy.host = environment.here();
  policy.sets = environment.file_sets();
  policy.role_path = environment.role_path();
  policy.state_directory = environment.site().state_directory;
  policy.run_directory = environment.site().run_directory;
  auto stream = base::standard_stream();
  sync::receive(*stream, policy, environment.disk(), environment.clock());
  return base::Exit::done;
}

}  // namespace

void become_deposed(Environment& environment, base::Role role, const sync::PeerRefused& refused) {
  role.name = base::RoleName::deposed;
  role.epoch = refused.epoch();
  role.since = environment.clock().wall();
  base::write_role(environment.disk(), environment.role_path(), role);
  base::log(base::Level::warning,
            "this host was deposed: the cluster is in epoch " + std::to_string(refused.epoch()));
}

void add_sync_commands(CLI::App& app, Environment& environment, Chosen& chosen) {
  auto* sync_command = app.add_subcommand("sync", "Files: keep the standby's copies current");
  sync_command->require_subcommand(1);
  auto* run_command =
      sync_command->add_subcommand("run", "Bring the standby up to date once (on the primary)");
  auto request = std::make_shared<RunRequest>();
  run_command->add_option("--set", request->sets, "Only this file set; may be repeated");
  run_command->add_flag("--scheduled", request->scheduled,
                        "For timers: quiet, and nothing to do on a host that is not the primary");
  run_command->add_flag("--accept-emptied", request->accept_emptied,
                        "A source that lost everything is right");
  run_command->add_flag(
      "--delete", request->deletes,
      "Compare everything and delete on the standby what the source does not have");
  run_command->add_flag("--accept-deletions", request->accept_deletions,
                        "So many deletions, or another directory at the source, are right");
  run_command->callback(
      [&, request] { chosen = [&, request] { return run(environment, *request); }; });
  add_sync_import_command(*sync_command, environment, chosen);
  add_sync_watch_command(*sync_command, environment, chosen);
  add_sync_authorize_command(*sync_command, environment, chosen);
  auto* receive_command =
      app.add_subcommand("receive", "The other end of hamn sync, started over ssh by the primary");
  auto forced = std::make_shared<bool>(false);
  receive_command->add_flag("--forced", *forced,
                            "For authorized_keys: run what SSH_ORIGINAL_COMMAND asks for, if it is "
                            "something that hamn asks of a standby");
  receive_command->callback([&, forced] {
    chosen = [&, forced] {
      const auto serve = [&] { return receive(environment); };
      return *forced ? run_forced(environment, serve) : serve();
    };
  });
}

}  // namespace hamn::cli
