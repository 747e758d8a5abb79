#pragma once

#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "takeover/cluster.h"

namespace hamn::takeover {

/// What xCAT makes of a table value for one node (xCAT 2.19, Table.pm getNodeAttribs):
///  - "/match/replacement/" and "|match|replacement|" replace the first match in the node's name;
///    what stands before and after the match stays.
///  - In the second form, parts in parentheses are integer arithmetic: "10.1.1.($1+0)". Only
///    numbers, parentheses and + - * / % are understood here.
///  - "|replacement|" alone numbers the groups of digits in the name, without leading zeros.
///  - Everything else stands for itself.
/// Nothing if the name does not match, if an expression is of another kind, or if a number is one
/// that Perl reads as octal ("010"): what xCAT does then is not worth relying on.
///
/// Keeps the compiled expressions; used from one thread.
class ValueReader {
 public:
  [[nodiscard]] std::optional<std::string> read(const std::string& value, const std::string& node);

 private:
  [[nodiscard]] std::optional<std::string> replace(const std::string& pattern,
                                                   const std::string& replacement,
                                                   const std::string& node);
  [[nodiscard]] std::optional<std::string> compute(const std::string& pattern, std::string text,
                                                   const std::string& node);

  std::map<std::string, std::optional<std::regex>> compiled_;
};

/// The value of an integer expression such as "(7-1)/2+1": Perl's `use integer`, which cuts towards
/// zero. Nothing if it is anything else, does not fit, or divides by zero. Pure.
[[nodiscard]] std::optional<long long> arithmetic(const std::string& text);

/// One column of one table, by node and group.
class Attributes {
 public:
  Attributes(const Tables& tables, const std::string& table, const std::string& column);

  /// The value of the node's own row, else of the first of its groups that has one, worked out for
  /// the node; empty if there is none, or if it is not known.
  [[nodiscard]] std::string of(const std::string& node, const std::vector<std::string>& groups);
  /// The same, but as it stands if it cannot be worked out.
  [[nodiscard]] std::string of_or_raw(const std::string& node,
                                      const std::vector<std::string>& groups);

 private:
  [[nodiscard]] const std::string& raw(const std::string& node,
                                       const std::vector<std::string>& groups) const;

  std::map<std::string, std::string> values_;
  ValueReader reader_;
};

}  // namespace hamn::takeover
