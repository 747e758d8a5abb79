#pragma once

#include <map>
#include <string>
#include <vector>

namespace hamn::parity {

/// What is compared of a tree besides types, modes, owners, sizes, times, contents and link
/// targets.
struct Aspects {
  bool links = false;       ///< link counts, and which names are the same file
  bool attributes = false;  ///< extended attributes, access control lists among them
};

/// Every name below `root` with all that is compared, as one line each. Follows nothing.
[[nodiscard]] std::map<std::string, std::string> observe(const std::string& root,
                                                         const Aspects& aspects);

/// Where two trees differ, for people; empty if they are equal.
[[nodiscard]] std::string differences(const std::map<std::string, std::string>& ours,
                                      const std::map<std::string, std::string>& theirs);

/// Space that the files below `root` take [bytes].
[[nodiscard]] std::uint64_t space_of(const std::string& root);

/// Runs `rsync` with the arguments; answers its exit code. What it says goes to `output`.
int rsync(const std::vector<std::string>& arguments, std::string& output);

}  // namespace hamn::parity
