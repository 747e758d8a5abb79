#pragma once

#include "takeover/context.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// Nobody else may hold the service address: asked by ARP, not by ping, since a host that filters
/// ICMP, and one whose programs hang, still answer ARP.
class CheckAddressFree : public Step {
 public:
  explicit CheckAddressFree(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "check-address"; }
  [[nodiscard]] std::string title() const override {
    return "Make sure that nobody else holds " + context_.site.service.address.address;
  }
  [[nodiscard]] std::string section() const override { return "Failover: change the IP address"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override { return {"fence-primary"}; }

 private:
  const Context& context_;
};

/// Name of the note that TakeAddress leaves before it takes an address away for a moment.
constexpr const char* addresses_note = "addresses";

/// The service address comes up here, as the first one of its subnet: makedhcp hands out the first
/// address of the interface as next-server, whatever site.master says (seen with xCAT 2.19).
///
/// Where this host's own address is first, it is taken away and given back behind the service
/// address, with promote_secondaries set, since the kernel otherwise drops all other addresses of
/// the subnet together with the first one.
class TakeAddress : public Step {
 public:
  explicit TakeAddress(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "take-address"; }
  [[nodiscard]] std::string title() const override {
    return "Bring up " + base::to_text(context_.site.service.address) + " on " +
           context_.interface();
  }
  [[nodiscard]] std::string section() const override { return "Failover: change the IP address"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] base::Plan undo(const base::Finding& before) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override {
    return {"check-address", "promote-database"};
  }

 private:
  [[nodiscard]] std::vector<base::InterfaceAddress> lost_addresses(
      const std::vector<base::InterfaceAddress>& present) const;
  const Context& context_;
};

/// Tells everybody on the wire at once: without it nodes go on talking to the old MAC for up to 49
/// s.
class AnnounceAddress : public Step {
 public:
  explicit AnnounceAddress(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "announce-address"; }
  [[nodiscard]] std::string title() const override {
    return "Announce " + context_.site.service.address.address + " to the network";
  }
  [[nodiscard]] std::string section() const override { return "Failover: change the IP address"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] base::Finding verify(const std::vector<base::Outcome>& outcomes) override;
  [[nodiscard]] std::vector<std::string_view> needs() const override { return {"take-address"}; }

 private:
  const Context& context_;
};

/// The host name that the cluster knows, in the kernel and in /etc/hostname.
class TakeHostname : public Step {
 public:
  explicit TakeHostname(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "take-hostname"; }
  [[nodiscard]] std::string title() const override {
    return "Take the host name " + context_.site.service.hostname;
  }
  [[nodiscard]] std::string section() const override { return "Failover: change the hostname"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] base::Plan undo(const base::Finding& before) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override { return {"take-address"}; }

 private:
  const Context& context_;
};

/// Actions that make `wanted` the first address of its subnet on `interface`, given the addresses
/// there in the kernel's order; `own` comes back behind it. Empty if nothing is to be done. Pure.
[[nodiscard]] base::Plan plan_address(const std::string& host, const std::string& interface,
                                      const base::Subnet& wanted, const std::string& own,
                                      const std::vector<base::InterfaceAddress>& present);

}  // namespace hamn::takeover
