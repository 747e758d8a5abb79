#pragma once

#include "takeover/context.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// Nodes that are to be installed or booted over the network find their boot files here.
///
/// Only nodes whose chain.currstate asks for it: nodeset for a node that runs would make it
/// reinstall at its next boot. Where the synced files are right, as they are when the same address
/// is taken over, nothing is run.
class Nodeset : public Step {
 public:
  explicit Nodeset(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "nodeset"; }
  [[nodiscard]] std::string title() const override {
    return "Boot files for the nodes that are being deployed";
  }
  [[nodiscard]] std::string section() const override { return "Failover: nodeset"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] base::Finding verify(const std::vector<base::Outcome>& outcomes) override;
  [[nodiscard]] std::vector<std::string_view> needs() const override {
    return {"start-xcatd", "makedhcp"};
  }

 private:
  [[nodiscard]] bool is_ready(const Node& node);
  const Context& context_;
};

/// What of the old standby's identity stands in the cluster database: rows that name this host's
/// own address or name. They are told, not changed: some are right (a definition of the host
/// itself).
class StaleIdentity : public Step {
 public:
  explicit StaleIdentity(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "stale-identity"; }
  [[nodiscard]] std::string title() const override {
    return "Look for " + context_.here + "'s own old name and address in the database";
  }
  [[nodiscard]] std::string section() const override {
    return "Change the hostname or IP address of the management node";
  }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;

 private:
  /// "table.column=value" of every row that names this host.
  [[nodiscard]] std::vector<std::string> places_in(const std::string& table) const;

  const Context& context_;
};

/// True if `text` holds `word` and neither a letter, digit, '.', '-' nor '_' beside it. Pure.
[[nodiscard]] bool holds_word(const std::string& text, const std::string& word);

}  // namespace hamn::takeover
