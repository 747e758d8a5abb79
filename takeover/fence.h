#pragma once

#include "takeover/context.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// What a fence method says about the power of a host.
enum class Power { off, on, unknown };
[[nodiscard]] std::string to_text(Power power);

/// Runs the status command of a method; "off" only if it succeeded and said so. Anything else that
/// it says with success is "on"; failure of any kind is unknown.
[[nodiscard]] Power read_power(base::Host& host, const base::FenceMethod& method,
                               const std::string& target);

/// True if one of the fence methods reads that the primary is off.
[[nodiscard]] bool is_read_off(const Context& context);

/// Switches the primary off, reads its power state again, and writes down on what evidence it is
/// taken to be off: "the command said ok" proves nothing, and after the address has moved here the
/// primary can not be asked any more.
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
  [[nodiscard]] base::Plan undo(const base::Finding& before) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override {
    return {"freeze-replication"};
  }

 private:
  const Context& context_;
};

/// Name of the note that says why the primary counts as off.
constexpr const char* primary_off_note = "primary-off";

/// `hamn takeover record-off`: reads the power state until a method says "off" or `limit` is over,
/// then writes the note. Without such a reading the administrator's statement counts, unless a
/// method says "on". Throws Error (Exit::refused) if nothing proves it. Answers the evidence.
std::string record_primary_off(const Context& context, base::Milliseconds limit);

}  // namespace hamn::takeover
