// Programs that crontab lines put before rsync, from their manual pages.
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "cron/rsync_command.h"

namespace hamn::cron {

namespace {

struct Wrapper {
  std::string_view name;
  std::string_view letters_with_value;  ///< options whose value may be the next word
  std::size_t operands;                 ///< words of its own before the command
};

constexpr std::array wrappers{
    Wrapper{"nice", "n", 0},         Wrapper{"ionice", "cn", 0},        Wrapper{"flock", "wEc", 1},
    Wrapper{"timeout", "ks", 1},     Wrapper{"sudo", "ugCpRTh", 0},     Wrapper{"env", "uCS", 0},
    Wrapper{"nohup", "", 0},         Wrapper{"setsid", "", 0},          Wrapper{"time", "fo", 0},
    Wrapper{"exec", "a", 0},         Wrapper{"command", "", 0},         Wrapper{"stdbuf", "ioe", 0},
    Wrapper{"chronic", "", 0},       Wrapper{"cronic", "", 0},          Wrapper{"run-one", "", 0},
    Wrapper{"systemd-cat", "tp", 0}, Wrapper{"systemd-inhibit", "", 0}, Wrapper{"chrt", "TPD", 1},
    Wrapper{"setlock", "", 1},       Wrapper{"lockrun", "", 0},         Wrapper{"sh", "o", 0},
    Wrapper{"bash", "o", 0},         Wrapper{"dash", "o", 0},           Wrapper{"ksh", "o", 0}};

bool is_shell(std::string_view name) {
  return name == "sh" || name == "bash" || name == "dash" || name == "ksh";
}

bool is_assignment(const std::string& word) {
  const auto equals = word.find('=');
  return equals != std::string::npos && equals > 0 &&
         word.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == equals;
}

/// The line of `sh -c LINE` or `flock FILE -c LINE` among the words, or where the command begins.
struct Inside {
  std::optional<std::string> line;
  std::size_t begin = 0;
};

bool is_option(const std::string& word) {
  return word.size() >= 2 && word.front() == '-';
}

/// True if the words after the option are a line for a shell.
bool takes_line(const Wrapper& wrapper, const std::string& option) {
  if (!is_shell(wrapper.name) && wrapper.name != "flock") return false;
  return option == "--command" || (option.back() == 'c' && !option.starts_with("--"));
}

bool takes_next_word(const Wrapper& wrapper, const std::string& option) {
  return option.size() == 2 && wrapper.letters_with_value.find(option[1]) != std::string_view::npos;
}

Inside look_inside(const Wrapper& wrapper, const std::vector<ShellWord>& words, std::size_t at) {
  auto operands = wrapper.operands;
  for (; at < words.size() && words[at].text != "--"; ++at) {
    const auto& word = words[at].text;
    if (wrapper.name == "env" && is_assignment(word)) continue;
    if (!is_option(word)) {
      if (operands == 0) return {.line = {}, .begin = at};
      --operands;
      continue;
    }
    if (takes_line(wrapper, word) && at + 1 < words.size()) {
      return {.line = words[at + 1].text, .begin = words.size()};
    }
    if (takes_next_word(wrapper, word)) ++at;
  }
  at = std::min(at + 1, words.size());  // behind "--"
  return {.line = {}, .begin = std::min(at + operands, words.size())};
}

}  // namespace

ShellLine unwrap(const ShellCommand& command, const std::map<std::string, std::string>& variables,
                 std::vector<std::string>& notes) {
  auto known = variables;
  auto words = command.words;
  while (!words.empty()) {
    if (is_assignment(words.front().text)) {
      const auto& text = words.front().text;
      known[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
      words.erase(words.begin());
      continue;
    }
    const auto& first = words.front().text;
    const auto name = first.substr(first.rfind('/') + 1);
    const auto* wrapper = std::find_if(wrappers.begin(), wrappers.end(),
                                       [&](const Wrapper& each) { return each.name == name; });
    if (wrapper == wrappers.end()) break;
    const auto inside = look_inside(*wrapper, words, 1);
    if (inside.line) {
      auto line = read_shell_line(*inside.line, known);
      ShellLine all{.commands = {}, .problems = line.problems};
      for (const auto& each : line.commands) {
        auto part = unwrap(each, known, notes);
        all.problems.insert(all.problems.end(), part.problems.begin(), part.problems.end());
        all.commands.insert(all.commands.end(), part.commands.begin(), part.commands.end());
      }
      return all;
    }
    if (is_shell(name)) break;  // a script
    if (name == "timeout")
      notes.emplace_back("timeout: hamn gives up after 60 s without an answer");
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(inside.begin));
  }
  auto bare = command;
  bare.words = std::move(words);
  return {.commands = {std::move(bare)}, .problems = {}};
}

}  // namespace hamn::cron
