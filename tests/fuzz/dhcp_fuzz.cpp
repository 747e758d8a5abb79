#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "takeover/dhcp_server.h"

/// Any bytes as dhcpd.conf, as dhcpd.leases and as the answer of `makedhcp -q all`: hosts are known
/// by a MAC in lower case, and a declaration that is repeated changes nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  const auto declared = hamn::takeover::parse_dhcp_hosts(text);
  const auto told = hamn::takeover::parse_dhcp_query(text);
  for (const auto& hosts : {declared, told}) {
    for (const auto& [mac, address] : hosts) {
      if (mac != hamn::base::to_lower(mac)) std::abort();
    }
  }
  if (hamn::takeover::parse_dhcp_query(text + "\n" + text) != told) std::abort();
  (void)hamn::takeover::prefers_kea("", text);
  return 0;
}
