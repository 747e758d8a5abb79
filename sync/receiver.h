#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/stream.h"
#include "sync/file_set.h"

namespace hamn::sync {

/// What this host lets a sender do. It comes from this host's own configuration; nothing that the
/// sender says can widen it.
struct ReceiverPolicy {
  std::string host;             ///< this host's name
  std::vector<FileSet> sets;    ///< the sets that may be written here
  std::string role_path;        ///< only a standby receives
  std::string state_directory;  ///< indexes and staging records
  std::string run_directory;    ///< locks
};

/// `hamn receive`: serves one pass after the other over `stream` until the sender ends it.
///
/// Every file is staged, checked against its hash, synced and renamed; the index is written after
/// that, and only then the sender hears "done". A crash at any point leaves each file old or new,
/// and the next pass converges. The role is looked at before a pass and before each commit.
/// Throws Error after telling the sender, if the pass could not go on. `disk` and `clock` outlive
/// the call. Threads: one, and one of its own for answers.
void receive(base::Stream& stream, const ReceiverPolicy& policy, base::Disk& disk,
             base::Clock& clock);

/// Path of the index that the receiver keeps of a set.
[[nodiscard]] std::string receiver_index_path(const std::string& state_directory,
                                              const std::string& set);
/// Path of the lock that the receiver of a set holds.
[[nodiscard]] std::string receiver_lock_path(const std::string& run_directory,
                                             const std::string& set);

/// No message for this long ends a pass.
constexpr base::Milliseconds stream_limit = std::chrono::seconds{60};

}  // namespace hamn::sync
