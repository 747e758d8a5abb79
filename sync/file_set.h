#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/site.h"
#include "sync/filter.h"

namespace hamn::sync {

/// How names travel.
enum class Profile : std::uint8_t {
  compat = 1,   ///< as `rsync -Lprgotz`: links followed, owners by name, plain files only
  faithful = 2  ///< as `rsync -aHAXS --numeric-ids`: every kind of name as it is
};

/// Where one path of a file set lives on both sides: everything in `parent` whose name matches
/// `pattern`, with all that is below it. "/install" is the name "install" in "/".
struct Root {
  std::string source_parent;
  std::string destination_parent;
  std::string pattern;  ///< a name, or one with `*` and `?`

  friend bool operator==(const Root&, const Root&) = default;
};

/// A named list of paths that reach the standby together: the unit of generations.
struct FileSet {
  std::string name;
  std::vector<Root> roots;
  std::vector<FilterRule> filter;  ///< on absolute paths of the source
  std::vector<std::string> allow_host_specific =
      {};  ///< patterns: these are the cluster's after all
  Profile profile = Profile::compat;
  bool deletes = false;  ///< names that the source no longer has go on the standby, too
};

/// The file set of the configuration; source and destination paths are the same.
[[nodiscard]] FileSet make_file_set(const base::FileSetSettings& settings);

/// A file set of hamn's own: the directory `source` arrives as `destination`, which has the same
/// last name.
[[nodiscard]] FileSet make_moved_set(const std::string& name, const std::string& source,
                                     const std::string& destination);

/// True if `name` fits `pattern`, in which `*` stands for any run of characters and `?` for one. A
/// leading dot is matched by a dot only, as in a shell. Pure.
[[nodiscard]] bool matches(const std::string& pattern, const std::string& name);

/// True if `path` below the parent of root number `root` arrives where something of one host alone
/// is, and the set does not allow that. Pure.
[[nodiscard]] bool is_protected(const FileSet& set, std::uint16_t root, const std::string& path,
                                bool is_directory);

/// True if the set leaves out `path` below the parent of root number `root`, if it is protected, or
/// if it is one of hamn's own staging directories. Only the path itself is judged, not what is
/// above it. Pure.
[[nodiscard]] bool is_left_out(const FileSet& set, std::uint16_t root, const std::string& path,
                               bool is_directory);

/// Names the roots of a set and how they travel: an index of another fingerprint does not count.
[[nodiscard]] std::string fingerprint(const FileSet& set);

/// Name of the directory in which the receiver stages what is not complete yet.
[[nodiscard]] std::string staging_name(const std::string& set);

}  // namespace hamn::sync
