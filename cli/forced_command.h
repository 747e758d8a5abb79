#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hamn::cli {

/// A command line of the other management node that was recognised, word for word, as one of those
/// that hamn sends itself.
struct ForcedCommand {
  std::vector<std::string> arguments;  ///< for hamn: {"receive"}
  std::string tag;  ///< of the marks around a command that is run to its end; empty: a stream
};

/// What the primary's hamn runs on its standby: "receive", "db points --json", "db accept". All
/// other commands of a primary run on the primary.
[[nodiscard]] const std::vector<std::vector<std::string>>& commands_for_a_standby();

/// Compares SSH_ORIGINAL_COMMAND with the lines that base::RemoteHost makes of these commands when
/// hamn is called as `program`. Nothing is parsed or expanded: any other byte, and it is none of
/// them. Pure.
[[nodiscard]] std::optional<ForcedCommand> recognise(const std::string& original_command,
                                                     const std::vector<std::string>& program);

/// One public key of authorized_keys(5): "ssh-ed25519 AAAA…" without options and comment.
/// Nothing if the line holds none. Pure.
[[nodiscard]] std::optional<std::string> key_of(const std::string& line);

/// The line that lets `key` run `program` "receive --forced" and nothing else. Pure.
[[nodiscard]] std::string authorized_line(const std::string& key,
                                          const std::vector<std::string>& program,
                                          const std::string& comment);

/// What an authorized_keys file becomes with `line`.
struct AuthorizedKeys {
  std::string text;
  /// Another line lets the same key do more; it is replaced only if that was asked for.
  std::string other_line;

  friend bool operator==(const AuthorizedKeys&, const AuthorizedKeys&) = default;
};

/// Adds `line`, or puts it in place of an older line of hamn's for the same key; everything else
/// stays byte for byte. A line for the same key that is not hamn's is told, and replaced if
/// `replace`. Pure.
[[nodiscard]] AuthorizedKeys authorize(const std::string& text, const std::string& line,
                                       bool replace);

}  // namespace hamn::cli
