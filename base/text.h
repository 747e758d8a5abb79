#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hamn::base {

/// Pure functions over text. None of them depends on the locale.

/// Blanks, tabs and line breaks at both ends taken off.
[[nodiscard]] std::string trim(std::string_view text);
/// All parts between the separators, the empty ones too: always at least one.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
/// Lines without their newline; a missing last newline makes no difference.
[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);
/// Words between runs of blanks and tabs.
[[nodiscard]] std::vector<std::string> words_of(std::string_view text);
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Control characters (C0, DEL, C1) and bytes that are not UTF-8 as \xNN, so that no file name and
/// no server can write to the terminal or forge a log line. Newlines are escaped too.
[[nodiscard]] std::string printable(std::string_view text);
/// As printable(), but line breaks stay and the lines after the first are indented by `columns`.
[[nodiscard]] std::string indent_following_lines(std::string_view text, int columns);

/// One word of a POSIX shell command line; quoted only where needed. For showing commands to
/// people and for the one place where a shell cannot be avoided: the command of an ssh session.
[[nodiscard]] std::string shell_word(std::string_view word);
[[nodiscard]] std::string shell_line(const std::vector<std::string>& argv);

/// The candidate nearest to `word` by edit distance, if it is near enough to be a slip of the hand.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string>& candidates);

/// "1.5 GiB", "12 KiB", "7 B".
[[nodiscard]] std::string human_size(std::uint64_t size_bytes);
/// "3 d 4 h", "2 min 5 s", "1.42 s", "85 ms": two units at most, for people.
[[nodiscard]] std::string human_duration(std::chrono::duration<double> duration);
/// "1,234,567".
[[nodiscard]] std::string human_count(std::uint64_t count);

/// "90s", "5min", "2h", "1d", "250ms", or several: "1h30min". Nothing if it is not a duration.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// Decimal digits only, no sign, no overflow.
[[nodiscard]] std::optional<std::uint64_t> parse_unsigned(std::string_view text);

/// Two lower-case digits per byte, and back. unhex() answers nothing if it is not such a text.
[[nodiscard]] std::string hex(std::string_view bytes);
[[nodiscard]] std::optional<std::string> unhex(std::string_view digits);

/// Letters of ASCII in lower case. Pure.
[[nodiscard]] std::string to_lower(std::string_view text);

}  // namespace hamn::base
