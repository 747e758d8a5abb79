#include "base/clock.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <thread>

#include "base/interrupt.h"
#include "base/text.h"

namespace hamn::base {

WallTime RealClock::wall() const {
  return std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
}

SteadyTime RealClock::steady() const {
  return std::chrono::steady_clock::now();
}

void RealClock::sleep(Milliseconds duration) {
  const auto end = steady() + duration;
  while (steady() < end && !interrupted()) {
    const auto rest = std::chrono::duration_cast<Milliseconds>(end - steady());
    std::this_thread::sleep_for(std::clamp(rest, Milliseconds{1}, Milliseconds{50}));
  }
}

std::string to_text(WallTime time) {
  const auto since_epoch = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t t = seconds.count();
  std::tm parts{};
  gmtime_r(&t, &parts);
  std::array<char, 64> text{};
  (void)std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                      parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                      parts.tm_min, parts.tm_sec,
                      static_cast<int>((since_epoch - seconds).count()));
  return text.data();
}

std::optional<WallTime> parse_wall_time(std::string_view text) {
  constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() != shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == 'd' ? !is_digit : text[i] != shape[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t size) {
    return static_cast<int>(*parse_unsigned(text.substr(at, size)));
  };
  const std::chrono::year_month_day date{std::chrono::year{number(0, 4)},
                                         std::chrono::month{static_cast<unsigned>(number(5, 2))},
                                         std::chrono::day{static_cast<unsigned>(number(8, 2))}};
  if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) {
    return std::nullopt;
  }
  return std::chrono::sys_days{date} + std::chrono::hours{number(11, 2)} +
         std::chrono::minutes{number(14, 2)} + std::chrono::seconds{number(17, 2)} +
         Milliseconds{number(20, 3)};
}

Milliseconds age(WallTime then, WallTime now) {
  return std::max(Milliseconds{0}, now - then);
}

bool is_ahead(WallTime then, WallTime now) {
  return then > now + std::chrono::minutes{5};
}

}  // namespace hamn::base
