#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace hamn::base {

namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

std::string escaped(unsigned char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'\\', 'x', digits[c >> 4U], digits[c & 15U]};
}

/// One character of UTF-8 at the front of `text`: its bytes and its code point. Zero bytes if what
/// stands there is not UTF-8 (overlong forms, surrogates and torn characters included).
struct Character {
  std::size_t size = 0;
  std::uint32_t code = 0;
};

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {.size = 1, .code = lead};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  std::uint32_t code = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return {};
    code = code << 6U | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < smallest.at(size) || code > 0x10ffff || is_surrogate) return {};
  return {.size = size, .code = code};
}

std::string escape_controls(std::string_view text, bool keep_newlines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [size, code] = first_character(text);
    const bool is_control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
    const auto bytes = text.substr(0, std::max<std::size_t>(1, size));
    if (size > 0 && (!is_control || (code == '\n' && keep_newlines))) {
      out += bytes;
    } else {
      for (const char c : bytes) out += escaped(static_cast<unsigned char>(c));
    }
    text.remove_prefix(bytes.size());
  }
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substitution});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string trim(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return std::string{text.substr(first, text.find_last_not_of(blanks) - first + 1)};
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t start = 0;;) {
    const auto end = text.find(separator, start);
    parts.emplace_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::vector<std::string> lines_of(std::string_view text) {
  auto lines = split(text, '\n');
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t start = text.find_first_not_of(blanks); start != std::string_view::npos;) {
    const auto end = text.find_first_of(blanks, start);
    words.emplace_back(text.substr(start, end - start));
    start = text.find_first_not_of(blanks, end);
  }
  return words;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const auto& part : parts) {
    if (&part != &parts.front()) out += separator;
    out += part;
  }
  return out;
}

std::string printable(std::string_view text) {
  return escape_controls(text, false);
}

std::string indent_following_lines(std::string_view text, int columns) {
  std::string out;
  for (const auto& line : lines_of(escape_controls(text, true))) {
    if (!out.empty()) out += "\n" + std::string(static_cast<std::size_t>(columns), ' ');
    out += line;
  }
  return out;
}

std::string shell_word(std::string_view word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos) {
    return std::string{word};
  }
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string shell_line(const std::vector<std::string>& argv) {
  std::vector<std::string> words;
  words.reserve(argv.size());
  for (const auto& word : argv) words.push_back(shell_word(word));
  return join(words, " ");
}

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string human_size(std::uint64_t size_bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (size_bytes < 1024) return std::to_string(size_bytes) + " B";
  auto value = static_cast<double>(size_bytes);
  std::size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), value < 9.95 ? "%.1f %s" : "%.0f %s", value,
                      units.at(unit));
  return text.data();
}

std::string human_duration(std::chrono::duration<double> duration) {
  const double seconds = duration.count();
  if (seconds < 0) return "-" + human_duration(-duration);
  // The bounds are where rounding would reach the next form: never "1000 ms" or "60.0 s".
  std::array<char, 32> text{};
  if (seconds < 0.9995) {
    (void)std::snprintf(text.data(), text.size(), "%.0f ms", seconds * 1000);
    return text.data();
  }
  if (seconds < 59.95) {
    (void)std::snprintf(text.data(), text.size(), seconds < 9.995 ? "%.2f s" : "%.1f s", seconds);
    return text.data();
  }
  struct Unit {
    long long size;
    const char* name;
  };
  constexpr std::array<Unit, 4> units{{{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}}};
  auto rest = static_cast<long long>(std::clamp(seconds, 60.0, 1e15));
  std::string out;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (rest < units.at(i).size) continue;
    out = std::to_string(rest / units.at(i).size) + " " + units.at(i).name;
    rest %= units.at(i).size;
    if (i + 1 < units.size() && rest / units.at(i + 1).size > 0) {
      out += " " + std::to_string(rest / units.at(i + 1).size) + " " + units.at(i + 1).name;
    }
    break;
  }
  return out;
}

std::string human_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t milliseconds;
  };
  constexpr std::array<Unit, 6> units{{{"ms", 1},
                                       {"s", 1000},
                                       {"min", 60'000},
                                       {"h", 3'600'000},
                                       {"d", 86'400'000},
                                       {"w", 604'800'000}}};
  constexpr std::uint64_t limit = 1000ULL * 86'400'000ULL * 365ULL;
  std::uint64_t total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto number_end = text.find_first_not_of("0123456789");
    if (number_end == 0 || number_end == std::string_view::npos) return std::nullopt;
    const auto number = parse_unsigned(text.substr(0, number_end));
    text.remove_prefix(number_end);
    const auto name = text.substr(0, text.find_first_of("0123456789 "));
    const auto* unit =
        std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
    if (!number || unit == units.end() || *number > limit / unit->milliseconds) return std::nullopt;
    total += *number * unit->milliseconds;
    if (total > limit) return std::nullopt;
    text.remove_prefix(name.size());
    if (text.size() > 1 && text.front() == ' ') text.remove_prefix(1);
  }
  return std::chrono::milliseconds{total};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    const auto c = static_cast<unsigned char>(byte);
    out += digits[c >> 4U];
    out += digits[c & 15U];
  }
  return out;
}

std::optional<std::string> unhex(std::string_view digits) {
  const auto value = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  if (digits.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = value(digits[i]);
    const int low = value(digits[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string to_lower(std::string_view text) {
  std::string lower{text};
  for (auto& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace hamn::base
