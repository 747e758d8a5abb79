#include "base/perform.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/text.h"

namespace hamn::base {

namespace {

constexpr std::size_t kept_output_bytes = 2000;

std::string tail(const std::string& text) {
  auto trimmed = trim(text);
  if (trimmed.size() <= kept_output_bytes) return trimmed;
  return "…" + trimmed.substr(trimmed.size() - kept_output_bytes);
}

Facts facts_before(const Plan& plan, std::size_t index) {
  const auto& action = plan.actions[index];
  Facts facts{{"action", std::to_string(index + 1)},
              {"of", std::to_string(plan.actions.size())},
              {"host", action.host},
              {"sentence", action.sentence},
              {"command", to_text(action)}};
  const auto* file = std::get_if<FileWrite>(&action.act);
  if (file != nullptr && !file->secret) facts["sha256"] = sha256(file->content);
  return facts;
}

Outcome act(const RunCommand& run, Host& host, Facts& facts) {
  auto command = run.command;
  command.sees_to_its_end = true;
  auto outcome = host.run(command);
  facts["exit_code"] = std::to_string(outcome.exit_code);
  if (outcome.timed_out) facts["timed_out"] = "yes";
  if (!trim(outcome.output).empty()) facts["output"] = tail(outcome.output);
  if (!trim(outcome.error_output).empty()) facts["error_output"] = tail(outcome.error_output);
  facts["elapsed_ms"] = std::to_string(outcome.elapsed.count());
  return outcome;
}

bool is_accepted(const RunCommand& run, const Outcome& outcome) {
  return !outcome.timed_out && std::find(run.accepted.begin(), run.accepted.end(),
                                         outcome.exit_code) != run.accepted.end();
}

}  // namespace

std::vector<Outcome> perform(const Plan& plan, Hosts& hosts, Journal& journal) {
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < plan.actions.size(); ++i) {
    stop_if_interrupted();
    const auto& action = plan.actions[i];
    auto& host = hosts.at(action.host);
    journal.append("action_started", facts_before(plan, i));
    Facts after{{"action", std::to_string(i + 1)}};
    if (const auto* file = std::get_if<FileWrite>(&action.act)) {
      host.write(*file);
      journal.append("action_finished", after);
      continue;
    }
    const auto& run = std::get<RunCommand>(action.act);
    outcomes.push_back(act(run, host, after));
    journal.append("action_finished", after);
    if (!is_accepted(run, outcomes.back())) {
      throw Error{{.what = "on " + action.host + ", " + run.command.argv.front() + " " +
                           describe(outcomes.back(), run.command),
                   .detail = "it was to: " + action.sentence + "; command: " + to_text(action),
                   .hint = "run that command by hand on " + action.host + " to see more"}};
    }
  }
  return outcomes;
}

}  // namespace hamn::base
