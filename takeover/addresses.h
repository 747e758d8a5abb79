#pragma once

#include <string>
#include <vector>

#include "base/host.h"
#include "base/network.h"

namespace hamn::takeover {

/// The addresses of `host` in the kernel's order, loopback left out: `ip -oneline address`.
[[nodiscard]] std::vector<base::InterfaceAddress> local_addresses_of(base::Host& host);

/// Pure part of it (iproute2 6.1, ip-address(8)).
[[nodiscard]] std::vector<base::InterfaceAddress> parse_ip_address(const std::string& output);

}  // namespace hamn::takeover
