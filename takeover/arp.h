#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace hamn::takeover {

/// Address Resolution Protocol from user space: who holds an address, and telling everybody that
/// this host holds it now. IPv4 on Ethernet. Needs root (CAP_NET_RAW).

/// Asks three times within `limit` who has `address`, with the sender address 0.0.0.0 so that no
/// cache is touched (RFC 5227, probe). Answers the MAC of whoever replied first, or nothing.
/// Kernels answer ARP even when everything above hangs: silence says more than a failing ping.
[[nodiscard]] std::optional<std::string> arp_probe(const std::string& interface,
                                                   const std::string& address,
                                                   base::Milliseconds limit);

/// Announces that `address` is at this host's `interface`: one gratuitous request and one
/// gratuitous reply per round, since some switches and stacks heed only one of them (RFC 5227,
/// section 3).
void arp_announce(const std::string& interface, const std::string& address, int rounds,
                  base::Milliseconds pause);

/// False if the cable is out or the interface is down: then silence on the line means nothing.
[[nodiscard]] bool has_carrier(const std::string& interface);

}  // namespace hamn::takeover
