#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/role.h"

/// Any bytes as a role file: what is believed comes back the same when it is written and read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  try {
    const auto role = hamn::base::parse_role(text, "/var/lib/hamn/role.json");
    if (!(hamn::base::parse_role(hamn::base::format_role(role), "again") == role)) std::abort();
  } catch (const hamn::base::Error& error) {
    if (error.detail().empty() || error.hint().empty()) std::abort();
  }
  return 0;
}
