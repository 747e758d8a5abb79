#include "base/command.h"

#include "base/text.h"

namespace hamn::base {

namespace {

constexpr int largest_signal = 64;

}  // namespace

std::string to_text(const Command& command) {
  std::string line;
  if (!command.user.empty()) line += "runuser -u " + shell_word(command.user) + " -- ";
  if (!command.environment.empty()) {
    line += "env ";
    for (const auto& [name, value] : command.environment) line += shell_word(name) + "=… ";
  }
  return line + shell_line(command.argv);
}

std::string describe(const Outcome& outcome, const Command& command) {
  if (outcome.timed_out) return "did not end within " + human_duration(command.time_limit);
  std::string text;
  if (outcome.exit_code == 127) {
    text = "is not installed or did not start";
  } else if (outcome.exit_code > 128 && outcome.exit_code <= 128 + largest_signal) {
    text = "was killed by signal " + std::to_string(outcome.exit_code - 128);
  } else {
    text = "exited " + std::to_string(outcome.exit_code);
  }
  const auto lines =
      lines_of(trim(outcome.error_output).empty() ? outcome.output : outcome.error_output);
  // hamn's own errors say what happened in their first line and why in the second.
  for (auto line = lines.begin(); line != lines.end(); ++line) {
    if (!line->starts_with("hamn: ")) continue;
    const auto next = line + 1;
    const bool has_detail = next != lines.end() && next->starts_with("  detail: ");
    return text + ": " + printable(line->substr(6) + (has_detail ? ": " + next->substr(10) : ""));
  }
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (!trim(*line).empty()) return text + ": " + printable(trim(*line));
  }
  return text;
}

}  // namespace hamn::base
