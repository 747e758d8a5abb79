#include "takeover/fence.h"

#include <algorithm>

#include "base/disk.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "takeover/deployment.h"

namespace hamn::takeover {

namespace {

using base::State;

base::Command command_for(const std::vector<std::string>& words, const base::FenceMethod& method,
                          const std::string& target) {
  base::Command command{.argv = words, .time_limit = method.time_limit};
  for (auto& word : command.argv) {
    for (auto at = word.find("{host}"); at != std::string::npos; at = word.find("{host}", at)) {
      word.replace(at, 6, target);
      at += target.size();
    }
  }
  return command;
}

struct Readings {
  std::vector<std::string> sentences;
  std::vector<std::string> not_off;  ///< methods that read "on", or nothing
  bool says_off = false;
  bool says_on = false;

  /// A host with two supplies may be off by one method and run on the other.
  [[nodiscard]] bool prove_off() const { return says_off && !says_on; }
};

Readings read_all(const Context& context) {
  Readings readings;
  for (const auto& method : context.site.fences) {
    const auto power = read_power(context.local(), method, context.primary);
    readings.sentences.push_back(method.name + " reads " + to_text(power));
    if (power != Power::off) readings.not_off.push_back(method.name);
    if (power == Power::off) readings.says_off = true;
    if (power == Power::on) readings.says_on = true;
  }
  return readings;
}

}  // namespace

std::string to_text(Power power) {
  switch (power) {
    case Power::off:
      return "off";
    case Power::on:
      return "on";
    case Power::unknown:
      return "unknown";
  }
  return "unknown";
}

Power read_power(base::Host& host, const base::FenceMethod& method, const std::string& target) {
  const auto outcome = host.run(command_for(method.status, method, target));
  if (!outcome.succeeded() || base::trim(outcome.output).empty()) return Power::unknown;
  return holds_word(outcome.output, method.off_when) ? Power::off : Power::on;
}

bool is_read_off(const Context& context) {
  return read_all(context).prove_off();
}

base::Finding FencePrimary::check() {
  const auto readings = read_all(context_);
  // Since it was written down somebody may have switched it on again.
  if (const auto note = read_note(context_, primary_off_note); note && !readings.says_on) {
    return {.state = State::done, .why = note->at("evidence"), .facts = {}};
  }
  const auto said = base::join(readings.sentences, ", ");
  base::Facts facts{{"readings", said}, {"not_off", base::join(readings.not_off, "\n")}};
  if (context_.site.fences.empty() && context_.statement.empty()) {
    return {.state = State::blocked, .why = "there is no way to prove it", .facts = facts};
  }
  return {
      .state = State::due, .why = said.empty() ? "only a statement says so" : said, .facts = facts};
}

base::Plan FencePrimary::plan(const base::Finding& found) const {
  std::vector<int> any_code;
  for (int code = 0; code < 256; ++code) any_code.push_back(code);
  base::Plan plan;
  const auto not_off = base::split(found.facts.at("not_off"), '\n');
  for (const auto& method : context_.site.fences) {
    if (std::find(not_off.begin(), not_off.end(), method.name) == not_off.end()) continue;
    plan.add(base::run_on(context_.here, "Switch " + context_.primary + " off by " + method.name,
                          command_for(method.off, method, context_.primary), any_code));
  }
  std::vector<std::string> words{"takeover", "record-off", "--epoch",
                                 std::to_string(context_.epoch)};
  if (!context_.statement.empty()) words.insert(words.end(), {"--statement", context_.statement});
  plan.add(base::run_on(context_.here, "Read the power state again and write down what it says",
                        context_.hamn(words)));
  return plan;
}

base::Plan FencePrimary::undo(const base::Finding& /*before*/) const {
  base::Plan plan;
  plan.add(base::run_on(context_.here, "Forget the note",
                        {.argv = {"rm", "-f", note_path(context_, primary_off_note)}}));
  return plan;
}

namespace {

/// A statement that the host is off is worth nothing while its kernel answers.
bool still_answers(const Context& context) {
  const auto& address = context.site.host(context.primary).address;
  const bool moved =
      address == context.site.service.address.address && context.holds_service_address();
  const auto liveness = classify(look_at_host(context.probes, context.interface(), address, moved));
  return liveness == Liveness::alive || liveness == Liveness::mostly_dead;
}

/// Reads the power state until a method says "off" or the time is over.
Readings read_until_off(const Context& context, base::Milliseconds limit) {
  const auto end = context.clock.steady() + limit;
  auto readings = read_all(context);
  while (!readings.prove_off() && !context.site.fences.empty() && context.clock.steady() < end) {
    base::stop_if_interrupted();
    context.clock.sleep(std::chrono::milliseconds{300});
    readings = read_all(context);
  }
  return readings;
}

/// The administrator's word, beside what the methods said. Throws Error if it does not count.
std::string stated(const Context& context, const Readings& readings, std::string evidence) {
  const bool answers = !context.statement.empty() && still_answers(context);
  if (answers) evidence += (evidence.empty() ? "" : ", ") + context.primary + " still answers";
  if (readings.says_off && readings.says_on) evidence += ": the methods contradict each other";
  if (context.statement.empty() || readings.says_on || answers) {
    throw base::Error{{.what = "nothing proves that " + context.primary + " is off",
                       .detail = evidence.empty() ? "no fence method is configured" : evidence,
                       .hint = "switch its power off by hand and see that it is off; then: hamn "
                               "failover --primary-is-off=" +
                               context.primary,
                       .code = base::Exit::refused}};
  }
  return context.operator_name + " stated: " + context.statement +
         (evidence.empty() ? "" : " (" + evidence + ")");
}

}  // namespace

std::string record_primary_off(const Context& context, base::Milliseconds limit) {
  const auto readings = read_until_off(context, limit);
  auto evidence = base::join(readings.sentences, ", ");
  if (!readings.prove_off()) evidence = stated(context, readings, evidence);
  const auto note =
      note_file(context, primary_off_note, {{"primary", context.primary}, {"evidence", evidence}});
  base::make_directories(note.path.substr(0, note.path.rfind('/')), 0700);
  context.local().write(note);
  return evidence;
}

}  // namespace hamn::takeover
