#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/plan.h"

namespace hamn::base {

/// One thing that happened in one run. docs/formats/journal.md lists the kinds and their facts.
struct Event {
  std::uint64_t number = 0;  ///< counts from 1 over all runs of a journal
  WallTime time;
  std::string run;
  std::string kind;  ///< "step_started", "action_finished", …
  Facts facts;

  friend bool operator==(const Event&, const Event&) = default;
};

/// Where one run writes down what it does. append() returns when the event is on stable storage;
/// what cannot be written down must not be done, so it throws Error if it could not.
class Journal {
 public:
  virtual ~Journal() = default;
  virtual void append(const std::string& kind, const Facts& facts) = 0;
  [[nodiscard]] virtual const std::string& run() const = 0;
};

/// A journal as a file: one JSON object per line, each holding the SHA-256 of the line before it,
/// so that nobody can change or remove a line in the middle without being found out.
///
/// Several processes may append (each append takes the file's lock and looks for new lines first).
/// A torn last line, as a power cut leaves it, is cut off at the next append, which notes how much
/// was cut. A damaged line in the middle stays where it is and is named by read_journal().
class FileJournal : public Journal {
 public:
  /// `disk` and `clock` outlive the journal. The file is made if there is none.
  FileJournal(Disk& disk, Clock& clock, std::string path, std::string run);
  void append(const std::string& kind, const Facts& facts) override;
  [[nodiscard]] const std::string& run() const override { return run_; }

 private:
  void catch_up();
  void write_event(const std::string& kind, const Facts& facts);

  Disk& disk_;
  Clock& clock_;
  std::string path_;
  std::string run_;
  Fd file_;
  std::uint64_t size_bytes_ = 0;  ///< up to here the file is known
  std::uint64_t last_number_ = 0;
  std::string last_hash_;
};

/// A place in a journal that is not as it was written.
struct JournalDamage {
  std::uint64_t line = 0;
  std::string reason;
};

/// What a journal holds, whatever happened to it.
struct JournalContent {
  std::vector<Event> events;  ///< in the order of the file; damaged lines left out
  std::vector<JournalDamage> damage;
};

/// Everything that can be read. A missing file is an empty journal.
[[nodiscard]] JournalContent read_journal(const std::string& path);
/// The same from text (pure).
[[nodiscard]] JournalContent parse_journal(std::string_view text);

/// A name for a run that sorts by time: "20261121T030405Z-9f2c61".
[[nodiscard]] std::string new_run_id(const Clock& clock);

}  // namespace hamn::base
