#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "base/text.h"

namespace hamn::base {

namespace {

std::atomic<bool> is_quiet{false};

}  // namespace

void set_quiet(bool quiet) {
  is_quiet = quiet;
}

void log(Level level, const std::string& message) {
  if (is_quiet && level != Level::warning) return;
  std::string line;
  if (std::getenv("JOURNAL_STREAM") != nullptr) {
    line = "<" + std::to_string(static_cast<int>(level)) + ">";
  }
  line += "hamn: " + std::string{level == Level::warning ? "warning: " : ""} + printable(message) +
          "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace hamn::base
