#include "base/error.h"

#include <system_error>
#include <utility>

#include "base/text.h"

namespace hamn::base {

Error::Error(ErrorText text) : text_(std::move(text)) {}

Error Error::within(const std::string& context) const {
  ErrorText text = text_;
  text.what = context + ": " + text.what;
  return Error{std::move(text)};
}

Error system_error(const std::string& what, int error_number, const std::string& hint) {
  return Error{
      {.what = what, .detail = std::generic_category().message(error_number), .hint = hint}};
}

std::string to_lines(const Error& error) {
  std::string lines = "hamn: " + printable(error.what()) + "\n";
  if (!error.detail().empty()) {
    lines += "  detail: " + indent_following_lines(error.detail(), 10) + "\n";
  }
  if (!error.hint().empty()) lines += "  hint: " + indent_following_lines(error.hint(), 8) + "\n";
  return lines;
}

}  // namespace hamn::base
