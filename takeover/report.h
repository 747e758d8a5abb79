#pragma once

#include <string>
#include <vector>

#include "base/journal.h"
#include "base/report.h"

namespace hamn::takeover {

/// One run of a takeover, found in a journal.
struct RunSummary {
  std::string run;
  base::WallTime started;
  std::string verb;  ///< "failover"
  std::string host;
  std::string result;  ///< "done", "refused", …; "unfinished" if its end was never written
  std::string headline;
};

/// All takeover runs of a journal, oldest first. Pure.
[[nodiscard]] std::vector<RunSummary> list_runs(const std::vector<base::Event>& events);

/// The page about one run, made from the journal alone: who, when, why, from which recovery point,
/// every gate and step with its evidence, what was skipped, what is left to do, RPO and RTO. Made
/// as well for a run that was refused, failed or never finished. `damage` of the journal is told in
/// the page. Throws Error if there is no such run. Pure.
[[nodiscard]] base::Report report_of_run(const base::JournalContent& journal,
                                         const std::string& run);

/// Words for the exit code of a run: "done", "refused", "incomplete", … Pure.
[[nodiscard]] std::string result_word(const std::string& exit_code);

}  // namespace hamn::takeover
