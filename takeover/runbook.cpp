#include "takeover/runbook.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <variant>

#include "base/interrupt.h"
#include "base/perform.h"
#include "base/text.h"
#include "takeover/context.h"

namespace hamn::takeover {

namespace {

using base::Exit;
using base::Finding;
using base::State;

constexpr base::Milliseconds look_again{200};
constexpr int most_rounds = 3;

std::string to_json(const base::Facts& facts) {
  return nlohmann::json(facts).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

base::Facts facts_from_json(const std::string& text) {
  const auto object = nlohmann::json::parse(text, nullptr, false);
  base::Facts facts;
  if (!object.is_object()) return facts;
  for (const auto& [key, value] : object.items()) {
    if (value.is_string()) facts[key] = value.get<std::string>();
  }
  return facts;
}

std::string follow_up_of(const Finding& found) {
  const auto fact = found.facts.find("follow_up");
  return fact == found.facts.end() ? "" : fact->second;
}

bool counts_as_done(StepResult result) {
  return result == StepResult::done || result == StepResult::already_done ||
         result == StepResult::not_applicable || result == StepResult::left_open;
}

Finding cannot_find_out(const base::Error& error) {
  return {.state = State::unknown,
          .why = std::string{error.what()} + (error.detail().empty() ? "" : ": " + error.detail()),
          .facts = {}};
}

/// Looking that failed is an unknown answer, and unknown is never permission.
template <typename Look>
Finding finding_of(const Look& look) {
  try {
    return look();
  } catch (const base::Error& error) {
    if (error.code() == Exit::interrupted) throw;
    return cannot_find_out(error);
  }
}

/// The same within a step, where a stop that was asked for is an answer, too: the run goes to its
/// journaled end.
template <typename Look>
Finding finding_or_stop(const Look& look) {
  try {
    return finding_of(look);
  } catch (const base::Error&) {
    return {.state = State::unknown, .why = "interrupted", .facts = {}};
  }
}

StepResult result_of(State state) {
  switch (state) {
    case State::done:
      return StepResult::already_done;
    case State::not_applicable:
      return StepResult::not_applicable;
    case State::blocked:
      return StepResult::blocked;
    case State::due:
    case State::unknown:
      return StepResult::failed;
  }
  return StepResult::failed;
}

}  // namespace

std::string to_text(StepResult result) {
  switch (result) {
    case StepResult::done:
      return "done";
    case StepResult::already_done:
      return "already_done";
    case StepResult::not_applicable:
      return "not_applicable";
    case StepResult::left_open:
      return "left_open";
    case StepResult::blocked:
      return "blocked";
    case StepResult::failed:
      return "failed";
    case StepResult::not_executed:
      return "not_executed";
  }
  return "not_executed";
}

std::string digest(const std::vector<StepPreview>& preview) {
  base::Plan all;
  for (const auto& step : preview) all.append(step.plan);
  for (auto& action : all.actions) {
    auto* file = std::get_if<base::FileWrite>(&action.act);
    if (file != nullptr && is_own_record(file->path)) file->content.clear();
  }
  return base::digest(all);
}

Runbook::Runbook(Parts parts, base::Hosts& hosts, base::Journal& journal, base::Clock& clock,
                 RunObserver& observer)
    : parts_(std::move(parts)),
      hosts_(hosts),
      journal_(journal),
      clock_(clock),
      observer_(observer),
      start_(clock.steady()) {}

std::string Runbook::at() const {
  return std::to_string(
      std::chrono::duration_cast<base::Milliseconds>(clock_.steady() - start_).count());
}

std::vector<StepPreview> Runbook::preview() {
  std::vector<StepPreview> lines;
  for (const auto& step : parts_.steps) {
    auto found = finding_of([&] { return step->check(); });
    auto plan = found.state == State::due ? step->plan(found) : base::Plan{};
    lines.push_back({.id = std::string{step->id()},
                     .title = step->title(),
                     .section = step->section(),
                     .found = std::move(found),
                     .plan = std::move(plan)});
  }
  return lines;
}

std::optional<RunOutcome> Runbook::look_at_gates(const Orders& orders) {
  std::vector<std::string> closed;
  for (const auto& gate : parts_.gates) {
    const auto found = finding_of([&] { return gate->look(); });
    const bool holds = found.state == State::done;
    // A known loss can be accepted. Not knowing, or having no copy at all, can not.
    const bool overridden =
        found.state == State::blocked && gate->is_about_loss() && !orders.accept_loss.empty();
    base::Facts facts{{"gate", std::string{gate->id()}},
                      {"title", gate->title()},
                      {"state", base::to_text(found.state)},
                      {"why", found.why},
                      {"at_ms", at()}};
    for (const auto& [name, value] : found.facts) facts["fact." + name] = value;
    if (overridden) facts["override"] = orders.accept_loss;
    journal_.append("gate", facts);
    observer_.gate_looked(*gate, found);
    if (!holds && !overridden) closed.push_back(found.why + ".");
  }
  if (closed.empty()) return std::nullopt;
  return RunOutcome{.code = Exit::refused,
                    .headline = "Refused, nothing was changed. " + base::join(closed, " "),
                    .steps = {}};
}

std::optional<RunOutcome> Runbook::compare_plan(const Orders& orders) {
  if (orders.plan_digest.empty()) return std::nullopt;
  const auto now = digest(preview());
  if (now.starts_with(orders.plan_digest) && orders.plan_digest.size() >= 12) return std::nullopt;
  return RunOutcome{.code = Exit::refused,
                    .headline = "Refused, nothing was changed. Looking again gave another plan (" +
                                now.substr(0, 12) + ") than the approved one (" +
                                orders.plan_digest.substr(0, 12) + "): hamn failover --plan",
                    .steps = {}};
}

RunOutcome Runbook::run(const Orders& orders) {
  start_ = clock_.steady();
  passed_point_of_no_return_ = was_passed();
  auto header = orders.header;
  if (!orders.accept_loss.empty()) header["accept_loss"] = orders.accept_loss;
  journal_.append("run_started", header);
  auto refused = look_at_gates(orders);
  if (!refused) refused = compare_plan(orders);
  if (refused) {
    for (const auto& step : parts_.steps) {
      refused->steps.push_back({.id = std::string{step->id()},
                                .result = StepResult::not_executed,
                                .why = "a gate is closed"});
    }
    finish(*refused);
    return *refused;
  }
  std::vector<StepOutcome> outcomes;
  bool interrupted = false;
  for (const auto& step : parts_.steps) {
    if (interrupted || !needs_are_done(*step, outcomes)) {
      const auto* why =
          interrupted ? "the run was interrupted" : "a step that it needs is not done";
      outcomes.push_back(
          {.id = std::string{step->id()}, .result = StepResult::not_executed, .why = why});
      journal_.append("step_skipped", {{"step", std::string{step->id()}},
                                       {"why", why},
                                       {"title", step->title()},
                                       {"section", step->section()}});
      observer_.step_finished(*step, StepResult::not_executed, why, base::Milliseconds{0});
      continue;
    }
    outcomes.push_back(run_step(*step));
    interrupted = base::interrupted();
  }
  auto outcome = conclude(std::move(outcomes), orders.success);
  if (interrupted && outcome.code != Exit::done) outcome.code = Exit::interrupted;
  finish(outcome);
  return outcome;
}

bool Runbook::was_passed() const {
  return std::any_of(parts_.steps.begin(), parts_.steps.end(), [](const auto& step) {
    return step->is_point_of_no_return() && step->is_passed();
  });
}

bool Runbook::needs_are_done(const Step& step, const std::vector<StepOutcome>& so_far) const {
  const auto needs = step.needs();
  return std::all_of(needs.begin(), needs.end(), [&](std::string_view need) {
    const auto found = std::find_if(so_far.begin(), so_far.end(),
                                    [&](const StepOutcome& each) { return each.id == need; });
    return found != so_far.end() && counts_as_done(found->result);
  });
}

StepOutcome Runbook::run_step(Step& step) {
  const auto began = clock_.steady();
  const auto began_at = at();
  const std::string id{step.id()};
  observer_.step_started(step);
  const auto found = finding_or_stop([&] { return step.check(); });
  journal_.append("step_started", {{"step", id},
                                   {"title", step.title()},
                                   {"section", step.section()},
                                   {"at_ms", began_at},
                                   {"state", base::to_text(found.state)},
                                   {"why", found.why},
                                   {"before", to_json(found.facts)}});
  StepOutcome outcome{.id = id, .result = result_of(found.state), .why = found.why};
  if (found.state == State::due) outcome = carry_out(step, found);
  // What somebody has to follow up is what was seen last, and no excuse for a step that failed.
  if (found.state != State::due) outcome.follow_up = follow_up_of(found);
  if (!outcome.follow_up.empty() && counts_as_done(outcome.result)) {
    outcome.result = StepResult::left_open;
  }
  const auto elapsed = std::chrono::duration_cast<base::Milliseconds>(clock_.steady() - began);
  base::Facts facts{{"step", id},
                    {"result", to_text(outcome.result)},
                    {"why", outcome.why},
                    {"at_ms", at()},
                    {"elapsed_ms", std::to_string(elapsed.count())}};
  if (!outcome.follow_up.empty()) facts["follow_up"] = outcome.follow_up;
  journal_.append("step_finished", facts);
  observer_.step_finished(step, outcome.result, outcome.why, elapsed);
  return outcome;
}

StepOutcome Runbook::carry_out(Step& step, const Finding& found) {
  if (step.is_point_of_no_return()) passed_point_of_no_return_ = true;
  StepOutcome outcome{.id = std::string{step.id()}, .result = StepResult::failed, .why = {}};
  auto plan = step.plan(found);
  // What is seen after acting may ask for something else: a server that was told to restart and did
  // not. The same plan is never performed twice, and three rounds are enough for anything.
  for (int round = 0; round < most_rounds; ++round) {
    const auto after = act_and_look(step, plan, outcome);
    if (!after || after->state != State::due) break;
    auto next = step.plan(*after);
    if (next == plan || next.actions.empty()) break;
    plan = std::move(next);
  }
  return outcome;
}

std::optional<Finding> Runbook::act_and_look(Step& step, const base::Plan& plan,
                                             StepOutcome& outcome) {
  std::vector<base::Outcome> outcomes;
  std::string trouble;
  try {
    outcomes = base::perform(plan, hosts_, journal_);
  } catch (const base::Error& error) {
    if (error.code() == Exit::interrupted) {
      outcome.why = "interrupted";
      return std::nullopt;
    }
    trouble = error.what();
  }
  // A command that failed may have been needless, one that succeeded may have done nothing: the
  // postcondition decides in both cases.
  auto after = trouble.empty() ? wait_until_done(step, plan, outcomes)
                               : finding_or_stop([&] { return step.verify(outcomes); });
  outcome.why = after.why;
  outcome.follow_up = follow_up_of(after);
  if (after.state == State::done || after.state == State::not_applicable) {
    outcome.result = StepResult::done;
    if (!trouble.empty()) outcome.why += " (although " + trouble + ")";
  } else if (!trouble.empty()) {
    outcome.why = trouble;
  }
  return after;
}

Finding Runbook::wait_until_done(Step& step, const base::Plan& performed,
                                 const std::vector<base::Outcome>& outcomes) {
  const auto end = clock_.steady() + step.patience();
  for (;;) {
    auto found = finding_or_stop([&] { return step.verify(outcomes); });
    if (found.state == State::done || found.state == State::not_applicable) return found;
    if (clock_.steady() >= end || base::interrupted()) return found;
    if (found.state == State::due && step.plan(found) != performed) return found;
    clock_.sleep(look_again);
  }
}

RunOutcome Runbook::conclude(std::vector<StepOutcome> steps, const std::string& success) {
  RunOutcome outcome{.code = Exit::done, .headline = {}, .steps = std::move(steps)};
  std::vector<std::string> open;
  std::vector<std::string> left;
  for (const auto& step : outcome.steps) {
    if (step.result == StepResult::left_open) left.push_back(step.id);
    if (!counts_as_done(step.result)) open.push_back(step.id + " (" + step.why + ")");
  }
  if (!open.empty()) {
    outcome.code = passed_point_of_no_return_ ? Exit::incomplete : Exit::failed;
    outcome.headline = "Not complete: " + base::join(open, "; ") +
                       (passed_point_of_no_return_
                            ? ". Correct the cause, then run hamn failover again: it goes on."
                            : ". Nothing is served yet. Run hamn failover again to go on, or hamn "
                              "takeover undo to go back.");
  } else if (!left.empty()) {
    outcome.code = Exit::problems;
    outcome.headline = success + " To be followed up: " + base::join(left, ", ") + ".";
  } else {
    outcome.headline = success;
  }
  return outcome;
}

void Runbook::finish(const RunOutcome& outcome) {
  journal_.append("run_finished", {{"exit_code", std::to_string(static_cast<int>(outcome.code))},
                                   {"headline", outcome.headline},
                                   {"elapsed_ms", at()}});
}

namespace {

/// What each step had found when it was first performed. A step that began no action did nothing.
std::map<std::string, Finding> performed_steps(const std::vector<base::Event>& events) {
  std::map<std::string, Finding> performed;
  std::optional<std::pair<std::string, Finding>> due;
  for (const auto& event : events) {
    if (event.kind == "step_started") {
      due.reset();
      if (event.facts.at("state") != "due") continue;
      due = {event.facts.at("step"), Finding{.state = State::due,
                                             .why = event.facts.at("why"),
                                             .facts = facts_from_json(event.facts.at("before"))}};
    } else if (event.kind == "action_started" && due) {
      performed.insert(*due);
    }
  }
  return performed;
}

}  // namespace

RunOutcome Runbook::undo(const std::vector<base::Event>& earlier) {
  const auto performed = performed_steps(earlier);
  const bool too_late =
      was_passed() || std::any_of(parts_.steps.begin(), parts_.steps.end(), [&](const auto& step) {
        return step->is_point_of_no_return() && performed.contains(std::string{step->id()});
      });
  RunOutcome outcome;
  if (too_late) {
    outcome.code = Exit::refused;
    outcome.headline =
        "Refused: the takeover is past its point of no return, nodes may have written "
        "to this database. Finish it with hamn failover.";
    return outcome;
  }
  journal_.append("undo_started", {});
  for (auto step = parts_.steps.rbegin(); step != parts_.steps.rend(); ++step) {
    const auto before = performed.find(std::string{(*step)->id()});
    if (before == performed.end()) continue;
    StepOutcome undone{.id = before->first, .result = StepResult::done, .why = "taken back"};
    try {
      base::perform((*step)->undo(before->second), hosts_, journal_);
    } catch (const base::Error& error) {
      undone.result = StepResult::failed;
      undone.why = error.what();
      outcome.code = Exit::failed;
    }
    observer_.step_finished(**step, undone.result, undone.why, base::Milliseconds{0});
    outcome.steps.push_back(undone);
  }
  outcome.headline = outcome.code == Exit::done ? "Undone: this host is a standby again."
                                                : "Not everything could be undone.";
  journal_.append("undo_finished", {{"exit_code", std::to_string(static_cast<int>(outcome.code))},
                                    {"headline", outcome.headline}});
  return outcome;
}

}  // namespace hamn::takeover
