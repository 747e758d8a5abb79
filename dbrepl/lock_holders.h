#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hamn::dbrepl {

/// The processes that hold a POSIX lock on one file, from the text of /proc/locks (proc(5)).
/// Waiting ones do not count. Pure.
[[nodiscard]] std::vector<std::int64_t> lock_owners(std::string_view proc_locks,
                                                    std::uint32_t device_major,
                                                    std::uint32_t device_minor,
                                                    std::uint64_t inode);

/// For an error message: "xcatd: DB Access (process 4711)"; says so if nobody can be named, which
/// is so for processes of other containers. Never opens the file.
[[nodiscard]] std::string describe_lock_holders(const std::string& path);

}  // namespace hamn::dbrepl
