#pragma once

#include <string>
#include <vector>

#include "tests/parity/observe.h"
#include "tests/parity/trees.h"
#include "tests/unit/sync/world.h"

namespace hamn::parity {

/// One source and two destinations: hamn's, as in World, and the reference that rsync makes.
class Pair {
 public:
  explicit Pair(std::vector<std::string> options, sync::Profile profile = sync::Profile::compat);

  /// Sends the source to both.
  void send();
  /// Where the two destinations differ; empty if they are equal.
  [[nodiscard]] std::string compare(const Aspects& aspects) const;
  [[nodiscard]] std::string reference(const std::string& path) const;
  /// Lets the next pass compare all files.
  void forget_indexes();

  sync::World world;
  std::vector<std::string> options;
  sync::SendResult result;  ///< of hamn's last pass
  int exit_code = 0;        ///< of the last rsync
  std::string output;       ///< of the last rsync

 private:
  int passes_ = 0;
};

}  // namespace hamn::parity
