#pragma once

#include <cstddef>
#include <string>

namespace hamn::sync {

/// What a source that lost everything looks like: an unmounted /install, a directory that was moved
/// away, a disk that went. Taking it for the truth would make an empty tree a "current" generation.
///
/// Throws Error (Exit::refused) if the directory `path` held `before` names at the last generation
/// and holds none now. Pure.
void refuse_emptied_source(const std::string& set, const std::string& path, std::size_t before,
                           std::size_t now);

}  // namespace hamn::sync
