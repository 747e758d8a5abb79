#pragma once

#include <string>

namespace hamn::base {

/// Parts that the two files of RealDisk share. Internal to them.

/// Throws DiskError ("cannot VERB NAME") with errno if `result` is negative.
void check_result(int result, const std::string& verb, const std::string& name);
/// True if `name` names something in one directory and nothing else.
[[nodiscard]] bool is_component(const std::string& name);
/// What is made, renamed or removed is named by one component: with it no link can be followed.
/// Throws DiskError otherwise.
void check_component(const std::string& verb, const std::string& name);
/// The name by which the kernel knows an open descriptor; it leads to that very file, also if it is
/// a symbolic link opened as such.
[[nodiscard]] std::string process_path(int file);

}  // namespace hamn::base
