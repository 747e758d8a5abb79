#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "base/network.h"
#include "base/text.h"
#include "dbrepl/recovery_point.h"

namespace {

/// One word as a shell reads it that knows nothing but quotes and backslashes.
std::string unquoted(const std::string& word) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\'') {
      quoted = !quoted;
    } else if (word[i] == '\\' && !quoted && i + 1 < word.size()) {
      out += word[++i];
    } else {
      out += word[i];
    }
  }
  return out;
}

void check_output(const std::string& text) {
  const auto shown = hamn::base::printable(text);
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) std::abort();
  }
  if (hamn::base::printable(shown) != shown) std::abort();
  if (unquoted(hamn::base::shell_word(text)) != text) std::abort();
  if (hamn::base::unhex(hamn::base::hex(text)) != text) std::abort();
}

void check_values(const std::string& text) {
  using namespace hamn::base;
  if (const auto time = parse_wall_time(text); time && parse_wall_time(to_text(*time)) != time) {
    std::abort();
  }
  if (const auto subnet = parse_subnet(text); subnet && parse_subnet(to_text(*subnet)) != subnet) {
    std::abort();
  }
  if (const auto duration = parse_duration(text)) {
    if (duration->count() < 0) std::abort();
    (void)human_duration(*duration);
  }
  if (const auto bytes = unhex(text); bytes && hex(*bytes) != text) std::abort();
  if (const auto number = hamn::dbrepl::parse_point_id(text)) {
    if (hamn::dbrepl::point_id(number->epoch, number->generation) != text) std::abort();
  }
}

}  // namespace

/// Any bytes as the values that configuration, command line and other hosts hold, and as what is
/// shown of them: values come back the same, and nothing writes to the terminal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  check_output(text);
  check_values(text);
  return 0;
}
