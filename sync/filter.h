#pragma once

#include <string>
#include <vector>

namespace hamn::sync {

/// One rule that lets names into a file set or leaves them out, with the meaning that it has in
/// rsync. docs/configuration.md tells it to people.
struct FilterRule {
  bool includes = false;
  std::string pattern;

  friend bool operator==(const FilterRule&, const FilterRule&) = default;
};

/// The rules of a set in the order in which they are tried: `include` first, then `exclude`. An
/// element that begins with "+ " or "- " says itself which of the two it is. Pure.
[[nodiscard]] std::vector<FilterRule> make_filter(const std::vector<std::string>& include,
                                                  const std::vector<std::string>& exclude);

/// True if the pattern fits the absolute `path`. Pure.
///
/// A pattern that begins with '/' is tried against the whole path, any other against its last
/// components: the last one only if there is neither '/' nor "**" in it. One that ends with '/'
/// fits directories only. `*` stands for anything but '/', `**` for anything, `?` for any character
/// but '/', [..] for one of a class. "dir/***" fits the directory and all below it.
[[nodiscard]] bool fits(const std::string& pattern, const std::string& path, bool is_directory);

/// True if the first rule that fits `path` leaves it out. Only the path itself is judged: whoever
/// walks does not enter a directory that was left out. Pure.
[[nodiscard]] bool leaves_out(const std::vector<FilterRule>& rules, const std::string& path,
                              bool is_directory);

}  // namespace hamn::sync
