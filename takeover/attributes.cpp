#include "takeover/attributes.h"

#include <cctype>
#include <limits>
#include <string_view>
#include <utility>

namespace hamn::takeover {

namespace {

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// Reads one expression from left to right: sums of products of numbers and parentheses.
class Calculator {
 public:
  explicit Calculator(std::string_view text) : text_(text) {}

  std::optional<long long> whole() {
    const auto value = sum();
    return value && next() == '\0' ? value : std::nullopt;
  }

 private:
  char next() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  std::optional<long long> sum() {
    auto left = product();
    while (left && (next() == '+' || next() == '-')) {
      const char sign = text_[at_++];
      const auto right = product();
      if (!right) return std::nullopt;
      left = sign == '+' ? *left + *right : *left - *right;
      if (!is_small(*left)) return std::nullopt;
    }
    return left;
  }

  std::optional<long long> product() {
    auto left = factor();
    while (left && (next() == '*' || next() == '/' || next() == '%')) {
      const char sign = text_[at_++];
      const auto right = factor();
      if (!right || (sign != '*' && *right == 0)) return std::nullopt;
      left = multiplied(*left, sign, *right);
      if (!is_small(*left)) return std::nullopt;
    }
    return left;
  }

  static long long multiplied(long long left, char sign, long long right) {
    if (sign == '*') return left * right;
    return sign == '/' ? left / right : left % right;
  }

  std::optional<long long> factor() {
    if (++depth_ > deepest) return std::nullopt;
    std::optional<long long> value;
    if (next() == '-') {
      ++at_;
      value = factor();
      if (value) value = -*value;
    } else if (next() == '(') {
      ++at_;
      value = sum();
      if (next() != ')') return std::nullopt;
      ++at_;
    } else {
      value = number();
    }
    --depth_;
    return value;
  }

  std::optional<long long> number() {
    const auto begin = at_;
    long long value = 0;
    while (at_ < text_.size() && is_digit(text_[at_])) {
      value = value * 10 + (text_[at_++] - '0');
      if (!is_small(value)) return std::nullopt;
    }
    if (at_ == begin) return std::nullopt;
    // Perl takes "010" for eight and refuses "08".
    const bool is_octal = text_[begin] == '0' && value > 7;
    return is_octal ? std::nullopt : std::optional{value};
  }

  static bool is_small(long long value) {
    constexpr long long limit = std::numeric_limits<int>::max();
    return value >= -limit && value <= limit;
  }

  static constexpr int deepest = 50;
  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

/// `text` with $1 … $9 and ${1} … replaced by what was matched. Nothing if it asks for more.
std::optional<std::string> filled(const std::string& text, const std::smatch& match) {
  static const std::regex reference{R"(\$(?:([1-9])(?!\d)|\{([1-9])\}))"};
  const auto plain = std::regex_replace(text, reference, "");
  if (plain.find_first_of("$\\@") != std::string::npos) return std::nullopt;
  std::string result;
  auto rest = text;
  for (std::smatch found; std::regex_search(rest, found, reference);) {
    const auto digit = found[1].str() + found[2].str();
    const auto group = static_cast<std::size_t>(digit.front() - '0');
    if (group >= match.size()) return std::nullopt;
    result += found.prefix().str() + match[group].str();
    rest = found.suffix().str();
  }
  return result + rest;
}

/// Begin and length of the first part in parentheses, nested ones included.
std::optional<std::pair<std::size_t, std::size_t>> first_parentheses(const std::string& text) {
  const auto begin = text.find('(');
  if (begin == std::string::npos) return std::nullopt;
  int depth = 0;
  for (auto end = begin; end < text.size(); ++end) {
    if (text[end] == '(') ++depth;
    if (text[end] == ')' && --depth == 0) return std::pair{begin, end + 1 - begin};
  }
  return std::nullopt;
}

/// The expression that xCAT makes up where only the replacement is given.
std::string easy_pattern(const std::string& node) {
  std::string pattern;
  bool inside = false;
  for (const char c : node) {
    if (is_digit(c) && !inside) pattern += "[^1-9]*(\\d+)";
    inside = is_digit(c);
  }
  return pattern + ".*$";
}

bool is_enclosed(const std::string& value, char mark) {
  return value.size() >= 3 && value.front() == mark && value.back() == mark;
}

}  // namespace

std::optional<long long> arithmetic(const std::string& text) {
  return Calculator{text}.whole();
}

std::optional<std::string> ValueReader::replace(const std::string& pattern,
                                                const std::string& replacement,
                                                const std::string& node) {
  auto known = compiled_.find(pattern);
  if (known == compiled_.end()) {
    std::optional<std::regex> made;
    try {
      // Polynomial: the usual back-tracking takes forever over an expression like "(a*)*b".
      made.emplace(pattern, std::regex::ECMAScript | std::regex_constants::__polynomial);
    } catch (const std::regex_error&) {
      made.reset();  // an expression of Perl's own kind
    }
    known = compiled_.emplace(pattern, std::move(made)).first;
  }
  std::smatch match;
  if (!known->second || !std::regex_search(node, match, *known->second)) return std::nullopt;
  const auto text = filled(replacement, match);
  if (!text) return std::nullopt;
  return match.prefix().str() + *text + match.suffix().str();
}

std::optional<std::string> ValueReader::compute(const std::string& pattern, std::string text,
                                                const std::string& node) {
  while (const auto part = first_parentheses(text)) {
    const auto expression = replace(pattern, text.substr(part->first, part->second), node);
    const auto value = expression ? arithmetic(*expression) : std::nullopt;
    if (!value) return std::nullopt;
    text.replace(part->first, part->second, std::to_string(*value));
  }
  return replace(pattern, text, node);
}

std::optional<std::string> ValueReader::read(const std::string& value, const std::string& node) {
  const bool is_plain = is_enclosed(value, '/');
  if (!is_plain && !is_enclosed(value, '|')) return value;
  const auto inside = value.substr(1, value.size() - 2);
  const auto middle = inside.find(value.front());
  if (is_plain) {
    const bool has_two = middle != std::string::npos && middle == inside.rfind('/');
    return has_two ? replace(inside.substr(0, middle), inside.substr(middle + 1), node)
                   : std::optional{value};
  }
  if (middle == std::string::npos) return compute(easy_pattern(node), inside, node);
  return compute(inside.substr(0, middle), inside.substr(middle + 1), node);
}

Attributes::Attributes(const Tables& tables, const std::string& table, const std::string& column) {
  const auto found = tables.find(table);
  if (found == tables.end()) return;
  for (const auto& row : found->second) {
    const auto name = row.find("node");
    const auto value = row.find(column);
    if (name == row.end() || value == row.end() || value->second.empty()) continue;
    values_[name->second] = value->second;
  }
}

const std::string& Attributes::raw(const std::string& node,
                                   const std::vector<std::string>& groups) const {
  static const std::string nothing;
  if (const auto own = values_.find(node); own != values_.end()) return own->second;
  for (const auto& group : groups) {
    if (const auto shared = values_.find(group); shared != values_.end()) return shared->second;
  }
  return nothing;
}

std::string Attributes::of(const std::string& node, const std::vector<std::string>& groups) {
  return reader_.read(raw(node, groups), node).value_or("");
}

std::string Attributes::of_or_raw(const std::string& node, const std::vector<std::string>& groups) {
  return reader_.read(raw(node, groups), node).value_or(raw(node, groups));
}

}  // namespace hamn::takeover
