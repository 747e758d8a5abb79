#pragma once

#include <string>

namespace hamn::base {

/// For what happens beside the result of a command: a warning, a step of a long run. Goes to
/// standard error; under systemd (JOURNAL_STREAM is set) each line starts with its priority as
/// sd-daemon(3) has it, so that journalctl -p works. Never with secrets; control characters are
/// escaped. Errors are thrown, not logged.
enum class Level : int { warning = 4, notice = 5, info = 6 };

/// `quiet` drops what is less than a warning: cron and timers.
void set_quiet(bool quiet);
void log(Level level, const std::string& message);

}  // namespace hamn::base
