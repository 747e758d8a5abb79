#pragma once

#include <map>
#include <optional>
#include <string>

#include "takeover/context.h"

namespace hamn::takeover {

/// The DHCP server of this host, as xCAT sets it up: isc-dhcp or Kea.
struct DhcpServer {
  enum class Kind { isc, kea };
  Kind kind = Kind::isc;
  std::string unit;  ///< of systemd
};

/// Whether xCAT uses Kea where `site.dhcpbackend` is `requested` ("", "auto", "isc", "kea") on the
/// system that /etc/os-release describes: EL 10 and Ubuntu 22.04 and later (xCAT::DHCP::Backend of
/// xCAT 2.19). Pure.
[[nodiscard]] bool prefers_kea(const std::string& requested, const std::string& os_release);

/// The server that xCAT writes for; of the two, the other one if only that is installed. Nothing if
/// none is.
[[nodiscard]] std::optional<DhcpServer> find_dhcp_server(const Context& context);

/// True if its configuration tells nodes that `address` is the next server, and was written after
/// xcatd was started by this takeover: an older one may be of a time when this host was the primary
/// before, with networks and keys of then.
[[nodiscard]] bool is_configured_for(const Context& context, const DhcpServer& server,
                                     const std::string& address);

/// True if dhcpd was started before its configuration was last written. False for Kea, which is
/// told to read it again, and where that cannot be seen.
[[nodiscard]] bool runs_an_old_configuration(const Context& context, const DhcpServer& server);

/// What the server knows: MAC → address. isc-dhcp keeps hosts in dhcpd.leases, where omshell puts
/// them, or in dhcpd.conf, where xCAT puts them on Ubuntu; Kea is asked by `makedhcp -q all`.
/// Throws Error if the question fails.
[[nodiscard]] std::map<std::string, std::string> known_dhcp_hosts(const Context& context,
                                                                  const DhcpServer& server);

/// A makedhcp command with the time limit of xCAT's commands.
[[nodiscard]] base::Command makedhcp(const Context& context,
                                     const std::vector<std::string>& arguments);

/// Host declarations of dhcpd.conf or dhcpd.leases: MAC → fixed address. Later declarations of a
/// name win, deleted ones are left out. Pure. (dhcpd.conf(5), dhcpd.leases(5))
[[nodiscard]] std::map<std::string, std::string> parse_dhcp_hosts(const std::string& text);

/// Lines of `makedhcp -q all`: "n001: ip-address = 10.1.2.1 hardware-address = 02:00:00:00:02:01
/// hostname = n001", with or without commas (Kea, isc-dhcp; xCAT 2.19). Pure.
[[nodiscard]] std::map<std::string, std::string> parse_dhcp_query(const std::string& output);

}  // namespace hamn::takeover
