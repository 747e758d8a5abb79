#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/journal.h"

/// Any bytes as a journal: every line is an event or is named as damaged, and no line is believed
/// whose hash does not fit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto content = hamn::base::parse_journal(text);
  const auto newlines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  const auto lines = newlines + (text.empty() || text.back() == '\n' ? 0 : 1);
  if (content.events.size() > lines || content.damage.size() > lines) std::abort();
  if (content.events.size() + content.damage.size() < lines) std::abort();
  for (const auto& damage : content.damage) {
    if (damage.line == 0 || damage.line > lines || damage.reason.empty()) std::abort();
  }
  return 0;
}
