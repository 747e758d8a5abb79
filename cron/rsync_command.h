#pragma once

#include <string>
#include <vector>

#include "cron/shell_line.h"

namespace hamn::cron {

/// A place that rsync reads from or writes to.
struct RsyncPlace {
  std::string user;
  std::string host;  ///< empty: this host
  std::string path;
  bool is_daemon = false;    ///< host::module or rsync://
  bool has_pattern = false;  ///< a shell expands it first

  [[nodiscard]] std::string text() const;
};

/// One --exclude, --include, --filter, --exclude-from or --include-from.
struct RsyncFilter {
  enum class Kind { exclude, include, exclude_file, include_file, other };
  Kind kind = Kind::exclude;
  std::string pattern;
};

/// A call of rsync: what it copies where, and what its options do that hamn does otherwise.
struct RsyncCommand {
  std::vector<RsyncPlace> sources;
  RsyncPlace destination;
  std::vector<RsyncFilter> filters;
  bool recursive = false;
  bool relative = false;       ///< -R: the whole source path arrives below the destination
  bool follows_links = false;  ///< -L
  bool keeps_links = false;    ///< links as links: what a faithful set does
  bool deletes = false;        ///< --delete and its kinds
  bool protects_more = false;  ///< names that hamn would delete: -C, -F, -b
  std::vector<std::string> differences;  ///< sentences: what hamn does otherwise
  std::vector<std::string> obstacles;    ///< why this call cannot become a file set
};

/// Reads the words after "rsync" as its own parser does. Pure.
[[nodiscard]] RsyncCommand read_rsync_command(const std::vector<ShellWord>& words);

/// Takes wrappers off a command: nice, flock, timeout, sudo, env and the like, and `sh -c`, whose
/// line is read again. The answer is the commands inside; one that wraps nothing is given back as
/// it is. What a wrapper did is told in `notes`. Pure.
[[nodiscard]] ShellLine unwrap(const ShellCommand& command,
                               const std::map<std::string, std::string>& variables,
                               std::vector<std::string>& notes);

}  // namespace hamn::cron
