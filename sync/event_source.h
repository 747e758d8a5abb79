#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sync/file_set.h"

namespace hamn::sync {

/// Something may have changed in a directory. A hint: what is true, the next pass sees.
struct ChangeEvent {
  std::string directory;  ///< absolute
  std::string name;       ///< what changed in it; empty: not known

  friend bool operator==(const ChangeEvent&, const ChangeEvent&) = default;
};

/// What came in during one wait.
struct ChangeEvents {
  std::vector<ChangeEvent> events;
  bool lost = false;  ///< the kernel dropped some: everything has to be looked at
};

/// Where hints about changes come from. Threads: one. Throws Error if it cannot go on watching.
class EventSource {
 public:
  virtual ~EventSource() = default;
  /// For people: "fanotify".
  [[nodiscard]] virtual std::string name() const = 0;
  /// Waits for the first events, at most `limit`; returns early on a signal.
  [[nodiscard]] virtual ChangeEvents wait(base::Milliseconds limit) = 0;
};

/// Marks on whole file systems: nothing to set up per directory. Throws Error where the kernel, the
/// rights of this process or a file system cannot do that (Linux 5.9, CAP_SYS_ADMIN).
[[nodiscard]] std::unique_ptr<EventSource> make_fanotify_source(const std::vector<FileSet>& sets);
/// A watch for every directory. Throws Error if there are more than the kernel allows.
[[nodiscard]] std::unique_ptr<EventSource> make_inotify_source(const std::vector<FileSet>& sets);
/// No events at all: says "lost" every `every`, so that everything is looked at.
[[nodiscard]] std::unique_ptr<EventSource> make_polling_source(base::Clock& clock,
                                                               base::Milliseconds every);

/// The best of the three that works here; `problem` says why it is not the first one.
[[nodiscard]] std::unique_ptr<EventSource> choose_event_source(const std::vector<FileSet>& sets,
                                                               base::Clock& clock,
                                                               base::Milliseconds poll_every,
                                                               std::string& problem);

/// True if the event can concern the set: something below one of its roots, or a root itself. Pure.
[[nodiscard]] bool concerns(const FileSet& set, const ChangeEvent& event);

}  // namespace hamn::sync
