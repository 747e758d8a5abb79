#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/plan.h"
#include "base/site.h"

namespace hamn::cron {

/// One thing that runs again and again. Every job is a command that looks at the role itself and
/// does nothing on a host that is not the primary, so the same jobs are installed on both.
struct Job {
  std::string name;  ///< "sync-install"; the unit is hamn-sync-install
  std::string description;
  std::vector<std::string> argv;
  base::Milliseconds every{0};

  friend bool operator==(const Job&, const Job&) = default;
};

/// The jobs of a configuration; `program` is how hamn is called. Pure.
[[nodiscard]] std::vector<Job> make_jobs(const base::Site& site,
                                         const std::vector<std::string>& program);

/// The command of the continuous agent; empty unless the style is "continuous". Its unit replaces
/// the timers of file sets. Pure.
[[nodiscard]] std::vector<std::string> watch_command(const base::Site& site,
                                                     const std::vector<std::string>& program);

/// Installs the jobs on `host` in the style of the configuration; what was installed in the other
/// style, or for jobs that are no more, is removed. `present` are the files of hamn that are there
/// (installed_files()). Pure.
[[nodiscard]] base::Plan plan_install(const base::Site& site, const std::string& host,
                                      const std::vector<Job>& jobs,
                                      const std::vector<std::string>& present,
                                      const std::vector<std::string>& watch = {});
[[nodiscard]] base::Plan plan_remove(const std::string& host,
                                     const std::vector<std::string>& present);

/// The unit files and the crontab of hamn on `host`. Looks.
[[nodiscard]] std::vector<std::string> installed_files(base::Host& host);

}  // namespace hamn::cron
