#pragma once

#include <string>

#include "base/host.h"

namespace hamn::cli {

/// A file of this host with its owner and mode, ready to be written back with other content. One
/// that is not there is empty, root's, and has `mode`. Throws Error if it cannot be read.
[[nodiscard]] base::FileWrite kept_file(const std::string& path, unsigned mode = 0644);

}  // namespace hamn::cli
