#pragma once

#include <string>
#include <vector>

#include "base/host.h"
#include "base/journal.h"
#include "base/progress.h"
#include "base/report.h"
#include "sync/sender.h"

namespace hamn::sync {

/// One run of `hamn sync run`: several sets over one connection.
struct PassRequest {
  std::vector<FileSet> sets;
  std::string host;                  ///< this host's name
  std::vector<std::string> receive;  ///< command on the other host: {"hamn", "receive"}
  std::uint64_t epoch = 0;
  std::string state_directory;
  bool accept_emptied = false;
  bool deletes = false;  ///< as in SendRequest
  bool accept_deletions = false;
};

/// Sends all sets to `receiver`, one after the other. A set that changed or had problems is
/// journaled
/// ("set_synced"); a pass that found nothing new is not. Throws as send_set() does; sets before the
/// failing one are done.
[[nodiscard]] std::vector<SendResult> run_pass(base::Host& receiver, const PassRequest& request,
                                               base::Journal& journal, base::Clock& clock,
                                               base::Progress& progress);

/// Writes "set_synced" if the pass changed something or had problems.
void journal_result(const SendResult& result, base::Journal& journal);

/// What a pass did, as a page. Pure.
[[nodiscard]] base::Report report_of(const std::vector<SendResult>& results,
                                     const std::string& receiver);

}  // namespace hamn::sync
