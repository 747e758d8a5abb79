#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace hamn::sync {

/// What a source that lost everything looks like: an unmounted /install, a directory that was moved
/// away, a disk that went. Taking it for the truth would make an empty tree a "current" generation.
///
/// Throws Error (Exit::refused) if the directory `path` held `before` names at the last generation
/// and holds none now. Pure.
void refuse_emptied_source(const std::string& set, const std::string& path, std::size_t before,
                           std::size_t now);

/// True for so many deletions that a person should look first: more than a hundred names and more
/// than a quarter of the set. Pure.
[[nodiscard]] bool is_mass_deletion(std::uint64_t names, std::uint64_t total);

}  // namespace hamn::sync
