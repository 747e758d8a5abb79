#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "dbrepl/recovery_point.h"

/// Any text is a manifest, byte for byte as hamn writes it, or is refused with a reason.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  const auto reading = hamn::dbrepl::read_manifest(text);
  if (reading.point.has_value() == !reading.problem.empty()) std::abort();
  if (reading.point && hamn::dbrepl::format_manifest(*reading.point) != text) std::abort();
  return 0;
}
