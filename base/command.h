#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"

namespace hamn::base {

/// A program with its arguments. Never a shell string: nothing expands, nothing is split.
struct Command {
  std::vector<std::string> argv;  ///< argv[0] is looked up in PATH if it holds no slash
  /// Standard input. May hold secrets: it is never shown, logged or journaled.
  std::string input = {};
  /// Added to the environment. Values are never shown, only names.
  std::map<std::string, std::string> environment = {};
  /// After this the process group is killed.
  Milliseconds time_limit = std::chrono::minutes{1};
  std::string user = {};  ///< run as this user; empty: as the user of this process
  std::uint64_t output_limit_bytes = 4ULL << 20U;  ///< per stream; what comes after it is dropped

  /// A first request to stop waits until the command ended: half a change is worse than a late
  /// stop.
  bool sees_to_its_end = false;

  friend bool operator==(const Command&, const Command&) = default;
};

/// What came of a Command. An answer, not an error: whoever asked judges it.
struct [[nodiscard]] Outcome {
  int exit_code = 0;  ///< 128 + n if signal n ended it; 127 if there is no such program
  bool timed_out = false;
  bool truncated = false;  ///< output beyond output_limit_bytes was dropped
  std::string output;
  std::string error_output;
  Milliseconds elapsed{0};

  [[nodiscard]] bool succeeded() const noexcept { return exit_code == 0 && !timed_out; }
};

/// Tells from what a command wrote so far that it is over although its process still lives, as an
/// ssh child does whose other side keeps its output open.
using IsOver = std::function<bool(const Outcome& so_far)>;

/// The command as a person would type it, without input and without environment values.
[[nodiscard]] std::string to_text(const Command& command);

/// "exited 1: last line of its error output", "did not end within 1 min",
/// "was killed by signal 9".
[[nodiscard]] std::string describe(const Outcome& outcome, const Command& command);

}  // namespace hamn::base
