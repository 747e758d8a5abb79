#include "cron/schedule.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "cron/crontab.h"
#include "cron/systemd.h"

namespace hamn::cron {

namespace {

constexpr const char* crontab_path = "/etc/cron.d/hamn";
constexpr const char* unit_directory = "/etc/systemd/system";

Job make_job(const std::string& name, base::Milliseconds every,
             const std::vector<std::string>& program) {
  Job job{.name = name, .description = {}, .argv = program, .every = every};
  if (name == "database") {
    job.description = "copy the cluster database to the standby";
    job.argv.insert(job.argv.end(), {"db", "replicate", "--scheduled"});
    return job;
  }
  const auto set = name.substr(std::string{"sync-"}.size());
  job.description = "copy the file set " + set + " to the standby";
  job.argv.insert(job.argv.end(), {"sync", "run", "--set", set, "--scheduled"});
  return job;
}

std::vector<std::string> timers_among(const std::vector<std::string>& files) {
  std::vector<std::string> timers;
  for (const auto& file : files) {
    if (file.ends_with(".timer") || file.ends_with("/hamn-watch.service"))
      timers.push_back(file.substr(file.rfind('/') + 1));
  }
  return timers;
}

base::Action systemctl(const std::string& host, const std::string& sentence,
                       std::vector<std::string> words, const std::vector<std::string>& units) {
  words.insert(words.begin(), "systemctl");
  words.insert(words.end(), units.begin(), units.end());
  return base::run_on(host, sentence, {.argv = std::move(words)});
}

/// Stops the timers among `files`, then removes all of them.
void add_removal(base::Plan& plan, const std::string& host, const std::vector<std::string>& files) {
  const auto timers = timers_among(files);
  if (!timers.empty()) {
    plan.add(systemctl(host, "Stop timers that are no longer wanted",
                       {"disable", "--now", "--quiet"}, timers));
  }
  if (files.empty()) return;
  base::Command remove{.argv = {"rm", "-f"}};
  remove.argv.insert(remove.argv.end(), files.begin(), files.end());
  plan.add(base::run_on(host, "Remove what is no longer wanted", remove));
  if (!timers.empty()) plan.add(systemctl(host, "Tell systemd", {"daemon-reload"}, {}));
}

}  // namespace

std::vector<Job> make_jobs(const base::Site& site, const std::vector<std::string>& program) {
  std::vector<Job> jobs;
  for (const auto& [name, every] : site.schedule.every) {
    if (site.schedule.style == "continuous" && name.starts_with("sync-")) continue;
    jobs.push_back(make_job(name, every, program));
  }
  return jobs;
}

std::vector<std::string> watch_command(const base::Site& site,
                                       const std::vector<std::string>& program) {
  if (site.schedule.style != "continuous") return {};
  auto words = program;
  words.insert(words.end(), {"sync", "watch", "--service"});
  return words;
}

std::vector<std::string> installed_files(base::Host& host) {
  const base::Command list{.argv = {"find", unit_directory, "/etc/cron.d", "-maxdepth", "1",
                                    "-name", "hamn*", "-type", "f"}};
  const auto outcome = host.run(list);
  std::vector<std::string> files;
  for (const auto& path : base::lines_of(outcome.output)) {
    const auto name = path.substr(path.rfind('/') + 1);
    const bool is_unit =
        name.starts_with("hamn-") && (name.ends_with(".service") || name.ends_with(".timer"));
    if (path == crontab_path || is_unit) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

base::Plan plan_install(const base::Site& site, const std::string& host,
                        const std::vector<Job>& jobs, const std::vector<std::string>& present,
                        const std::vector<std::string>& watch) {
  std::vector<RenderedFile> wanted;
  if (site.schedule.style == "crontab") {
    wanted.push_back({.path = crontab_path, .content = render_crontab(jobs)});
  } else {
    for (const auto& job : jobs) {
      const auto units = render_units(job);
      wanted.insert(wanted.end(), units.begin(), units.end());
    }
  }
  if (!watch.empty()) wanted.push_back(render_watch_unit(watch));
  std::vector<std::string> unwanted;
  for (const auto& path : present) {
    const bool keep = std::any_of(wanted.begin(), wanted.end(),
                                  [&](const RenderedFile& file) { return file.path == path; });
    if (!keep) unwanted.push_back(path);
  }
  base::Plan plan;
  add_removal(plan, host, unwanted);
  std::vector<std::string> timers;
  for (const auto& file : wanted) {
    const auto name = file.path.substr(file.path.rfind('/') + 1);
    plan.add(base::write_on(host, "Write " + name, {.path = file.path, .content = file.content}));
    if (name.ends_with(".timer") || name == "hamn-watch.service") timers.push_back(name);
  }
  if (!timers.empty()) {
    plan.add(systemctl(host, "Tell systemd", {"daemon-reload"}, {}));
    plan.add(systemctl(host, "Start the timers, now and at every boot",
                       {"enable", "--now", "--quiet"}, timers));
  }
  return plan;
}

base::Plan plan_remove(const std::string& host, const std::vector<std::string>& present) {
  base::Plan plan;
  add_removal(plan, host, present);
  return plan;
}

}  // namespace hamn::cron
