#pragma once

#include "takeover/context.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// Name of the note that StartXcatd leaves before it starts xcatd: from then on the database
/// belongs to xcatd, and is not replaced again.
constexpr const char* serving_note = "serving";

/// xcatd comes up on the promoted database and answers. By systemctl, never by restartxcatd: that
/// hands sockets over outside systemd, which then tears the new daemon's directory away.
///
/// The point of no return: from here on nodes write to this database.
class StartXcatd : public Step {
 public:
  explicit StartXcatd(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "start-xcatd"; }
  [[nodiscard]] std::string title() const override { return "Start xcatd"; }
  [[nodiscard]] std::string section() const override { return "Failover: start xcatd"; }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] std::chrono::seconds patience() const override { return std::chrono::seconds{180}; }
  [[nodiscard]] std::vector<std::string_view> needs() const override {
    return {"promote-database", "take-hostname", "repoint-database"};
  }
  [[nodiscard]] bool is_point_of_no_return() const override { return true; }
  [[nodiscard]] bool is_passed() const override;

 private:
  const Context& context_;
};

/// Consoles of the nodes, by conserver or goconserver.
///
/// makeconservercf restarts conserver, which starts one process per console at once unless
/// site.consoleondemand is set; on a thousand nodes that took all memory of a management node. So
/// above [takeover] console_limit the step is left for the administrator, who is told what to type.
class Consoles : public Step {
 public:
  explicit Consoles(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "consoles"; }
  [[nodiscard]] std::string title() const override { return "Set up the consoles"; }
  [[nodiscard]] std::string section() const override {
    return "Failover: makeconservercf or makegocons";
  }
  [[nodiscard]] base::Finding check() override;
  [[nodiscard]] base::Plan plan(const base::Finding& found) const override;
  [[nodiscard]] std::vector<std::string_view> needs() const override { return {"start-xcatd"}; }

 private:
  [[nodiscard]] std::optional<std::string> unit() const;
  [[nodiscard]] base::Finding check_conserver(const std::string& unit,
                                              const std::vector<std::string>& wanted);
  [[nodiscard]] base::Finding check_goconserver(const std::vector<std::string>& wanted);

  const Context& context_;
};

}  // namespace hamn::takeover
