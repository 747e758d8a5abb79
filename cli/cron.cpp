#include <CLI/CLI.hpp>

#include "base/log.h"
#include "base/perform.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cron/crontab.h"
#include "cron/schedule.h"
#include "cron/systemd.h"

namespace hamn::cli {

namespace {

std::vector<cron::Job> jobs_of(Environment& environment) {
  auto program = environment.own_program();
  return cron::make_jobs(environment.site(), program);
}

base::Exit show_schedule(Environment& environment) {
  const auto jobs = jobs_of(environment);
  if (environment.site().schedule.style == "crontab") {
    put(cron::render_crontab(jobs));
    return base::Exit::done;
  }
  for (const auto& job : jobs) {
    for (const auto& file : cron::render_units(job)) {
      put("# " + file.path + "\n" + file.content + "\n");
    }
  }
  const auto watch = cron::watch_command(environment.site(), environment.own_program());
  if (!watch.empty()) {
    const auto unit = cron::render_watch_unit(watch);
    put("# " + unit.path + "\n" + unit.content + "\n");
  }
  return base::Exit::done;
}

base::Exit carry_out(Environment& environment, const base::Plan& plan) {
  auto journal = environment.open_journal("activity");
  base::perform(plan, environment.hosts(), *journal);
  for (const auto& action : plan.actions) base::log(base::Level::info, action.sentence);
  return base::Exit::done;
}

base::Exit install(Environment& environment) {
  require_root();
  const auto jobs = jobs_of(environment);
  if (environment.site().schedule.style == "crontab") {
    for (const auto& each : cron::rounded_jobs(jobs)) base::log(base::Level::warning, each);
  }
  auto& host = environment.hosts().at(environment.here());
  return carry_out(
      environment,
      cron::plan_install(environment.site(), environment.here(), jobs, cron::installed_files(host),
                         cron::watch_command(environment.site(), environment.own_program())));
}

base::Exit remove(Environment& environment) {
  require_root();
  auto& host = environment.hosts().at(environment.here());
  return carry_out(environment, cron::plan_remove(environment.here(), cron::installed_files(host)));
}

}  // namespace

void add_cron_commands(CLI::App& app, Environment& environment, Chosen& chosen) {
  auto* cron_command = app.add_subcommand("cron", "Timers that keep the standby current");
  cron_command->require_subcommand(1);
  cron_command->add_subcommand("show", "Print what install would write")->callback([&] {
    chosen = [&] { return show_schedule(environment); };
  });
  cron_command->add_subcommand("install", "Write systemd timers or crontab lines, and start them")
      ->callback([&] { chosen = [&] { return install(environment); }; });
  cron_command->add_subcommand("remove", "Stop and remove them")->callback([&] {
    chosen = [&] { return remove(environment); };
  });
}

}  // namespace hamn::cli
