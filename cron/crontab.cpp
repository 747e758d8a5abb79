#include "cron/crontab.h"

#include <array>

#include "base/text.h"

namespace hamn::cron {

namespace {

constexpr std::array<int, 12> minutes{1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60};
constexpr std::array<int, 8> hours{1, 2, 3, 4, 6, 8, 12, 24};

template <std::size_t Count>
int largest_not_above(const std::array<int, Count>& steps, long long value) {
  int found = steps.front();
  for (const int step : steps) {
    if (step <= value) found = step;
  }
  return found;
}

/// The interval that the fields really give.
base::Milliseconds kept_interval(base::Milliseconds every) {
  const auto in_minutes = std::chrono::floor<std::chrono::minutes>(every).count();
  if (in_minutes < 60) return std::chrono::minutes{largest_not_above(minutes, in_minutes)};
  return std::chrono::hours{largest_not_above(hours, in_minutes / 60)};
}

/// cron gives '%' a meaning of its own: a newline.
std::string crontab_word(const std::string& word) {
  std::string out;
  for (const char c : base::shell_word(word)) {
    if (c == '%') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string cron_fields(base::Milliseconds every) {
  const auto kept = kept_interval(every);
  const auto in_minutes = std::chrono::duration_cast<std::chrono::minutes>(kept).count();
  if (in_minutes < 60) {
    return in_minutes == 1 ? "* * * * *" : "*/" + std::to_string(in_minutes) + " * * * *";
  }
  const auto in_hours = in_minutes / 60;
  if (in_hours == 24) return "0 0 * * *";
  return in_hours == 1 ? "0 * * * *" : "0 */" + std::to_string(in_hours) + " * * *";
}

std::string render_crontab(const std::vector<Job>& jobs) {
  std::string text =
      "# Written by hamn cron install; changes are lost.\n"
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
      "MAILTO=root\n";
  for (const auto& job : jobs) {
    std::vector<std::string> words;
    for (const auto& word : job.argv) words.push_back(crontab_word(word));
    text += "# " + job.description + "\n" + cron_fields(job.every) + " root " +
            base::join(words, " ") + "\n";
  }
  return text;
}

std::vector<std::string> rounded_jobs(const std::vector<Job>& jobs) {
  std::vector<std::string> rounded;
  for (const auto& job : jobs) {
    const auto kept = kept_interval(job.every);
    if (kept == job.every) continue;
    rounded.push_back(job.name + ": every " + base::human_duration(job.every) + " becomes every " +
                      base::human_duration(kept));
  }
  return rounded;
}

}  // namespace hamn::cron
