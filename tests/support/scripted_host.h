#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/host.h"

namespace hamn::test {

/// Thrown for a call that a ScriptedHost did not expect. Not a base::Error, so that no code under
/// test handles it.
class UnexpectedCall : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// A host that does nothing, and knows beforehand what it will be asked.
///
/// Expectations (`expect_…`) are met in their order, each once; what is left over at the end fails
/// the test. Rules (`answer…`, `given_file`) answer any number of calls in any order, for simulated
/// worlds. A call is answered by the next expectation if it fits, else by the rule with the longest
/// fitting prefix, else it fails the test, with the transcript so far, and throws UnexpectedCall.
class ScriptedHost : public base::Host {
 public:
  using Argv = std::vector<std::string>;
  using Answer = std::function<base::Outcome(const base::Command&)>;

  explicit ScriptedHost(std::string name) : name_(std::move(name)) {}
  ScriptedHost(const ScriptedHost&) = delete;
  ScriptedHost& operator=(const ScriptedHost&) = delete;
  ~ScriptedHost() override;

  // Expectations.
  ScriptedHost& expect_run(const Argv& argv, base::Outcome outcome = {});
  ScriptedHost& expect_run(const Argv& argv, Answer answer);
  /// Compares argv, input, environment and user; the limits are left to the code under test.
  ScriptedHost& expect_command(const base::Command& command, base::Outcome outcome = {});
  ScriptedHost& expect_read(const std::string& path, std::optional<std::string> content);
  ScriptedHost& expect_write(const base::FileWrite& file);
  ScriptedHost& expect_open(const Argv& argv, std::unique_ptr<base::Stream> stream);

  // Rules.
  /// Commands whose first words are `prefix`.
  ScriptedHost& answer(const Argv& prefix, base::Outcome outcome);
  ScriptedHost& answer(const Argv& prefix, Answer answer);
  ScriptedHost& answer_open(
      const Argv& prefix, std::function<std::unique_ptr<base::Stream>(const base::Command&)> open);
  /// From now on this host has files: reading any other path finds nothing, writing keeps.
  ScriptedHost& given_file(const std::string& path, const std::string& content);
  ScriptedHost& given_no_files();
  [[nodiscard]] const std::map<std::string, std::string>& files() const { return files_; }

  /// One line per call so far: "run systemctl stop xcatd: exited 0".
  [[nodiscard]] std::string transcript() const;

  [[nodiscard]] std::string name() const override { return name_; }
  base::Outcome run(const base::Command& command) override;
  [[nodiscard]] std::unique_ptr<base::Stream> open(const base::Command& command) override;
  [[nodiscard]] std::optional<std::string> read(const std::string& path,
                                                std::uint64_t limit_bytes) override;
  void write(const base::FileWrite& file) override;

 private:
  enum class Verb { run, read, write, open };
  struct Expectation {
    Verb verb = Verb::run;
    std::string text;                      ///< as the transcript shows it
    std::optional<base::Command> command;  ///< compared with the whole command
    Argv argv;
    Answer answer;
    std::optional<std::string> content;
    base::FileWrite file;
    std::unique_ptr<base::Stream> stream;
  };

  [[nodiscard]] bool is_next(Verb verb) const;
  [[nodiscard]] bool is_next_command(Verb verb, const base::Command& command) const;
  Expectation take_next();
  [[noreturn]] void fail(const std::string& call);
  void note(const std::string& line) { transcript_.push_back(line); }

  std::string name_;
  std::deque<Expectation> expected_;
  std::map<Argv, Answer> answers_;
  std::map<Argv, std::function<std::unique_ptr<base::Stream>(const base::Command&)>> streams_;
  bool has_files_ = false;
  std::map<std::string, std::string> files_;
  std::vector<std::string> transcript_;
};

/// What a command printed that ended well: `printed("active\n")`.
[[nodiscard]] base::Outcome printed(const std::string& output);
/// What a command said that failed: `failed(5, "Unit not found.\n")`.
[[nodiscard]] base::Outcome failed(int exit_code, const std::string& error_output = "");

}  // namespace hamn::test
