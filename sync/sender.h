#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/stream.h"
#include "sync/file_set.h"
#include "sync/inbox.h"

namespace hamn::sync {

/// The receiver said no. `deposed` means that a higher epoch is in charge.
class PeerRefused : public base::Error {
 public:
  explicit PeerRefused(const Refusal& refusal);
  [[nodiscard]] bool is_deposed() const noexcept { return deposed_; }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

 private:
  bool deposed_;
  std::uint64_t epoch_;
};

/// One connection to a receiver, for the passes of several sets one after the other.
class Connection {
 public:
  explicit Connection(std::unique_ptr<base::Stream> stream);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();
  [[nodiscard]] BlockWriter& writer() noexcept { return writer_; }
  [[nodiscard]] Inbox& inbox() noexcept { return inbox_; }
  /// Ends the conversation and tells how the receiver ended.
  base::Ending finish();
  /// Gives the pass up and tells how the receiver ended, as far as that can still be learnt.
  base::Ending abort();

 private:
  std::unique_ptr<base::Stream> stream_;
  BlockWriter writer_;
  Inbox inbox_;
  std::optional<KeepAlive> keep_alive_;
};

/// What to send, and as whom.
struct SendRequest {
  FileSet set;
  std::string host;  ///< this host's name
  std::string run;
  std::uint64_t epoch = 0;
  std::string state_directory;
  bool accept_emptied = false;    ///< an empty source is what the administrator wants
  bool deletes = false;           ///< once, also what no index knows; or the set says so itself
  bool accept_deletions = false;  ///< however many
  /// If there, an incremental pass of a compat set enters only these directories (absolute), those
  /// that lead to them, and those that look other than the index has them. A faithful set is walked
  /// as a whole: the other name of a hard link may be anywhere.
  std::optional<std::set<std::string>> dirty = {};
};

/// What one pass of one set did.
struct SendResult {
  std::string set;
  std::uint64_t generation = 0;
  PassMode mode = PassMode::incremental;
  bool changed = false;
  base::WallTime as_of;     ///< the standby's copy is the source at that time, or later
  std::uint64_t files = 0;  ///< in the source
  std::uint64_t bytes = 0;
  std::uint64_t files_sent = 0;  ///< with content
  std::uint64_t bytes_sent = 0;  ///< content, before compression
  std::uint64_t wire_bytes = 0;  ///< both directions
  std::uint64_t names_deleted = 0;
  std::uint64_t problem_count = 0;  ///< real problems: exit code 4
  std::uint64_t note_count = 0;
  std::vector<Problem> problems;  ///< the first thousand, notes included
  base::Milliseconds elapsed{0};
};

/// One pass: compares the source with what the receiver confirmed last, and sends what changed.
///
/// Nothing waits per file: offers, contents and answers overlap. The index is moved forward only by
/// what the receiver has confirmed as durable. Throws PeerRefused, or Error if the pass could not
/// be finished; the generation then stays, and the next pass goes on safely.
[[nodiscard]] SendResult send_set(Connection& connection, const SendRequest& request,
                                  base::Clock& clock, base::Progress& progress);

/// Path of the index that the sender keeps of a set.
[[nodiscard]] std::string sender_index_path(const std::string& state_directory,
                                            const std::string& set);

}  // namespace hamn::sync
