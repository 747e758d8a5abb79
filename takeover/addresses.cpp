#include "takeover/addresses.h"

#include "base/error.h"
#include "base/text.h"

namespace hamn::takeover {

std::vector<base::InterfaceAddress> parse_ip_address(const std::string& output) {
  std::vector<base::InterfaceAddress> addresses;
  for (const auto& line : base::lines_of(output)) {
    // "2: eth0    inet 10.77.0.12/16 brd … scope global eth0\ …"
    const auto words = base::words_of(line);
    if (words.size() < 4 || (words[2] != "inet" && words[2] != "inet6") || words[1] == "lo")
      continue;
    if (const auto subnet = base::parse_subnet(words[3])) {
      addresses.push_back({.interface = words[1],
                           .address = subnet->address,
                           .prefix_length = subnet->prefix_length});
    }
  }
  return addresses;
}

std::vector<base::InterfaceAddress> local_addresses_of(base::Host& host) {
  const base::Command command{.argv = {"ip", "-oneline", "address", "show"}};
  const auto outcome = host.run(command);
  if (!outcome.succeeded()) {
    throw base::Error{{.what = "cannot list the addresses of " + host.name(),
                       .detail = "ip " + base::describe(outcome, command),
                       .hint = "install iproute2; look at: ip address"}};
  }
  return parse_ip_address(outcome.output);
}

}  // namespace hamn::takeover
