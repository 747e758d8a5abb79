#include "cron/crontab_reader.h"

#include <algorithm>
#include <array>
#include <bitset>

#include "base/text.h"

namespace hamn::cron {

namespace {

using Moments = std::bitset<64>;

struct Field {
  unsigned first;
  unsigned last;
  std::array<const char*, 12> names;  ///< of its values from `first` on
};

constexpr std::array<Field, 5> kinds{
    {{0, 59, {}},
     {0, 23, {}},
     {1, 31, {}},
     {1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
     {0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}}};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::optional<unsigned> value_of(const Field& kind, const std::string& text) {
  const auto number = base::parse_unsigned(text);
  if (number) {
    if (*number < kind.first || *number > kind.last) return std::nullopt;
    return static_cast<unsigned>(*number);
  }
  for (unsigned i = 0; i < kind.names.size(); ++i) {
    if (kind.names.at(i) != nullptr && lower(text) == kind.names.at(i)) return kind.first + i;
  }
  return std::nullopt;
}

/// One part of a list: "*", "5", "1-5", each with "/2" behind it.
bool add_part(const Field& kind, const std::string& part, Moments& moments) {
  const auto slash = part.find('/');
  auto range = part.substr(0, slash);
  std::uint64_t step = 1;
  if (slash != std::string::npos) {
    const auto given = base::parse_unsigned(part.substr(slash + 1));
    if (!given || *given == 0) return false;
    step = *given;
  }
  if (range.starts_with("~")) range = "*";  // cronie: a random moment
  std::optional<unsigned> first = kind.first;
  std::optional<unsigned> last = kind.last;
  if (range != "*") {
    const auto dash = range.find('-');
    first = value_of(kind, range.substr(0, dash));
    last = dash != std::string::npos    ? value_of(kind, range.substr(dash + 1))
           : slash != std::string::npos ? std::optional<unsigned>{kind.last}
                                        : first;
  }
  if (!first || !last || *first > *last) return false;
  for (std::uint64_t i = *first; i <= *last; i += step) moments.set(i);
  return true;
}

std::optional<Moments> moments_of(const Field& kind, const std::string& text) {
  Moments moments;
  for (const auto& part : base::split(text, ',')) {
    if (!add_part(kind, part, moments)) return std::nullopt;
  }
  return moments;
}

/// The smallest distance between two members, around the end of the circle too.
unsigned smallest_gap(const std::vector<unsigned>& members, unsigned circle) {
  unsigned gap = circle;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto next = i + 1 < members.size() ? members[i + 1] : members.front() + circle;
    gap = std::min(gap, next - members[i]);
  }
  return gap;
}

struct Special {
  const char* name;
  base::Milliseconds every;
  bool at_clock_time;
};

constexpr std::array<Special, 8> specials{{{"@reboot", base::Milliseconds{0}, false},
                                           {"@hourly", std::chrono::hours{1}, false},
                                           {"@daily", std::chrono::hours{24}, true},
                                           {"@midnight", std::chrono::hours{24}, true},
                                           {"@weekly", std::chrono::hours{24 * 7}, true},
                                           {"@monthly", std::chrono::hours{24 * 28}, true},
                                           {"@yearly", std::chrono::hours{24 * 365}, true},
                                           {"@annually", std::chrono::hours{24 * 365}, true}}};

bool is_name_byte(char c, bool first) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (!first && c >= '0' && c <= '9');
}

std::string unquoted(const std::string& text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

/// "NAME = value" as cron reads it; nothing if the line is none.
std::optional<std::pair<std::string, std::string>> assignment(const std::string& line) {
  const auto equals = line.find('=');
  if (equals == std::string::npos) return std::nullopt;
  const auto name = unquoted(base::trim(line.substr(0, equals)));
  if (name.empty() || !is_name_byte(name.front(), true)) return std::nullopt;
  if (!std::all_of(name.begin(), name.end(), [](char c) { return is_name_byte(c, false); })) {
    return std::nullopt;
  }
  return std::pair{name, unquoted(base::trim(line.substr(equals + 1)))};
}

/// Takes the next word off the front of `rest`.
std::string take_word(std::string& rest) {
  const auto begin = rest.find_first_not_of(" \t");
  if (begin == std::string::npos) {
    rest.clear();
    return {};
  }
  const auto end = rest.find_first_of(" \t", begin);
  auto word = rest.substr(begin, end == std::string::npos ? end : end - begin);
  rest = end == std::string::npos ? "" : base::trim(rest.substr(end));
  return word;
}

/// cron ends the command at the first bare '%' and reads "\%" as '%'.
std::string without_percent(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') break;
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '%') ++i;
    out += text[i];
  }
  return out;
}

