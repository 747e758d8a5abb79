#pragma once

#include "takeover/context.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// /etc/hosts holds every node of the hosts table: makedns takes its names from there.
class MakeHosts : public Step {
 public:
  explicit MakeHosts(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "makehosts"; }
  [[nodiscard]] std::string title() const override { return "Name all nodes in /etc/hosts"; }
  [[nodiscard]] std::string section() const override { return "Failover: makehosts"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override { return {"start-xcatd"}; }

 private:
  const Context& context_;
};

/// DNS at the service address answers for every node.
class MakeDns : public Step {
 public:
  explicit MakeDns(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "makedns"; }
  [[nodiscard]] std::string title() const override { return "Set up and start DNS"; }
  [[nodiscard]] std::string section() const override { return "Failover: makedns"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override {
    return {"start-xcatd", "makehosts"};
  }

 private:
  using Answers = std::map<std::string, std::vector<std::string>>;  ///< full name → right addresses

  /// What DNS has to say for the nodes that are in /etc/hosts.
  [[nodiscard]] Answers expected_answers() const;
  /// The names for which it says something else, or nothing.
  [[nodiscard]] std::vector<std::string> wrong_names(const Answers& expected) const;

  const Context& context_;
};

/// "12 of 1,001 nodes lack …: n001, n002, n003, …". Pure.
[[nodiscard]] std::string name_some(const std::vector<std::string>& names);

}  // namespace hamn::takeover
