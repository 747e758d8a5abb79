#pragma once

#include "takeover/context.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// First of all: nothing may change the standby's copy any more. The role becomes "promoting",
/// which refuses every push; receivers that are at work are ended (each file is old or new); timers
/// stop.
class FreezeReplication : public Step {
 public:
  explicit FreezeReplication(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "freeze-replication"; }
  [[nodiscard]] std::string title() const override { return "Freeze replication on this host"; }
  [[nodiscard]] std::string section() const override {
    return "Setup Database Replication; Files Synchronization";
  }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] base::Plan undo(const base::Finding& before) const override;

 private:
  const Context& context_;
};

/// Last of all: this host is the primary of the new epoch.
class RecordRole : public Step {
 public:
  explicit RecordRole(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "record-role"; }
  [[nodiscard]] std::string title() const override {
    return "Record this host as the primary of epoch " + std::to_string(context_.epoch);
  }
  [[nodiscard]] std::string section() const override { return "Failover"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override;

 private:
  const Context& context_;
};

}  // namespace hamn::takeover
