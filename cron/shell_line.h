#pragma once

#include <map>
#include <string>
#include <vector>

namespace hamn::cron {

/// One word of a shell command after quotes and variables.
struct ShellWord {
  std::string text;
  bool has_pattern = false;  ///< holds an unquoted `*`, `?` or `[`: the shell would look for files
};

/// A simple command of a shell line, with what comes around it.
struct ShellCommand {
  std::vector<ShellWord> words;
  std::string joined_by;                  ///< what stands before it: "", "&&", "||", ";", "|", "&"
  std::vector<std::string> redirections;  ///< "> /dev/null"

  [[nodiscard]] std::string text() const;
};

/// A line as a POSIX shell splits it.
struct ShellLine {
  std::vector<ShellCommand> commands;
  std::vector<std::string> problems;  ///< what this reader does not understand
};

/// Splits a line as sh does: quotes, backslashes, `$NAME`, `${NAME}` and `~` from `variables`,
/// operators, redirections. Nothing is run: command substitution, arithmetic and unknown variables
/// are problems. Round brackets and braces around commands are read as if they were not there.
/// Pure.
[[nodiscard]] ShellLine read_shell_line(const std::string& text,
                                        const std::map<std::string, std::string>& variables);

}  // namespace hamn::cron
