#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/journal.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// How a step of a run ended. One list for code, output, JSON and docs.
enum class StepResult {
  done,            ///< it was due, was performed, and its postcondition was seen
  already_done,    ///< its postcondition held before
  not_applicable,  ///< this site does not need it
  left_open,       ///< not done for a good reason; somebody has to follow up
  blocked,         ///< something outside must change first
  failed,
  not_executed  ///< the run ended before it, or a step that it needs is not done
};
/// The word in journal, report and JSON: "already_done".
[[nodiscard]] std::string to_text(StepResult result);

/// What came of one step.
struct StepOutcome {
  std::string id;
  StepResult result = StepResult::not_executed;
  std::string why;
  std::string follow_up = {};  ///< what somebody has to look after, whatever came of the step
};

/// What came of a run.
struct RunOutcome {
  base::Exit code = base::Exit::done;
  std::string headline;  ///< one sentence: what is true now
  std::vector<StepOutcome> steps;
};

/// One line of a preview.
struct StepPreview {
  std::string id;
  std::string title;
  std::string section;
  base::Finding found;
  base::Plan plan;  ///< empty unless due
};

/// What a run looks at while it goes on, for a live display. All calls come from the run's thread.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void gate_looked(const Gate& gate, const base::Finding& found) = 0;
  virtual void step_started(const Step& step) = 0;
  virtual void step_finished(const Step& step, StepResult result, const std::string& why,
                             base::Milliseconds elapsed) = 0;
};

/// Carries out steps in their documented order: check, plan, perform, verify, journal.
///
/// Gates come first; none is changed after a gate failed. A failed step stops what needs it; what
/// does not need it goes on, since in an emergency three services out of four are better than none.
/// Running again resumes. After the point of no return a run that is not complete answers
/// Exit::incomplete, before it Exit::failed.
class Runbook {
 public:
  struct Parts {
    std::vector<std::unique_ptr<Gate>> gates;
    std::vector<std::unique_ptr<Step>> steps;
  };
  /// What the administrator said for this run.
  struct Orders {
    std::string accept_loss;  ///< reason; passes gates about loss
    std::string plan_digest;  ///< approved plan; empty: whatever is due
    std::string success;      ///< the sentence for a run that did everything
    base::Facts header;       ///< who, why, from what: written with "run_started"
  };

  /// All references outlive the runbook.
  Runbook(Parts parts, base::Hosts& hosts, base::Journal& journal, base::Clock& clock,
          RunObserver& observer);

  /// Looks at everything and changes nothing.
  [[nodiscard]] std::vector<StepPreview> preview();
  /// Runs, or resumes, the takeover. Interruption answers Exit::interrupted.
  [[nodiscard]] RunOutcome run(const Orders& orders);
  /// Takes back, last first, what the events of an earlier run say was done. Refuses after the
  /// point of no return.
  [[nodiscard]] RunOutcome undo(const std::vector<base::Event>& earlier);

 private:
  [[nodiscard]] std::optional<RunOutcome> look_at_gates(const Orders& orders);
  [[nodiscard]] std::optional<RunOutcome> compare_plan(const Orders& orders);
  [[nodiscard]] StepOutcome run_step(Step& step);
  [[nodiscard]] StepOutcome carry_out(Step& step, const base::Finding& found);
  [[nodiscard]] std::optional<base::Finding> act_and_look(Step& step, const base::Plan& plan,
                                                          StepOutcome& outcome);
  [[nodiscard]] base::Finding wait_until_done(Step& step, const base::Plan& performed,
                                              const std::vector<base::Outcome>& outcomes);
  [[nodiscard]] bool was_passed() const;
  [[nodiscard]] bool needs_are_done(const Step& step, const std::vector<StepOutcome>& so_far) const;
  [[nodiscard]] RunOutcome conclude(std::vector<StepOutcome> steps, const std::string& success);
  [[nodiscard]] std::string at() const;
  void finish(const RunOutcome& outcome);

  Parts parts_;
  base::Hosts& hosts_;
  base::Journal& journal_;
  base::Clock& clock_;
  RunObserver& observer_;
  base::SteadyTime start_;
  bool passed_point_of_no_return_ = false;
};

/// SHA-256 over the plans of a preview: names the whole plan for --plan-id. What hamn writes down
/// about the run itself does not count: its name and time differ from one look to the next.
[[nodiscard]] std::string digest(const std::vector<StepPreview>& preview);

}  // namespace hamn::takeover
