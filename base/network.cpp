#include "base/network.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <bit>
#include <cerrno>
#include <memory>

#include "base/error.h"
#include "base/text.h"

namespace hamn::base {

namespace {

int prefix_length_of(const sockaddr* mask) {
  if (mask == nullptr) return 0;
  int bits = 0;
  const auto count = [&](const void* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      bits += std::popcount(static_cast<const unsigned char*>(bytes)[i]);
    }
  };
  if (mask->sa_family == AF_INET) {
    count(&reinterpret_cast<const sockaddr_in*>(mask)->sin_addr, sizeof(in_addr));
  } else {
    count(&reinterpret_cast<const sockaddr_in6*>(mask)->sin6_addr, sizeof(in6_addr));
  }
  return bits;
}

std::string numeric(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text.data(),
                text.size());
  } else {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text.data(),
                text.size());
  }
  return text.data();
}

/// An address as the kernel keeps it; the unused rest is zero.
struct Bytes {
  int family = AF_UNSPEC;
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
};

/// Strict: four decimal numbers without leading zeros, or IPv6 without a zone.
std::optional<Bytes> parse(const std::string& text) {
  Bytes parsed{.family = is_ipv6(text) ? AF_INET6 : AF_INET};
  if (::inet_pton(parsed.family, text.c_str(), parsed.bytes.data()) != 1 ||
      text.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  return parsed;
}

}  // namespace

std::vector<InterfaceAddress> local_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) < 0) {
    throw system_error("cannot list the network addresses of this host", errno,
                       "look at: ip address");
  }
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner{list, ::freeifaddrs};
  std::vector<InterfaceAddress> found;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || (each->ifa_flags & IFF_LOOPBACK) != 0U) continue;
    const auto family = each->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    found.push_back({.interface = each->ifa_name,
                     .address = numeric(each->ifa_addr),
                     .prefix_length = prefix_length_of(each->ifa_netmask)});
  }
  return found;
}

std::optional<std::string> canonical_address(const std::string& text) {
  const auto parsed = parse(text);
  if (!parsed) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  ::inet_ntop(parsed->family, parsed->bytes.data(), canonical.data(), canonical.size());
  return canonical.data();
}

bool is_address(const std::string& text) {
  return parse(text).has_value();
}

bool is_ipv6(const std::string& address) {
  return address.find(':') != std::string::npos;
}

std::optional<Subnet> parse_subnet(const std::string& text) {
  const auto parts = split(text, '/');
  if (parts.size() != 2) return std::nullopt;
  const auto address = canonical_address(parts[0]);
  const auto length = parse_unsigned(parts[1]);
  if (!address || !length || *length == 0 || *length > (is_ipv6(parts[0]) ? 128U : 32U)) {
    return std::nullopt;
  }
  return Subnet{.address = *address, .prefix_length = static_cast<int>(*length)};
}

std::string to_text(const Subnet& subnet) {
  return subnet.address + "/" + std::to_string(subnet.prefix_length);
}

bool contains(const Subnet& subnet, const std::string& address) {
  const auto network = parse(subnet.address);
  const auto found = parse(address);
  if (!network || !found || network->family != found->family) return false;
  int rest = subnet.prefix_length;
  for (std::size_t i = 0; i < found->bytes.size() && rest > 0; ++i, rest -= 8) {
    const unsigned mask = rest >= 8 ? 0xffU : 0xffU << static_cast<unsigned>(8 - rest) & 0xffU;
    if (((found->bytes.at(i) ^ network->bytes.at(i)) & mask) != 0U) return false;
  }
  return true;
}

}  // namespace hamn::base
