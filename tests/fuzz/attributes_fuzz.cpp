#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "takeover/attributes.h"

namespace {

/// What a node's name has room for in xCAT's tables, and more than anybody writes as its value.
constexpr std::size_t longest_node = 128;
constexpr std::size_t longest_value = 256;
/// Larger numbers overflow in the compiler of libstdc++'s regular expressions.
constexpr std::size_t most_digits = 9;

bool has_large_number(const std::string& text) {
  std::size_t digits = 0;
  for (const char c : text) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > most_digits) return true;
  }
  return false;
}

void check_arithmetic(const std::string& text) {
  const auto value = hamn::takeover::arithmetic(text);
  if (value && hamn::takeover::arithmetic(std::to_string(*value)) != value) std::abort();
}

}  // namespace

/// Any bytes as a table's value for a node and, behind the first newline, the node's name: it is
/// worked out or it is not known, and whoever asks twice hears the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  check_arithmetic(text);
  const auto end = text.find('\n');
  if (end == std::string::npos || end > longest_value || size - end > longest_node) return 0;
  const auto value = text.substr(0, end);
  const auto node = text.substr(end + 1);
  if (has_large_number(value)) return 0;
  hamn::takeover::ValueReader reader;
  const auto read = reader.read(value, node);
  if (reader.read(value, node) != read) std::abort();
  const bool stands_for_itself = value.find_first_of("|/") != 0;
  if (stands_for_itself && read != value) std::abort();
  return 0;
}
