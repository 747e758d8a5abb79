#include "takeover/expectation.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

#include "base/text.h"
#include "takeover/networks.h"

namespace hamn::takeover {

namespace {

using base::State;
using Names = std::map<std::string, std::vector<std::string>>;  ///< name → addresses

constexpr const char* no_address = "without an address";
constexpr const char* not_here = "not on a network of this host";
constexpr const char* dynamic = "inside a dynamic range";
constexpr const char* infiniband = "with an InfiniBand MAC, which is not looked for";
constexpr const char* malformed = "with a MAC that is none";
constexpr const char* shared = "with a MAC that another address has too";
constexpr const char* passed_over = "on a line of /etc/hosts that makedns passes over";
constexpr const char* foreign = "in no network that this host serves names for";
constexpr const char* no_domain = "without a domain";
constexpr const char* only_ipv6 = "with IPv6 only, which is not asked for";

/// "AA-BB-CC-00-11-22" and "aabbcc001122" → "aa:bb:cc:00:11:22"; nothing if it has other
/// characters.
std::optional<std::string> normalised(const std::string& mac) {
  std::string digits;
  for (const char c : mac) {
    if (c == ':' || c == '-' || c == '.') continue;
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
    digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (digits.size() < 12 || digits.size() % 2 != 0) return std::nullopt;
  std::string text;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    text += (i == 0 ? "" : ":") + digits.substr(i, 2);
  }
  return text;
}

constexpr std::size_t ethernet_characters = std::string_view{"00:00:00:00:00:00"}.size();

/// Collects what makedhcp enters, node by node.
class DhcpCollector {
 public:
  DhcpCollector(const Cluster& cluster, const std::string& hosts_text,
                const std::vector<base::InterfaceAddress>& here)
      : cluster_(cluster), names_(parse_hosts(hosts_text)), networks_(cluster, here) {}

  void take(const Node& node) {
    const auto address = address_of(node.name);
    if (!address) return leave_out(no_address, node.name);
    if (!networks_.reaches(*address)) return leave_out(not_here, node.name);
    for (const auto& entry : base::split(node.mac, '|')) {
      const auto mark = entry.find('!');
      const auto mac = entry.substr(0, mark);
      const auto name = mark == std::string::npos ? "" : entry.substr(mark + 1);
      if (!mac.empty() && name != "*NOIP*") take(mac, name.empty() ? node.name : name);
    }
  }

  DhcpExpectation expectation() {
    DhcpExpectation expected;
    for (auto& [address, host] : by_address_) {
      std::erase_if(host.macs, [&](const auto& mac) { return claims_[mac].size() > 1; });
      if (host.macs.empty()) {
        leave_out(shared, host.name);
      } else {
        expected.hosts.push_back(std::move(host));
      }
    }
    expected.left_out = left_out_;
    return expected;
  }

 private:
  void take(const std::string& text, const std::string& name) {
    const auto mac = normalised(text);
    if (!mac) return leave_out(malformed, name);
    if (mac->size() > ethernet_characters) return leave_out(infiniband, name);
    const auto address = address_of(name);
    if (!address) return leave_out(no_address, name);
    if (!networks_.reaches(*address)) return leave_out(not_here, name);
    if (networks_.gives_away(*address)) return leave_out(dynamic, name);
    auto& host = by_address_[*address];
    if (host.macs.empty()) host.name = name;
    host.address = *address;
    host.macs.push_back(*mac);
    claims_[*mac].insert(*address);
  }

  [[nodiscard]] std::optional<std::string> address_of(const std::string& name) const {
    if (const auto found = names_.find(name); found != names_.end()) {
      for (const auto& address : found->second) {
        if (!base::is_ipv6(address)) return address;
      }
    }
    const auto known = cluster_.addresses.find(name);
    const bool is_right = known != cluster_.addresses.end() && !base::is_ipv6(known->second);
    return is_right ? std::optional{known->second} : std::nullopt;
  }

  void leave_out(const char* why, const std::string& name) {
    auto& names = left_out_[why];
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }

  const Cluster& cluster_;
  Names names_;
  Networks networks_;
  std::map<std::string, DhcpHost> by_address_;
  std::map<std::string, std::set<std::string>> claims_;  ///< MAC → addresses
  LeftOut left_out_;
};

bool is_name_for_dns(const std::string& name) {
  return !name.starts_with(".") && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.';
  });
}

/// The lines of /etc/hosts that makedns takes: valid names only, the last line of each address.
std::string lines_for_dns(const std::string& hosts_text) {
  std::map<std::string, std::string> by_address;
  std::vector<std::string> order;
  for (const auto& line : base::lines_of(hosts_text)) {
    const auto words = base::words_of(line.substr(0, line.find('#')));
    if (words.size() < 2 || !std::all_of(words.begin() + 1, words.end(), is_name_for_dns)) continue;
    if (!by_address.contains(words.front())) order.push_back(words.front());
    by_address[words.front()] = line;
  }
  std::string text;
  for (const auto& address : order) text += by_address[address] + "\n";
  return text;
}

