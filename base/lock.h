#pragma once

#include <string>

#include "base/clock.h"
#include "base/fd.h"

namespace hamn::base {

/// "Never two at once": a lock that ends with its process, however that ends, and that names its
/// holder to whoever comes second.
class Lock {
 public:
  /// Takes the lock `path` for `purpose` ("hamn failover"). Throws Error with Exit::locked, naming
  /// the holder, if another process has it.
  Lock(const std::string& path, const std::string& purpose, const Clock& clock);

 private:
  Fd file_;
};

}  // namespace hamn::base
