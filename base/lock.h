#pragma once

#include <optional>
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

/// Who holds a lock at the moment.
struct LockHolder {
  long pid = 0;      ///< 0 if it did not write its name yet
  std::string text;  ///< "hamn failover, process 4711, started by root at …"
};

/// Nothing if nobody holds it.
[[nodiscard]] std::optional<LockHolder> lock_holder(const std::string& path);

}  // namespace hamn::base
