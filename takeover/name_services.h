#pragma once

#include "takeover/context.h"
#include "takeover/expectation.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// /etc/hosts holds every node of the cluster: makedns takes its names from there. Nodes to which
/// makehosts gives no line are left to somebody to follow up.
class MakeHosts : public Step {
 public:
  explicit MakeHosts(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "makehosts"; }
  [[nodiscard]] std::string title() const override { return "Name all nodes in /etc/hosts"; }
  [[nodiscard]] std::string section() const override { return "Failover: makehosts"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] base::Finding verify(const std::vector<base::Outcome>& outcomes) override;
  [[nodiscard]] std::vector<std::string_view> needs() const override { return {"start-xcatd"}; }

 private:
  const Context& context_;
};

/// DNS at the service address answers for every node that makedns enters.
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

  /// Whether the server here says what it should.
  [[nodiscard]] base::Finding check_answers(const std::string& unit);
  /// The names for which it says something else, or nothing.
  [[nodiscard]] std::vector<std::string> wrong_names(const Answers& expected) const;

  const Context& context_;
};

}  // namespace hamn::takeover
