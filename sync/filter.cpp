#include "sync/filter.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <string_view>

namespace hamn::sync {

namespace {

/// True if `c` is in the named class ("alpha") of a bracket expression.
bool in_named_class(std::string_view name, unsigned char c) {
  static const std::map<std::string_view, int (*)(int)> classes{
      {"alnum", std::isalnum}, {"alpha", std::isalpha}, {"blank", std::isblank},
      {"cntrl", std::iscntrl}, {"digit", std::isdigit}, {"graph", std::isgraph},
      {"lower", std::islower}, {"print", std::isprint}, {"punct", std::ispunct},
      {"space", std::isspace}, {"upper", std::isupper}, {"xdigit", std::isxdigit}};
  const auto found = classes.find(name);
  return found != classes.end() && found->second(c) != 0;
}

/// A bracket expression at the beginning of a pattern.
struct Bracket {
  std::size_t size = 0;  ///< of the expression in the pattern
  bool matches = false;
};

/// One character of an expression, which a backslash may stand before.
std::optional<unsigned char> take_character(std::string_view pattern, std::size_t& at) {
  if (at < pattern.size() && pattern[at] == '\\') ++at;
  if (at >= pattern.size()) return std::nullopt;
  return static_cast<unsigned char>(pattern[at++]);
}

/// Takes the next class, range or character of an expression: whether `c` is in it. Nothing if the
/// expression does not end.
std::optional<bool> take_member(std::string_view pattern, std::size_t& at, unsigned char c) {
  const auto end = pattern.find(":]", at);
  if (pattern.substr(at).starts_with("[:") && end != std::string_view::npos) {
    const auto name = pattern.substr(at + 2, end - at - 2);
    at = end + 2;
    return in_named_class(name, c);
  }
  const auto low = take_character(pattern, at);
  auto high = low;
  if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
    ++at;
    high = take_character(pattern, at);
  }
  if (!low || !high) return std::nullopt;
  return *low <= c && c <= *high;
}

/// Nothing if the expression does not end.
std::optional<Bracket> try_bracket(std::string_view pattern, unsigned char c) {
  std::size_t at = 1;
  const bool is_negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (is_negated) ++at;
  bool matches = false;
  for (bool is_first = true; at < pattern.size() && (is_first || pattern[at] != ']');
       is_first = false) {
    const auto is_member = take_member(pattern, at, c);
    if (!is_member) return std::nullopt;
    matches = matches || *is_member;
  }
  if (at >= pattern.size()) return std::nullopt;
  return Bracket{.size = at + 1, .matches = matches != is_negated && c != '/'};
}

bool match_whole(std::string_view pattern, std::string_view text);

bool match_stars(std::string_view pattern, std::string_view text) {
  const auto stars = std::min(pattern.find_first_not_of('*'), pattern.size());
  const auto rest = pattern.substr(stars);
  for (std::size_t taken = 0;; ++taken) {
    if (match_whole(rest, text.substr(taken))) return true;
    if (taken >= text.size() || (stars == 1 && text[taken] == '/')) return false;
  }
}

/// How much of the pattern `c` fits; nothing if it does not. The pattern begins with no star.
std::optional<std::size_t> match_one(std::string_view pattern, unsigned char c) {
  const auto first = static_cast<unsigned char>(pattern.front());
  if (first == '?') return c == '/' ? std::nullopt : std::optional<std::size_t>{1};
  if (first == '[') {
    const auto bracket = try_bracket(pattern, c);
    return bracket && bracket->matches ? std::optional{bracket->size} : std::nullopt;
  }
  std::size_t at = 0;
  if (first == '\\' && pattern.size() > 1) ++at;
  return static_cast<unsigned char>(pattern[at]) == c ? std::optional{at + 1} : std::nullopt;
}

/// True if the whole text fits the whole pattern.
bool match_whole(std::string_view pattern, std::string_view text) {
  while (!pattern.empty()) {
    if (pattern.front() == '*') return match_stars(pattern, text);
    if (text.empty()) return false;
    const auto used = match_one(pattern, static_cast<unsigned char>(text.front()));
    if (!used) return false;
    pattern.remove_prefix(*used);
    text.remove_prefix(1);
  }
  return text.empty();
}

/// The last `count` components of a path; the whole if there are fewer.
std::string_view last_components(std::string_view path, std::size_t count) {
  auto from = path.size();
  for (; count > 0; --count) {
    const auto slash = from == 0 ? std::string_view::npos : path.rfind('/', from - 1);
    if (slash == std::string_view::npos) return path;
    from = slash;
  }
  return path.substr(from + 1);
}

bool match_text(std::string_view pattern, std::string_view text, bool has_wildcards) {
  return has_wildcards ? match_whole(pattern, text) : pattern == text;
}

/// Tries a pattern that is not anchored against what comes after each '/'.
bool match_after_any_slash(std::string_view pattern, std::string_view path) {
  for (;;) {
    if (match_whole(pattern, path)) return true;
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

std::vector<FilterRule> make_filter(const std::vector<std::string>& include,
                                    const std::vector<std::string>& exclude) {
  std::vector<FilterRule> rules;
  const auto add = [&](const std::string& text, bool includes) {
    const bool is_marked = text.starts_with("+ ") || text.starts_with("- ");
    rules.push_back({.includes = is_marked ? text.front() == '+' : includes,
                     .pattern = is_marked ? text.substr(2) : text});
  };
  for (const auto& text : include) add(text, true);
  for (const auto& text : exclude) add(text, false);
  return rules;
}

bool fits(const std::string& whole_pattern, const std::string& whole_path, bool is_directory) {
  std::string_view pattern = whole_pattern;
  std::string path = whole_path.starts_with('/') ? whole_path.substr(1) : whole_path;
  if (pattern.ends_with("/***")) {
    // The directory itself as well: its path with a '/' fits "dir/**".
    if (is_directory) path += '/';
  } else if (pattern.size() > 1 && pattern.ends_with('/')) {
    if (!is_directory) return false;
    pattern.remove_suffix(1);
  }
  const bool has_wildcards = pattern.find_first_of("*?[") != std::string_view::npos;
  const bool has_double_star = pattern.find("**") != std::string_view::npos;
  if (pattern.starts_with('/')) return match_text(pattern.substr(1), path, has_wildcards);
  if (has_double_star) {
    // The path's own '/' is there for "**/name", which fits at the top, too.
    if (pattern.starts_with("**")) return match_whole(pattern, "/" + path);
    return match_after_any_slash(pattern, path);
  }
  const auto slashes = static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '/'));
  return match_text(pattern, last_components(path, slashes + 1), has_wildcards);
}

bool leaves_out(const std::vector<FilterRule>& rules, const std::string& path, bool is_directory) {
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const FilterRule& rule) {
    return fits(rule.pattern, path, is_directory);
  });
  return found != rules.end() && !found->includes;
}

}  // namespace hamn::sync
