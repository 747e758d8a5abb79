#pragma once

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

}  // namespace hamn::takeover
