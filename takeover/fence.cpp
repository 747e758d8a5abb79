#include "takeover/fence.h"

#include "base/text.h"

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
  std::string off_by;  ///< the first method that read "off"
  bool says_on = false;
};

Readings read_all(const Context& context) {
  Readings readings;
  for (const auto& method : context.site.fences) {
    const auto power = read_power(context.local(), method, context.primary);
    readings.sentences.push_back(method.name + " reads " + to_text(power));
    if (power == Power::off && readings.off_by.empty()) readings.off_by = method.name;
    if (power == Power::on) readings.says_on = true;
  }
  return readings;
}

}  // namespace

std::string to_text(Power power) {
  switch (power) {
    case Power::off: return "off";
    case Power::on: return "on";
    case Power::unknown: return "unknown";
  }
  return "unknown";
}

Power read_power(base::Host& host, const base::FenceMethod& method, const std::string& target) {
  const auto outcome = host.run(command_for(method.status, method, target));
  if (!outcome.succeeded() || base::trim(outcome.output).empty()) return Power::unknown;
  return outcome.output.find(method.off_when) != std::string::npos ? Power::off : Power::on;
}

base::Finding FencePrimary::check() {
  if (const auto note = read_note(context_, primary_off_note)) {
    return {.state = State::done, .why = "recorded earlier: " + note->at("evidence"), .facts = {}};
  }
  const auto readings = read_all(context_);
  const auto said = base::join(readings.sentences, ", ");
  base::Facts facts{{"readings", said}};
  if (!readings.off_by.empty()) {
    return {.state = State::done, .why = readings.off_by + " reads that it is off", .facts = facts};
  }
  if (!context_.statement.empty() && !readings.says_on) {
    const auto why = context_.operator_name + " states: " + context_.statement +
                     (said.empty() ? "" : " (" + said + ")");
    return {.state = State::not_applicable, .why = why, .facts = facts};
  }
  if (context_.site.fences.empty()) {
    return {.state = State::blocked, .why = "there is no way to prove it", .facts = facts};
  }
  return {.state = State::due, .why = said, .facts = facts};
}

base::Plan FencePrimary::plan(const base::Finding& /*found*/) const {
  std::vector<int> any_code;
  for (int code = 0; code < 256; ++code) any_code.push_back(code);
  base::Plan plan;
  for (const auto& method : context_.site.fences) {
    plan.add(base::run_on(context_.here, "Switch " + context_.primary + " off by " + method.name,
                          command_for(method.off, method, context_.primary), any_code));
  }
  return plan;
}

base::Finding RecordPrimaryOff::check() {
  if (const auto note = read_note(context_, primary_off_note)) {
    return {.state = State::done, .why = note->at("evidence"), .facts = {}};
  }
  const auto readings = read_all(context_);
  if (!readings.off_by.empty()) {
    return {.state = State::due, .why = "not written down yet",
            .facts = {{"evidence", base::join(readings.sentences, ", ")}}};
  }
  if (!context_.statement.empty() && !readings.says_on) {
    return {.state = State::due, .why = "not written down yet",
            .facts = {{"evidence", context_.operator_name + " stated: " + context_.statement}}};
  }
  return {.state = State::blocked, .why = "nothing proves that it is off", .facts = {}};
}

base::Plan RecordPrimaryOff::plan(const base::Finding& found) const {
  base::Plan plan;
  plan.add(base::write_on(
      context_.here, "Write down why " + context_.primary + " counts as off",
      note_file(context_, primary_off_note,
                {{"primary", context_.primary}, {"evidence", found.facts.at("evidence")}})));
  return plan;
}

base::Plan RecordPrimaryOff::undo(const base::Finding& /*before*/) const {
  base::Plan plan;
  plan.add(base::run_on(context_.here, "Forget the note",
                        {.argv = {"rm", "-f", note_path(context_, primary_off_note)}}));
  return plan;
}

}  // namespace hamn::takeover
