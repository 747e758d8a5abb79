#include "base/command.h"

#include "base/text.h"

namespace hamn::base {

std::string to_text(const Command& command) {
  std::vector<std::string> words;
  if (!command.user.empty()) words = {"runuser", "-u", command.user, "--"};
  if (!command.environment.empty()) {
    words.emplace_back("env");
    for (const auto& [name, value] : command.environment) words.push_back(name + "=…");
  }
  words.insert(words.end(), command.argv.begin(), command.argv.end());
  std::string line;
  for (const auto& word : words) {
    if (!line.empty()) line += " ";
    line += word.ends_with("=…") ? word : shell_word(word);
  }
  return line;
}

std::string describe(const Outcome& outcome, const Command& command) {
  if (outcome.timed_out) return "did not end within " + human_duration(command.time_limit);
  std::string text;
  if (outcome.exit_code == 127) {
    text = "is not installed or did not start";
  } else if (outcome.exit_code > 128) {
    text = "was killed by signal " + std::to_string(outcome.exit_code - 128);
  } else {
    text = "exited " + std::to_string(outcome.exit_code);
  }
  const auto lines =
      lines_of(trim(outcome.error_output).empty() ? outcome.output : outcome.error_output);
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (!trim(*line).empty()) return text + ": " + printable(trim(*line));
  }
  return text;
}

}  // namespace hamn::base
