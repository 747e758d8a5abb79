#include "tests/support/scripted_host.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"

namespace hamn::test {

namespace {

/// The rule with the longest prefix of `argv`.
template <typename Rules>
auto find_rule(const Rules& rules, const ScriptedHost::Argv& argv) {
  auto best = rules.end();
  for (auto rule = rules.begin(); rule != rules.end(); ++rule) {
    const auto& prefix = rule->first;
    const bool fits =
        prefix.size() <= argv.size() && std::equal(prefix.begin(), prefix.end(), argv.begin());
    if (fits && (best == rules.end() || prefix.size() > best->first.size())) best = rule;
  }
  return best;
}

bool is_same_work(const base::Command& a, const base::Command& b) {
  return a.argv == b.argv && a.input == b.input && a.environment == b.environment &&
         a.user == b.user;
}

std::string size_text(const std::string& content) {
  return std::to_string(content.size()) + " bytes";
}

}  // namespace

ScriptedHost::~ScriptedHost() {
  if (expected_.empty() || std::uncaught_exceptions() > 0) return;
  std::string left;
  for (const auto& each : expected_) left += "\n  " + each.text;
  ADD_FAILURE() << "on " << name_ << ", these calls never came:" << left << "\n" << transcript();
}

ScriptedHost& ScriptedHost::expect_run(const Argv& argv, base::Outcome outcome) {
  return expect_run(argv, [outcome = std::move(outcome)](const base::Command&) { return outcome; });
}

ScriptedHost& ScriptedHost::expect_run(const Argv& argv, Answer answer) {
  expected_.push_back({.verb = Verb::run,
                       .text = "run " + base::shell_line(argv),
                       .argv = argv,
                       .answer = std::move(answer)});
  return *this;
}

ScriptedHost& ScriptedHost::expect_command(const base::Command& command, base::Outcome outcome) {
  expect_run(command.argv, std::move(outcome));
  expected_.back().text = "run " + base::to_text(command);
  expected_.back().command = command;
  return *this;
}

ScriptedHost& ScriptedHost::expect_read(const std::string& path,
                                        std::optional<std::string> content) {
  expected_.push_back({.verb = Verb::read,
                       .text = "read " + path,
                       .content = std::move(content),
                       .file = {.path = path, .content = {}}});
  return *this;
}

ScriptedHost& ScriptedHost::expect_write(const base::FileWrite& file) {
  expected_.push_back({.verb = Verb::write, .text = "write " + file.path, .file = file});
  return *this;
}

ScriptedHost& ScriptedHost::expect_open(const Argv& argv, std::unique_ptr<base::Stream> stream) {
  expected_.push_back({.verb = Verb::open,
                       .text = "open " + base::shell_line(argv),
                       .argv = argv,
                       .stream = std::move(stream)});
  return *this;
}

ScriptedHost& ScriptedHost::answer(const Argv& prefix, base::Outcome outcome) {
  return answer(prefix, [outcome = std::move(outcome)](const base::Command&) { return outcome; });
}

ScriptedHost& ScriptedHost::answer(const Argv& prefix, Answer answer) {
  answers_[prefix] = std::move(answer);
  return *this;
}

ScriptedHost& ScriptedHost::answer_open(
    const Argv& prefix, std::function<std::unique_ptr<base::Stream>(const base::Command&)> open) {
  streams_[prefix] = std::move(open);
  return *this;
}

ScriptedHost& ScriptedHost::given_file(const std::string& path, const std::string& content) {
  has_files_ = true;
  files_[path] = content;
  return *this;
}

ScriptedHost& ScriptedHost::given_no_files() {
  has_files_ = true;
  return *this;
}

std::string ScriptedHost::transcript() const {
  if (transcript_.empty()) return "nothing was asked of " + name_ + " before";
  std::string text = "asked of " + name_ + " so far:";
  for (const auto& line : transcript_) text += "\n  " + line;
  return text;
}

bool ScriptedHost::is_next(Verb verb) const {
  return !expected_.empty() && expected_.front().verb == verb;
}

bool ScriptedHost::is_next_command(Verb verb, const base::Command& command) const {
  if (!is_next(verb)) return false;
  const auto& next = expected_.front();
  return next.command ? is_same_work(*next.command, command) : next.argv == command.argv;
}

ScriptedHost::Expectation ScriptedHost::take_next() {
  auto next = std::move(expected_.front());
  expected_.pop_front();
  return next;
}

void ScriptedHost::fail(const std::string& call) {
  const auto next = expected_.empty() ? "nothing" : expected_.front().text;
  const auto text =
      "on " + name_ + ", unexpected: " + call + "\nexpected next: " + next + "\n" + transcript();
  ADD_FAILURE() << text;
  throw UnexpectedCall{text};
}

base::Outcome ScriptedHost::run(const base::Command& command) {
  const auto call = "run " + base::to_text(command);
  Answer answer;
  if (is_next_command(Verb::run, command)) {
    answer = take_next().answer;
  } else if (const auto rule = find_rule(answers_, command.argv); rule != answers_.end()) {
    answer = rule->second;
  } else {
    fail(call);
  }
  auto outcome = answer(command);
  note(call + ": " + base::describe(outcome, command));
  return outcome;
}

std::unique_ptr<base::Stream> ScriptedHost::open(const base::Command& command) {
  const auto call = "open " + base::to_text(command);
  if (is_next_command(Verb::open, command)) {
    note(call);
    return take_next().stream;
  }
  const auto rule = find_rule(streams_, command.argv);
  if (rule == streams_.end()) fail(call);
  note(call);
  return rule->second(command);
}

std::optional<std::string> ScriptedHost::read(const std::string& path, std::uint64_t limit_bytes) {
  const auto call = "read " + path;
  std::optional<std::string> content;
  if (is_next(Verb::read) && expected_.front().file.path == path) {
    content = take_next().content;
  } else if (has_files_) {
    const auto found = files_.find(path);
    if (found != files_.end()) content = found->second;
  } else {
    fail(call);
  }
  note(call + ": " + (content ? size_text(*content) : "no such file"));
  if (content && content->size() > limit_bytes) fail(call + " beyond its limit");
  return content;
}

void ScriptedHost::write(const base::FileWrite& file) {
  const auto call = "write " + file.path + " (" + size_text(file.content) + ")";
  if (is_next(Verb::write) && expected_.front().file.path == file.path) {
    const auto wanted = take_next().file;
    EXPECT_EQ(wanted.content, file.content) << "content of " << file.path << " on " << name_;
    EXPECT_TRUE(wanted == file) << "mode, owner or secrecy of " << file.path << " on " << name_;
  } else if (!has_files_) {
    fail(call);
  }
  if (has_files_) files_[file.path] = file.content;
  note(call);
}

base::Outcome printed(const std::string& output) {
  return {.output = output, .error_output = {}};
}

base::Outcome failed(int exit_code, const std::string& error_output) {
  return {.exit_code = exit_code, .output = {}, .error_output = error_output};
}

}  // namespace hamn::test
