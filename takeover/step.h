#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/command.h"
#include "base/plan.h"

namespace hamn::takeover {

/// One move of a takeover, such as "put the recovery point in charge of the database".
///
/// A step looks and proposes; only the Runbook acts. What `hamn failover --plan` prints is
/// therefore, action for action, what `hamn failover` does. Steps are written so that running the
/// whole runbook again is safe after a crash anywhere: what was done checks as done.
/// Used from one thread. Methods that look throw Error if they cannot find out; "no" is an answer,
/// not an error.
class Step {
 public:
  virtual ~Step() = default;
  /// Stable name in the journal and in the report: "promote-database".
  [[nodiscard]] virtual std::string_view id() const = 0;
  /// What it is about, for people: "Put the recovery point in charge of the database".
  [[nodiscard]] virtual std::string title() const = 0;
  /// The section of the xCAT document "Highly Available Management Node" that it carries out.
  [[nodiscard]] virtual std::string section() const = 0;
  /// Looks whether the step is due, done, blocked or not applicable, and why. Changes nothing.
  [[nodiscard]] virtual base::Finding check() = 0;
  /// Actions that lead from `found` to done. Pure: equal findings give equal plans.
  /// Requires: found.state == State::due.
  [[nodiscard]] virtual base::Plan plan(const base::Finding& found) const = 0;
  /// Looks after the plan has run, repeatedly until it says done or patience() is over.
  /// `outcomes` are those of the plan's commands.
  [[nodiscard]] virtual base::Finding verify(const std::vector<base::Outcome>& outcomes) {
    (void)outcomes;
    return check();
  }
  /// Longest wait between the last action and a verified step.
  [[nodiscard]] virtual std::chrono::seconds patience() const { return std::chrono::seconds{20}; }
  /// Actions that take back what plan(before) did; empty if there is no way back. Pure.
  [[nodiscard]] virtual base::Plan undo(const base::Finding& before) const {
    (void)before;
    return {};
  }
  /// Steps that must be done before this one; a failed step stops only those that need it.
  [[nodiscard]] virtual std::vector<std::string_view> needs() const { return {}; }
  /// True for the step after whose first action the takeover can only be finished, not undone.
  [[nodiscard]] virtual bool is_point_of_no_return() const { return false; }
  /// For that step: whether this takeover, perhaps in an earlier run, went past it.
  [[nodiscard]] virtual bool is_passed() const { return false; }
};

/// A condition that must hold before the first change.
class Gate {
 public:
  virtual ~Gate() = default;
  [[nodiscard]] virtual std::string_view id() const = 0;
  [[nodiscard]] virtual std::string title() const = 0;
  /// State::done: the gate holds. Anything else, unknown included: it does not, and `why` says what
  /// would have to be true.
  [[nodiscard]] virtual base::Finding look() = 0;
  /// Whether --accept-loss may pass this gate.
  [[nodiscard]] virtual bool is_about_loss() const { return false; }
};

}  // namespace hamn::takeover