std::string full_name(const std::string& name, const std::string& domain) {
  return name.ends_with("." + domain) ? name : name + "." + domain;
}

std::string sentence_end(const LeftOut& left_out) {
  const auto text = to_text(left_out);
  return text.empty() ? "" : "; " + text;
}

}  // namespace

std::string name_some(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 3;
  std::vector<std::string> some(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), shown)));
  return base::join(some, ", ") + (names.size() > shown ? ", …" : "");
}

std::string to_text(const LeftOut& left_out) {
  std::vector<std::string> parts;
  for (const auto& [why, names] : left_out) {
    parts.push_back(base::human_count(names.size()) + " " + why + " (" + name_some(names) + ")");
  }
  return parts.empty() ? "" : "left out: " + base::join(parts, "; ");
}

DhcpExpectation expected_dhcp(const Cluster& cluster, const std::string& hosts_text,
                              const std::vector<base::InterfaceAddress>& here) {
  DhcpCollector collector{cluster, hosts_text, here};
  for (const auto& node : cluster.nodes) {
    if (!node.mac.empty() && node.service_node.empty()) collector.take(node);
  }
  return collector.expectation();
}

base::Finding judge_dhcp(const DhcpExpectation& expected,
                         const std::map<std::string, std::string>& known) {
  base::Facts facts;
  const auto rest = sentence_end(expected.left_out);
  if (!rest.empty()) {
    facts["follow_up"] = "look whether DHCP has to know what was " + to_text(expected.left_out);
  }
  if (expected.hosts.empty()) {
    return {.state = State::not_applicable,
            .why = "no node has a MAC and an address" + rest,
            .facts = facts};
  }
  std::vector<std::string> missing;
  for (const auto& host : expected.hosts) {
    const bool is_known = std::any_of(host.macs.begin(), host.macs.end(), [&](const auto& mac) {
      const auto found = known.find(mac);
      return found != known.end() && found->second == host.address;
    });
    if (!is_known) missing.push_back(host.name);
  }
  const auto all = base::human_count(expected.hosts.size());
  if (missing.empty()) {
    return {.state = State::done, .why = "DHCP knows all " + all + " nodes" + rest, .facts = facts};
  }
  return {.state = State::due,
          .why = "DHCP does not know " + base::human_count(missing.size()) + " of " + all +
                 " nodes: " + name_some(missing) + rest,
          .facts = facts};
}

DnsExpectation expected_dns(const Cluster& cluster, const std::string& hosts_text,
                            const std::vector<base::InterfaceAddress>& here) {
  const Networks networks{cluster, here};
  const auto all = parse_hosts(hosts_text);
  const auto taken = parse_hosts(lines_for_dns(hosts_text));
  DnsExpectation expected;
  for (const auto& node : cluster.nodes) {
    const auto leave_out = [&](const char* why) { expected.left_out[why].push_back(node.name); };
    const auto found = taken.find(node.name);
    if (found == taken.end()) {
      leave_out(all.contains(node.name) ? passed_over : no_address);
      continue;
    }
    auto right = found->second;
    std::erase_if(right, [&](const auto& address) { return !networks.serves_names(address); });
    const bool is_foreign = right.empty();
    std::erase_if(right, base::is_ipv6);
    const auto domain = networks.domain(found->second.front());
    if (right.empty()) {
      leave_out(is_foreign ? foreign : only_ipv6);
    } else if (domain.empty()) {
      leave_out(no_domain);
    } else {
      expected.answers[full_name(node.name, domain)] = std::move(right);
    }
  }
  return expected;
}

bool has_external_dns(const Cluster& cluster) {
  const auto value = cluster.site_value("externaldns", "");
  return !value.empty() && value != "0";
}

HostsExpectation expected_hosts(const Cluster& cluster, const std::string& hosts_text) {
  const auto names = parse_hosts(hosts_text);
  std::map<std::string, std::size_t> owners;
  for (const auto& [node, address] : cluster.addresses) ++owners[address];
  HostsExpectation expected;
  for (const auto& node : cluster.nodes) {
    const auto found = names.find(node.name);
    const auto known = cluster.addresses.find(node.name);
    const bool is_certain = known != cluster.addresses.end() && owners[known->second] == 1;
    const bool is_there = found != names.end() &&
                          (!is_certain || std::find(found->second.begin(), found->second.end(),
                                                    known->second) != found->second.end());
    if (is_there) {
      ++expected.present;
    } else {
      (is_certain ? expected.missing : expected.unnamed).push_back(node.name);
    }
  }
  return expected;
}

}  // namespace hamn::takeover
