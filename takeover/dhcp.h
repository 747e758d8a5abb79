#pragma once

#include <map>
#include <string>

#include "takeover/context.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// The DHCP server runs and hands out the service address as the next server.
class MakeDhcp : public Step {
 public:
  explicit MakeDhcp(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "makedhcp"; }
  [[nodiscard]] std::string title() const override { return "Set up and start DHCP"; }
  [[nodiscard]] std::string section() const override { return "Failover: makedhcp"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override { return {"start-xcatd"}; }

 private:
  const Context& context_;
};

/// The DHCP server knows every node.
class MakeDhcpNodes : public Step {
 public:
  explicit MakeDhcpNodes(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "makedhcp-nodes"; }
  [[nodiscard]] std::string title() const override { return "Tell DHCP about all nodes"; }
  [[nodiscard]] std::string section() const override { return "Failover: makedhcp"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override { return {"makedhcp"}; }

 private:
  const Context& context_;
};

/// The hosts that isc-dhcp keeps in its lease file, as omshell makes them: MAC → fixed address.
/// Later declarations of a name win, deleted ones are left out. Pure. (dhcpd.leases(5))
[[nodiscard]] std::map<std::string, std::string> parse_lease_hosts(const std::string& text);

/// The same from `makedhcp -q all`, for servers that keep no lease file of that kind:
/// "n001: ip-address = 10.1.2.1, hardware-address = 02:00:00:00:02:01" (xCAT 2.19). Pure.
[[nodiscard]] std::map<std::string, std::string> parse_dhcp_query(const std::string& output);

}  // namespace hamn::takeover
