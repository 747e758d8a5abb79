#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/network.h"
#include "dbrepl/lock_holders.h"
#include "takeover/addresses.h"
#include "takeover/cluster.h"

/// Any bytes as /etc/hosts, as the output of `ip address` and as /proc/locks: what is found there
/// are addresses, interfaces and processes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  for (const auto& [name, addresses] : hamn::takeover::parse_hosts(text)) {
    if (name.empty() || addresses.empty()) std::abort();
    for (const auto& address : addresses) {
      if (!hamn::base::is_address(address)) std::abort();
    }
  }
  for (const auto& found : hamn::takeover::parse_ip_address(text)) {
    const hamn::base::Subnet subnet{.address = found.address, .prefix_length = found.prefix_length};
    if (found.interface.empty() || found.interface == "lo") std::abort();
    if (hamn::base::parse_subnet(to_text(subnet)) != subnet) std::abort();
    if (!contains(subnet, found.address)) std::abort();
  }
  for (const auto process : hamn::dbrepl::lock_owners(text, 0xfd, 0, 1234567)) {
    if (process <= 0) std::abort();
  }
  return 0;
}
