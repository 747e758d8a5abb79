#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/role.h"
#include "takeover/runbook.h"
#include "takeover/steps.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_journal.h"
#include "tests/support/temporary_directory.h"

namespace hamn::takeover {

/// Ends a run as kill -9 does: no code under test catches it.
struct Killed {};

/// What a primary still does.
enum class Life {
  works,  ///< ssh and xcatd answer
  hangs,  ///< the kernel answers, services do not
  silent  ///< cut off, or off
};

/// Everything that a takeover can change, as plain data.
struct WorldState {
  std::map<std::string, std::string> files;  ///< of the standby
  std::vector<base::InterfaceAddress> addresses;
  bool promote_secondaries = false;
  std::string hostname;
  std::set<std::string> active;  ///< units
  std::set<std::string> activating;
  std::set<std::string> enabled;  ///< units that start at boot
  std::set<std::string> rows;     ///< of the live database
  std::optional<std::set<std::string>> rows_before_swap;
  std::map<std::string, std::string> zone;  ///< what the DNS server knows
  std::string dhcp_config;                  ///< the configuration that the running dhcpd has read
  bool conserver_runs = false;
  bool primary_has_power = true;
  Life primary = Life::silent;

  friend bool operator==(const WorldState&, const WorldState&) = default;
};

/// What a command does wrong.
struct Fault {
  bool works = true;  ///< whether it does what it should, whatever it says
  base::Outcome outcome;
};

/// A standby, a primary and the network between them, in one process. Commands have the effects
/// that the real ones have, as far as a takeover can see them; xcatd writes to its database
/// whenever it starts. May be ended at any moment by throwing Killed, and goes on with fresh
/// objects.
class World {
 public:
  struct Shape {
    bool alias = false;
    bool has_fence = true;
    std::size_t console_limit = 100;
    std::string own_address = "10.77.0.12";
  };
  explicit World(const Shape& shape);
  World() : World(Shape{}) {}

  /// One `hamn failover`, with fresh objects; the events of all runs are kept.
  RunOutcome failover(const Runbook::Orders& orders);
  RunOutcome failover() { return failover(default_orders()); }
  RunOutcome undo();
  [[nodiscard]] std::vector<StepPreview> preview();
  [[nodiscard]] Runbook::Orders default_orders() const;

  /// The standby loses power: what is only in memory is gone, what is enabled starts.
  void reboot();
  /// Throws Killed at the n-th moment from now; 0: never. A moment is an append to the journal, or
  /// the time before or after a change of the world.
  void kill_at(std::size_t n);
  [[nodiscard]] std::size_t moments() const { return moments_; }

  void given_point(base::Milliseconds age);
  void given_file_sets(base::Milliseconds age);
  void given_role(base::RoleName name);

  /// Everything as text, one line each, to be compared and read.
  [[nodiscard]] std::string shown() const;
  [[nodiscard]] base::RoleName role() const;
  /// Sentences of the actions that were begun since the last clear().
  std::vector<std::string> actions;
  /// As the kernel lists them.
  [[nodiscard]] std::string addresses() const;

  WorldState state;
  /// By a piece of the command line.
  std::map<std::string, Fault> faults;
  /// Addresses that somebody else answers for.
  std::map<std::string, std::string> strangers;
  bool has_link = true;
  /// What the fence says instead of the truth; empty: the truth.
  std::string power_says;
  bool power_off_works = true;
  std::string statement;
  std::string accept_open;
  std::vector<base::Event> events;
  std::set<std::string> written_by_xcatd;
  std::vector<std::string> points = {"p0001-00000007"};
  test::FakeClock clock;
  base::Site site;
  Tables tables;

 private:
  class StandbyHost;
  class WatchedJournal;
  class WorldProbes;
  class Run;
  friend class StandbyHost;

  void moment();
  base::Outcome carry_out(const base::Command& command);
  [[nodiscard]] std::optional<base::Outcome> look(const std::vector<std::string>& argv) const;
  base::Outcome act(const std::vector<std::string>& argv);
  base::Outcome act_on_unit(const std::vector<std::string>& argv);
  base::Outcome act_on_address(const std::vector<std::string>& argv);
  base::Outcome act_as_xcat(const std::string& name, const std::vector<std::string>& argv);
  base::Outcome act_as_hamn(const std::vector<std::string>& argv);
  [[nodiscard]] base::Outcome look_as_hamn(const std::vector<std::string>& argv) const;
  void start(const std::string& unit);
  void delete_address(const std::string& address);
  [[nodiscard]] std::string first_address() const;
  [[nodiscard]] std::set<std::string> rows_of_point() const;

  std::size_t kill_at_ = 0;
  std::size_t moments_ = 0;
  int starts_ = 0;
  int runs_ = 0;
  base::Milliseconds point_age_{0};
  base::WallTime point_taken_;
  Run* run_ = nullptr;
};

}  // namespace hamn::takeover
