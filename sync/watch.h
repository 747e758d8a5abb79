#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sync/event_source.h"

namespace hamn::sync {

/// What of a set has to be looked at.
struct Dirty {
  bool everything = false;
  std::set<std::string> directories;  ///< absolute

  [[nodiscard]] bool empty() const { return !everything && directories.empty(); }
  void merge(const Dirty& other);
  friend bool operator==(const Dirty&, const Dirty&) = default;
};

/// How an agent waits. docs/configuration.md, [watch].
struct WatchTimes {
  base::Milliseconds quiet{200};         ///< without events before a pass begins
  base::Milliseconds longest{2000};      ///< after the first event a pass begins anyway
  base::Milliseconds heartbeat{20'000};  ///< a pass even if nothing changed: keeps `as_of` fresh
  base::Milliseconds rescan{600'000};    ///< everything is looked at, since events are only hints
  base::Milliseconds first_retry{500};   ///< doubles with each failure, with jitter
  base::Milliseconds longest_retry{30'000};
};

/// What came of a round of passes.
struct SentPasses {
  std::map<std::string, Dirty> again;  ///< what has to be looked at again
  std::string trouble;                 ///< why a set could not be sent; the others were
};

/// What an agent does: sends what is dirty. Separate, so that a test needs no files and no network.
class WatchedPasses {
 public:
  virtual ~WatchedPasses() = default;
  /// Sends these sets; a set with an empty Dirty only says that it is current. Throws Error if
  /// nothing could be sent: the agent tries again later, unless the code is `refused` or
  /// `interrupted`.
  [[nodiscard]] virtual SentPasses send(const std::map<std::string, Dirty>& sets) = 0;
  /// Called often; false ends the agent (the role was lost).
  [[nodiscard]] virtual bool may_go_on() = 0;
};

/// The continuous agent: waits for hints, gathers them for a moment, has them sent.
///
/// It begins with everything, since nobody knows what changed while nobody watched; what could not
/// be sent stays dirty. Lost events make everything dirty. Threads: one.
class Watch {
 public:
  Watch(const std::vector<FileSet>& sets, EventSource& source, WatchedPasses& passes,
        base::Clock& clock, const WatchTimes& times);
  /// Until may_go_on() says no. Throws what ends the agent.
  void run();
  /// One wait and, if it is time, one pass.
  void step();
  [[nodiscard]] const std::map<std::string, Dirty>& dirty() const { return dirty_; }

 private:
  void take(const ChangeEvents& found);
  void send_now();
  void plan_retry(const std::string& trouble);
  [[nodiscard]] base::SteadyTime next_pass() const;
  [[nodiscard]] bool is_dirty() const;

  const std::vector<FileSet>& sets_;
  EventSource& source_;
  WatchedPasses& passes_;
  base::Clock& clock_;
  WatchTimes times_;
  std::map<std::string, Dirty> dirty_;
  base::SteadyTime first_event_;
  base::SteadyTime last_event_;
  base::SteadyTime last_pass_;
  base::SteadyTime last_rescan_;
  base::SteadyTime retry_at_;
  unsigned failures_ = 0;
};

}  // namespace hamn::sync
