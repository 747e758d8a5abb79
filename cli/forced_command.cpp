#include "cli/forced_command.h"

#include <algorithm>

#include "base/remote_host.h"
#include "base/text.h"

namespace hamn::cli {

namespace {

constexpr std::size_t tag_size = 16;

/// Takes `part` off the front of `rest`; false if it does not stand there.
bool take(std::string_view& rest, std::string_view part) {
  if (!rest.starts_with(part)) return false;
  rest.remove_prefix(part.size());
  return true;
}

/// Words of an authorized_keys line; blanks within double quotes do not part them.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      word += line[++i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == ' ' || c == '\t')) {
      if (!word.empty()) words.push_back(std::move(word));
      word.clear();
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

bool is_key_type(const std::string& word) {
  return word.starts_with("ssh-") || word.starts_with("ecdsa-sha2-") || word.starts_with("sk-");
}

bool is_from_hamn(const std::string& line) {
  return line.starts_with("restrict,command=\"") &&
         line.find(" receive --forced\" ") != std::string::npos;
}

}  // namespace

const std::vector<std::vector<std::string>>& commands_for_a_standby() {
  static const std::vector<std::vector<std::string>> commands{
      {"receive"}, {"db", "points", "--json"}, {"db", "accept"}};
  return commands;
}

std::optional<ForcedCommand> recognise(const std::string& original_command,
                                       const std::vector<std::string>& program) {
  for (const auto& arguments : commands_for_a_standby()) {
    auto argv = program;
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const auto line = base::remote_line({.argv = argv});
    std::string_view rest = original_command;
    if (take(rest, line)) {
      if (rest == "; exit $?") return ForcedCommand{.arguments = arguments, .tag = {}};
      continue;
    }
    if (!take(rest, "echo hamn-start ")) continue;
    const std::string tag{rest.substr(0, tag_size)};
    const bool is_tag =
        tag.size() == tag_size && tag.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!is_tag || !take(rest, tag) || !take(rest, " $$; ") || !take(rest, line)) continue;
    if (rest ==
        "; hamn_code=$?; printf '\\nhamn-end " + tag + " %d\\n' $hamn_code >&2; exit $hamn_code") {
      return ForcedCommand{.arguments = arguments, .tag = tag};
    }
  }
  return std::nullopt;
}

std::optional<std::string> key_of(const std::string& line) {
  const auto words = words_of(base::trim(line));
  if (words.empty() || words.front().starts_with("#")) return std::nullopt;
  for (std::size_t i = 0; i + 1 < words.size() && i < 2; ++i) {
    if (!is_key_type(words[i])) continue;
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    const auto& blob = words[i + 1];
    if (blob.size() < 32 || blob.find_first_not_of(letters) != std::string::npos) continue;
    return words[i] + " " + blob;
  }
  return std::nullopt;
}

std::string authorized_line(const std::string& key, const std::vector<std::string>& program,
                            const std::string& comment) {
  auto words = program;
  words.insert(words.end(), {"receive", "--forced"});
  std::string command;
  for (const char c : base::shell_line(words)) {
    if (c == '"') command += '\\';
    command += c;
  }
  return "restrict,command=\"" + command + "\" " + key + " " + comment;
}

AuthorizedKeys authorize(const std::string& text, const std::string& line, bool replace) {
  AuthorizedKeys result;
  const auto key = key_of(line);
  bool done = false;
  for (const auto& each : base::lines_of(text)) {
    if (key_of(each) != key || !key) {
      result.text += each + "\n";
      continue;
    }
    if (!is_from_hamn(each) && result.other_line.empty()) result.other_line = each;
    if (!is_from_hamn(each) && !replace) {
      result.text += each + "\n";
    } else if (!done) {
      result.text += line + "\n";
      done = true;
    }
  }
  if (!done) result.text += line + "\n";
  return result;
}

}  // namespace hamn::cli