std::vector<unsigned> days_of(const Moments& at, unsigned first, unsigned last) {
  std::vector<unsigned> days;
  for (unsigned day = first; day <= last; ++day) {
    if (at.test(day)) days.push_back(day);
  }
  return days;
}

/// Reads the time fields off `rest`; an empty answer is "fine", else it says what is wrong.
std::string take_times(std::string& rest, CrontabLine& line) {
  if (rest.starts_with("@")) {
    line.fields = take_word(rest);
    const auto found = std::find_if(specials.begin(), specials.end(), [&](const Special& each) {
      return lower(line.fields) == each.name;
    });
    if (found == specials.end())
      return base::printable(line.fields) + " is no time that cron knows";
    line.every = found->every;
    line.has_clock_time = found->at_clock_time;
    return {};
  }
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < kinds.size(); ++i) fields.push_back(take_word(rest));
  line.fields = base::join(fields, " ");
  const auto every = interval_of(fields);
  if (!every) return "its first five words are no time fields";
  line.every = *every;
  line.has_clock_time = *every >= std::chrono::hours{12};
  return {};
}

}  // namespace

std::optional<base::Milliseconds> interval_of(const std::vector<std::string>& fields) {
  if (fields.size() != kinds.size()) return std::nullopt;
  std::array<Moments, kinds.size()> at;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto moments = moments_of(kinds.at(i), fields[i]);
    if (!moments) return std::nullopt;
    at.at(i) = *moments;
  }
  std::vector<unsigned> minutes;
  for (unsigned minute = 0; minute < 24 * 60; ++minute) {
    if (at[0].test(minute % 60) && at[1].test(minute / 60)) minutes.push_back(minute);
  }
  if (minutes.size() > 1) return std::chrono::minutes{smallest_gap(minutes, 24 * 60)};
  if (!fields[4].starts_with("*")) {
    if (at[4].test(7)) at[4].set(0);  // Sunday is both
    return std::chrono::hours{24 * smallest_gap(days_of(at[4], 0, 6), 7)};
  }
  if (!fields[2].starts_with("*")) {
    return std::chrono::hours{24 * smallest_gap(days_of(at[2], 1, 31), 28)};
  }
  return std::chrono::hours{24};
}

Crontab read_crontab(const std::string& text, CrontabForm form,
                     const std::function<bool(const std::string&)>& is_user) {
  Crontab crontab;
  std::map<std::string, std::string> environment;
  std::uint64_t number = 0;
  for (const auto& raw : base::lines_of(text)) {
    ++number;
    auto rest = base::trim(raw);
    if (rest.empty() || rest.starts_with("#")) continue;
    if (const auto set = assignment(rest)) {
      environment[set->first] = set->second;
      continue;
    }
    CrontabLine line{.number = number,
                     .text = rest,
                     .fields = {},
                     .user = {},
                     .command = {},
                     .environment = environment};
    auto why = take_times(rest, line);
    auto after_user = rest;
    const auto user = take_word(after_user);
    if (form == CrontabForm::system || (form == CrontabForm::guess && is_user(user))) {
      line.user = user;
      rest = after_user;
    }
    if (why.empty() && rest.empty()) why = "it has no command";
    if (!why.empty()) {
      crontab.problems.push_back({.number = number, .text = line.text, .why = why});
      continue;
    }
    line.command = without_percent(rest);
    crontab.lines.push_back(std::move(line));
  }
  return crontab;
}

}  // namespace hamn::cron
