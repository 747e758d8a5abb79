#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/command.h"
#include "base/host.h"

namespace hamn::base {

/// Named values, all of them text: what was seen, in a form that can be journaled and compared.
using Facts = std::map<std::string, std::string>;

/// The five verdicts of looking. One fixed list for code, output, JSON and docs.
enum class State { due, done, blocked, unknown, not_applicable };
[[nodiscard]] std::string to_text(State state);

/// What somebody saw who looked and changed nothing.
///
/// `why` is a sentence for people. "No" is a Finding; not being able to find out is an Error, or
/// State::unknown where a caller has to weigh it. Unknown is never permission.
struct [[nodiscard]] Finding {
  State state = State::unknown;
  std::string why;
  Facts facts = {};

  friend bool operator==(const Finding&, const Finding&) = default;
};

/// Runs a command and expects one of `accepted` exit codes.
struct RunCommand {
  Command command;
  std::vector<int> accepted = {0};

  friend bool operator==(const RunCommand&, const RunCommand&) = default;
};

/// One thing to do on one host: plain data that can be printed, compared, journaled, and carried
/// out by hand.
struct Action {
  std::string sentence;  ///< imperative, one line: "Bring up 10.77.0.11 on eth0"
  std::string host;
  std::variant<RunCommand, FileWrite> act;

  friend bool operator==(const Action&, const Action&) = default;
};

/// The two kinds of action, made in one line.
[[nodiscard]] Action run_on(const std::string& host, const std::string& sentence, Command command,
                            std::vector<int> accepted = {0});
[[nodiscard]] Action write_on(const std::string& host, const std::string& sentence, FileWrite file);

/// Actions in their order. Equal plans have equal digests; what `--plan` prints is what runs.
struct Plan {
  std::vector<Action> actions;

  void add(Action action) { actions.push_back(std::move(action)); }
  void append(const Plan& more);
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// The command line or file write of an action, as an operator could type it. No secrets.
[[nodiscard]] std::string to_text(const Action& action);
/// SHA-256 over everything that an action would do, secrets included.
[[nodiscard]] std::string digest(const Plan& plan);

}  // namespace hamn::base
