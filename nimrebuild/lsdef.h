#pragma once

#include <map>
#include <string>
#include <vector>

namespace hamn::nimrebuild {

/// One definition as xCAT shows it.
struct Definition {
  std::string name;
  std::map<std::string, std::string> attributes;

  friend bool operator==(const Definition&, const Definition&) = default;
};

/// Output of `lsdef -t osimage -l`: "Object name: NAME", then one "    attribute=value" per line;
/// attributes without a value are left out by lsdef (seen with xCAT 2.19). Blank lines are passed
/// over. Throws Error, naming the line, for anything else: a rebuild from a misread list is worse
/// than none. Pure.
[[nodiscard]] std::vector<Definition> parse_lsdef(const std::string& output);

/// The NIM resources that an AIX osimage names, type → object names (lists are split at commas).
/// Empty for an osimage whose imagetype is not NIM. Pure.
[[nodiscard]] std::map<std::string, std::vector<std::string>> nim_resources(
    const Definition& osimage);

}  // namespace hamn::nimrebuild
