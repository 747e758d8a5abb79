#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/network.h"
#include "takeover/cluster.h"

namespace hamn::takeover {

/// The table networks as this host sees it: which addresses it reaches, serves names for, or gives
/// away. Rows that are no network are passed over. Refers to nothing that it was made of.
class Networks {
 public:
  /// `here` are the addresses of this host.
  Networks(const Cluster& cluster, const std::vector<base::InterfaceAddress>& here);

  /// On a network of this host, or in one whose mgtifname says "!remote!" (nodeonmynet).
  [[nodiscard]] bool reaches(const std::string& address) const;
  /// Inside the dynamicrange of a network.
  [[nodiscard]] bool gives_away(const std::string& address) const;
  /// In a network without nameservers, or where they are this host, "<xcatmaster>" or
  /// site.nameservers, and this host is on it (ddns.pm).
  [[nodiscard]] bool serves_names(const std::string& address) const;
  /// The domain of the longest network with a domain that holds the address, else site.domain.
  [[nodiscard]] std::string domain(const std::string& address) const;

 private:
  struct Network {
    base::Subnet subnet;
    std::string domain;
    std::vector<std::pair<std::string, std::string>> ranges;  ///< first and last address
    bool is_remote = false;
    bool is_named_here = false;
  };

  std::vector<Network> networks_;
  std::vector<base::Subnet> own_;
  std::string site_domain_;
};

}  // namespace hamn::takeover
