#include "cron/shell_line.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace hamn::cron {

namespace {

bool is_name_byte(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// One pass over the text of a line.
class Reader {
 public:
  Reader(std::string_view text, const std::map<std::string, std::string>& variables)
      : text_(text), variables_(variables) {}

  ShellLine read() {
    commands_.emplace_back();
    while (at_ < text_.size() && problems_.empty()) step();
    end_word();
    if (!wanted_target_.empty()) complain("a redirection leads nowhere");
    std::erase_if(commands_, [](const ShellCommand& each) { return each.words.empty(); });
    return {.commands = std::move(commands_), .problems = std::move(problems_)};
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == ' ' || c == '\t') {
      ++at_;
      end_word();
    } else if (c == '#' && !in_word_) {
      at_ = text_.size();
    } else if (c == '\'') {
      single_quoted();
    } else if (c == '"') {
      double_quoted();
    } else if (c == '\\') {
      backslash();
    } else if (c == '$' || c == '`') {
      expand();
    } else if (std::string_view{";&|()"}.find(c) != std::string_view::npos) {
      control(c);
    } else if (c == '<' || c == '>') {
      redirect();
    } else {
      plain(c);
    }
  }

  void plain(char c) {
    if (c == '~' && !in_word_ && variables_.contains("HOME") &&
        (at_ + 1 == text_.size() ||
         std::string_view{"/ \t;&|"}.find(text_[at_ + 1]) != std::string_view::npos)) {
      word_.text += variables_.at("HOME");
    } else {
      if (c == '*' || c == '?' || c == '[') word_.has_pattern = true;
      word_.text += c;
    }
    in_word_ = true;
    ++at_;
  }

  void single_quoted() {
    const auto end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) return complain("a quote is not closed");
    word_.text += text_.substr(at_ + 1, end - at_ - 1);
    in_word_ = true;
    at_ = end + 1;
  }

  void double_quoted() {
    in_word_ = true;
    for (++at_; at_ < text_.size() && problems_.empty();) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return;
      }
      if (c == '$' || c == '`') {
        expand();
      } else if (c == '\\' && at_ + 1 < text_.size() &&
                 std::string_view{"$`\"\\"}.find(text_[at_ + 1]) != std::string_view::npos) {
        word_.text += text_[at_ + 1];
        at_ += 2;
      } else {
        word_.text += c;
        ++at_;
      }
    }
    if (problems_.empty()) complain("a quote is not closed");
  }

  void backslash() {
    if (at_ + 1 == text_.size()) {
      return complain(
          "it ends with a backslash, but a crontab line does not go on in the next one");
    }
    word_.text += text_[at_ + 1];
    in_word_ = true;
    at_ += 2;
  }

  void expand() {
    in_word_ = true;
    if (text_[at_] == '`' || text_.substr(at_).starts_with("$(")) {
      return complain("it puts the output of another command into the line");
    }
    auto from = at_ + 1;
    const bool braces = from < text_.size() && text_[from] == '{';
    if (braces) ++from;
    auto end = from;
    while (end < text_.size() && is_name_byte(text_[end])) ++end;
    const std::string name{text_.substr(from, end - from)};
    if (name.empty() && !braces) {
      word_.text += '$';
      ++at_;
      return;
    }
    if (braces && (end == text_.size() || text_[end] != '}')) {
      return complain("it uses ${…} in a way that only a shell can work out");
    }
    const auto found = variables_.find(name);
    if (found == variables_.end()) {
      return complain("the variable " + base::printable(name) + " is not set in the crontab");
    }
    word_.text += found->second;
    at_ = end + (braces ? 1 : 0);
  }

  void control(char c) {
    end_word();
    ++at_;
    if (c == '(' || c == ')') return;
    std::string sign(1, c);
    if (at_ < text_.size() && text_[at_] == c && c != ';') {
      sign += c;
      ++at_;
    }
    commands_.emplace_back();
    commands_.back().joined_by = sign;
  }

  void redirect() {
    // Digits right before the sign belong to it: 2>file.
    std::string sign;
    if (in_word_ && !word_.text.empty() &&
        word_.text.find_first_not_of("0123456789") == std::string::npos) {
      sign = word_.text;
      word_ = {};
      in_word_ = false;
    }
    end_word();
    while (at_ < text_.size() && (text_[at_] == '<' || text_[at_] == '>' || text_[at_] == '&')) {
      sign += text_[at_++];
    }
    wanted_target_ = sign;
  }

  void end_word() {
    if (!in_word_) return;
    auto& command = commands_.back();
    if (!wanted_target_.empty()) {
      command.redirections.push_back(wanted_target_ + " " + word_.text);
      wanted_target_.clear();
    } else if ((word_.text != "{" && word_.text != "}") || word_.has_pattern) {
      command.words.push_back(std::move(word_));
    }
    word_ = {};
    in_word_ = false;
  }

  void complain(const std::string& problem) {
    problems_.push_back(problem);
    at_ = text_.size();
  }

  std::string_view text_;
  const std::map<std::string, std::string>& variables_;
  std::size_t at_ = 0;
  ShellWord word_;
  bool in_word_ = false;
  std::string wanted_target_;  ///< sign of a redirection whose file comes next
  std::vector<ShellCommand> commands_;
  std::vector<std::string> problems_;
};

}  // namespace

std::string ShellCommand::text() const {
  std::vector<std::string> shown;
  shown.reserve(words.size());
  for (const auto& word : words) {
    shown.push_back(word.has_pattern ? word.text : base::shell_word(word.text));
  }
  return base::join(shown, " ");
}

ShellLine read_shell_line(const std::string& text,
                          const std::map<std::string, std::string>& variables) {
  return Reader{text, variables}.read();
}

}  // namespace hamn::cron
