#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/journal.h"

namespace hamn::test {

/// A journal that keeps its events in memory, and fails or calls the test where told. Events are
/// numbered from 1; the time of an event is that of `clock`, or its number in milliseconds.
class MemoryJournal : public base::Journal {
 public:
  using Hook = std::function<void()>;

  explicit MemoryJournal(std::string run = "run-1", const base::Clock* clock = nullptr)
      : run_(std::move(run)), clock_(clock) {}

  void append(const std::string& kind, const base::Facts& facts) override;
  [[nodiscard]] const std::string& run() const override { return run_; }

  /// The n-th append throws Error and keeps nothing.
  void fail_at(std::size_t n);
  /// Called in the n-th append, before the event is kept. If it throws, nothing is kept.
  void call_before(std::size_t n, Hook hook);
  /// Called in the n-th append, after the event is kept: what throws here ends a run between two
  /// pieces of work.
  void call_after(std::size_t n, Hook hook);

  [[nodiscard]] const std::vector<base::Event>& events() const { return events_; }
  /// The kinds of all events in order, joined by blanks: "run_started action_started".
  [[nodiscard]] std::string kinds() const;
  /// Facts of the only event of this kind; fails the test if there is none or more than one.
  [[nodiscard]] base::Facts facts_of(const std::string& kind) const;

 private:
  std::string run_;
  const base::Clock* clock_;
  std::size_t appends_ = 0;
  std::map<std::size_t, Hook> before_;
  std::map<std::size_t, Hook> after_;
  std::vector<base::Event> events_;
};

}  // namespace hamn::test
