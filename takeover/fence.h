#pragma once

#include "takeover/context.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// What a fence method says about the power of a host.
enum class Power { off, on, unknown };
[[nodiscard]] std::string to_text(Power power);

/// Runs the status command of a method; "off" only if it succeeded and said so. Anything else that it
/// says with success is "on"; failure of any kind is unknown.
[[nodiscard]] Power read_power(base::Host& host, const base::FenceMethod& method,
                               const std::string& target);

/// Switches the primary off and reads its power state again. "The command said ok" proves nothing.
class FencePrimary : public Step {
 public:
  explicit FencePrimary(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "fence-primary"; }
  [[nodiscard]] std::string title() const override {
    return "Make sure that " + context_.primary + " is off";
  }
  [[nodiscard]] std::string section() const override {
    return "Failover: shut down the primary management node";
  }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] std::chrono::seconds patience() const override { return std::chrono::seconds{30}; }
  [[nodiscard]] std::vector<std::string_view> needs() const override {
    return {"freeze-replication"};
  }

 private:
  const Context& context_;
};

/// Writes down on what evidence the primary is taken to be off: after its address has moved here,
/// it can not be asked any more.
class RecordPrimaryOff : public Step {
 public:
  explicit RecordPrimaryOff(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "record-primary-off"; }
  [[nodiscard]] std::string title() const override {
    return "Record the evidence that " + context_.primary + " is off";
  }
  [[nodiscard]] std::string section() const override {
    return "Failover: shut down the primary management node";
  }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] base::Plan undo(const base::Finding& before) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override { return {"fence-primary"}; }

 private:
  const Context& context_;
};

/// Name of the note that RecordPrimaryOff writes.
constexpr const char* primary_off_note = "primary-off";

}  // namespace hamn::takeover
