#include "takeover/networks.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace hamn::takeover {

namespace {

const std::string& value_of(const Row& row, const std::string& column) {
  static const std::string nothing;
  const auto found = row.find(column);
  return found == row.end() ? nothing : found->second;
}

/// "10.1.2.3" → its 32 bits; nothing if it is no IPv4 address.
std::optional<std::uint32_t> number_of(const std::string& address) {
  if (!base::is_address(address) || base::is_ipv6(address)) return std::nullopt;
  std::uint32_t number = 0;
  for (const auto& part : base::split(address, '.')) {
    number = number << 8U | static_cast<std::uint32_t>(base::parse_unsigned(part).value_or(0));
  }
  return number;
}

/// 255.255.0.0 → 16; nothing if the bits are not in one piece.
std::optional<int> prefix_length(const std::string& mask) {
  const auto bits = number_of(mask);
  if (!bits) return std::nullopt;
  int length = 0;
  while (length < 32 && (*bits >> (31U - static_cast<unsigned>(length)) & 1U) != 0U) ++length;
  const bool is_in_one_piece = length == 32 || (*bits << static_cast<unsigned>(length)) == 0U;
  return is_in_one_piece ? std::optional{length} : std::nullopt;
}

std::optional<base::Subnet> subnet_of(const Row& row) {
  const auto& net = value_of(row, "net");
  if (net.find('/') != std::string::npos) return base::parse_subnet(net);
  const auto length = prefix_length(value_of(row, "mask"));
  return length ? base::parse_subnet(net + "/" + std::to_string(*length)) : std::nullopt;
}

std::string without_dot(const std::string& domain) {
  return domain.starts_with(".") ? domain.substr(1) : domain;
}

/// "10.1.0.1-10.1.0.99;10.1.9.1,10.1.9.9" → first and last of each.
std::vector<std::pair<std::string, std::string>> ranges_of(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> ranges;
  for (auto part : base::split(text, ';')) {
    std::replace_if(
        part.begin(), part.end(), [](char c) { return c == '-' || c == ','; }, ' ');
    const auto words = base::words_of(part);
    if (words.size() == 2) ranges.emplace_back(words[0], words[1]);
  }
  return ranges;
}

/// Whether the name servers of a row are this host, as makedns sees it.
bool is_named_by(const std::string& servers, const base::Subnet& subnet,
                 const std::string& site_servers, const std::vector<base::InterfaceAddress>& here) {
  if (servers.empty()) return true;
  for (const auto& own : here) {
    if (!base::contains(subnet, own.address)) continue;
    for (const auto& word : base::split(servers, ',')) {
      const auto server = base::trim(word);
      if (server == own.address || server == "<xcatmaster>" || server == site_servers) return true;
    }
  }
  return false;
}

}  // namespace

Networks::Networks(const Cluster& cluster, const std::vector<base::InterfaceAddress>& here)
    : site_domain_(without_dot(cluster.site_value("domain", ""))) {
  for (const auto& own : here) {
    own_.push_back({.address = own.address, .prefix_length = own.prefix_length});
  }
  const auto table = cluster.tables.find("networks");
  if (table == cluster.tables.end()) return;
  const auto site_servers = cluster.site_value("nameservers", "");
  for (const auto& row : table->second) {
    const auto subnet = subnet_of(row);
    if (!subnet) continue;
    networks_.push_back(
        {.subnet = *subnet,
         .domain = without_dot(value_of(row, "domain")),
         .ranges = ranges_of(value_of(row, "dynamicrange")),
         .is_remote = value_of(row, "mgtifname").find("!remote!") != std::string::npos,
         .is_named_here = is_named_by(value_of(row, "nameservers"), *subnet, site_servers, here)});
  }
}

bool Networks::reaches(const std::string& address) const {
  return std::any_of(own_.begin(), own_.end(),
                     [&](const auto& own) { return base::contains(own, address); }) ||
         std::any_of(networks_.begin(), networks_.end(), [&](const auto& network) {
           return network.is_remote && base::contains(network.subnet, address);
         });
}

bool Networks::gives_away(const std::string& address) const {
  const auto number = number_of(address);
  if (!number) return false;
  for (const auto& network : networks_) {
    for (const auto& [first, last] : network.ranges) {
      const auto low = number_of(first);
      const auto high = number_of(last);
      if (low && high && *low <= *number && *number <= *high) return true;
    }
  }
  return false;
}

bool Networks::serves_names(const std::string& address) const {
  return std::any_of(networks_.begin(), networks_.end(), [&](const auto& network) {
    return network.is_named_here && base::contains(network.subnet, address);
  });
}

std::string Networks::domain(const std::string& address) const {
  const Network* best = nullptr;
  for (const auto& network : networks_) {
    if (network.domain.empty() || !base::contains(network.subnet, address)) continue;
    if (best == nullptr || network.subnet.prefix_length > best->subnet.prefix_length) {
      best = &network;
    }
  }
  return best == nullptr ? site_domain_ : best->domain;
}

}  // namespace hamn::takeover
