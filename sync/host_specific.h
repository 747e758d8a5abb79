#pragma once

#include <string>
#include <vector>

namespace hamn::sync {

/// Patterns (as in filter.h) of what makes a host that very host and no other: its identity, its
/// disks, its network, its ssh host keys, hamn's own role. On the standby they are the standby's.
[[nodiscard]] const std::vector<std::string>& host_specific_patterns();

/// True if `path`, where it would arrive, belongs to one host alone. Pure.
[[nodiscard]] bool is_host_specific(const std::string& path, bool is_directory);

}  // namespace hamn::sync
