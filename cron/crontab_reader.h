#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace hamn::cron {

/// Which of the two forms of crontab(5) a text has: /etc/crontab and /etc/cron.d name a user before
/// the command, a user's own crontab does not.
enum class CrontabForm { user, system, guess };

/// One line of a crontab that runs a command.
struct CrontabLine {
  std::uint64_t number = 0;     ///< counted from 1
  std::string text;             ///< as it stands there
  std::string fields;           ///< "0 1 * * *" or "@daily"
  base::Milliseconds every{0};  ///< shortest time between two runs; 0: only at boot
  bool has_clock_time = false;  ///< runs at set times of the day, such as "0 1 * * *"
  std::string user;             ///< empty in a user's own crontab
  std::string command;          ///< with `\%` already read as cron does
  std::map<std::string, std::string> environment;  ///< of the lines above it
};

/// A line that is no crontab line, and why.
struct CrontabProblem {
  std::uint64_t number = 0;
  std::string text;
  std::string why;
};

/// What read_crontab() found.
struct Crontab {
  std::vector<CrontabLine> lines;
  std::vector<CrontabProblem> problems;
};

/// Reads a crontab. With CrontabForm::guess a line has a user if its sixth word is one of which
/// `is_user` says so. Never fails: what cannot be read comes back as a problem. Pure but for
/// `is_user`.
[[nodiscard]] Crontab read_crontab(const std::string& text, CrontabForm form,
                                   const std::function<bool(const std::string&)>& is_user);

/// The shortest time between two runs of five time fields; nothing if they are not time fields.
/// Days of the month and months count as a day and a month of the shortest length. Pure.
[[nodiscard]] std::optional<base::Milliseconds> interval_of(const std::vector<std::string>& fields);

}  // namespace hamn::cron
