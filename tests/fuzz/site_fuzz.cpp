#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/site.h"

/// Any bytes as a configuration: it is read, or refused with words that fit on a terminal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  try {
    const auto site = hamn::base::parse_site(text, "/etc/hamn/hamn.toml");
    if (site.hosts.size() != 2 || site.settings.empty()) std::abort();
    for (const auto& [name, host] : site.hosts) (void)site.other_than(name);
  } catch (const hamn::base::Error& error) {
    if (error.code() != hamn::base::Exit::usage || error.hint().empty()) std::abort();
    for (const char c : hamn::base::to_lines(error)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 && c != '\n') std::abort();
    }
  }
  return 0;
}
