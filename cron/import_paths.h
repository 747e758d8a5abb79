#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cron/rsync_command.h"

namespace hamn::cron {

/// `path` seen from `directory`, without "." and "..", doubled slashes and a slash at the end.
/// Pure.
[[nodiscard]] std::string absolute_path(const std::string& path, const std::string& directory);

/// What a call of rsync copies, as paths of a file set: the same on both hosts.
struct ImportedPaths {
  std::vector<std::string> paths;
  std::vector<std::string> tops;  ///< per path, what a leading '/' of a filter stands for
  std::vector<std::string> problems;
  std::vector<std::string> differences;
};

/// Sources that arrive under the same path become paths of a set; each other one is a problem.
/// Knows what a slash at the end means, -R, and the copy "install" into "/install" that
/// `rsync /install mn2:/install` makes. Pure but for `is_directory`.
[[nodiscard]] ImportedPaths find_paths(const RsyncCommand& command, const std::string& directory,
                                       const std::string& home,
                                       const std::function<bool(const std::string&)>& is_directory);

/// The filter of a set as its `exclude` has it ("+ " in front of what is let in), and what could
/// not be said with it.
struct ImportedExcludes {
  std::vector<std::string> patterns;
  std::vector<std::string> differences;
  bool is_whole = true;  ///< no filter was left off
};

/// Translates filters: what a leading '/' stands for becomes part of the pattern. A rule that hamn
/// does not know is dropped with all that come after it, so that more is copied, never less. Pure
/// but for `read`.
[[nodiscard]] ImportedExcludes find_excludes(
    const RsyncCommand& command, const ImportedPaths& paths,
    const std::function<std::optional<std::string>(const std::string&)>& read);

/// True if a set with these paths holds `path`: it is one of them, or below one of them. Pure.
[[nodiscard]] bool holds(const std::vector<std::string>& paths, const std::string& path);

}  // namespace hamn::cron
