#pragma once

#include "takeover/context.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// xcatd must not run on this host while the database is exchanged under it.
class StopXcatd : public Step {
 public:
  explicit StopXcatd(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "stop-xcatd"; }
  [[nodiscard]] std::string title() const override {
    return "Make sure that xcatd is stopped on this host";
  }
  [[nodiscard]] std::string section() const override {
    return "Failover: stop the database on the standby management node";
  }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override { return {"fence-primary"}; }

 private:
  const Context& context_;
};

/// The newest recovery point becomes the live database.
class PromoteDatabase : public Step {
 public:
  explicit PromoteDatabase(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "promote-database"; }
  [[nodiscard]] std::string title() const override {
    return "Put the newest recovery point in charge of the database";
  }
  [[nodiscard]] std::string section() const override { return "Failover: database takeover"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] base::Plan undo(const base::Finding& before) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override { return {"stop-xcatd"}; }

 private:
  const Context& context_;
};

/// The database's own configuration follows the new address, and xCAT's pointer leads to it.
class RepointDatabase : public Step {
 public:
  explicit RepointDatabase(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "repoint-database"; }
  [[nodiscard]] std::string title() const override {
    return "Point the database to the new address";
  }
  [[nodiscard]] std::string section() const override {
    return "Failover: update the database configuration to use the new IP address and hostname";
  }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override {
    return {"promote-database", "take-address"};
  }

 private:
  const Context& context_;
};

/// Name of the note that PromoteDatabase leaves.
constexpr const char* promoted_note = "promoted";

}  // namespace hamn::takeover
