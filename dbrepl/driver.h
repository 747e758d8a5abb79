#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/host.h"
#include "base/plan.h"
#include "dbrepl/cfgloc.h"
#include "dbrepl/recovery_point.h"

namespace hamn::dbrepl {

/// What every driver needs to know and what does not change during a run.
struct ReplicationContext {
  std::string primary;  ///< name of the host in charge
  std::string standby;
  std::vector<std::string> program;  ///< how to call hamn there: {"hamn", "--config", …}
  DatabaseLocation location;         ///< where xCAT has its database
  DatabaseDirectories directories;
  std::uint64_t keep_points = 5;
  /// A recovery point that says "the same at that time" is renewed when that is longer ago.
  base::Milliseconds fresh_for = std::chrono::minutes{1};
};

/// Both sides as they were seen. A side that could not be asked is State::unknown.
struct Replica {
  base::Finding primary;
  base::Finding standby;
};

/// The name and address that the database has to answer to after a takeover.
struct NewIdentity {
  std::string hostname;
  std::string address;
};

/// One way of keeping the cluster database current on the standby, and of putting it in charge.
///
/// Looking (inspect_*) asks a host and answers a Finding whose facts the planners understand.
/// Planners are pure: equal findings give equal plans, and an empty plan means nothing to do. Work
/// inside hamn is a command of hamn, so that a plan can be carried out by hand.
/// Looking throws Error if it cannot find out. Threads: one.
class ReplicationDriver {
 public:
  virtual ~ReplicationDriver() = default;
  /// "sqlite", as in reports and in the configuration.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// The live database on `host`: facts say engine, place and a position that moves with every
  /// change. `done` = healthy.
  [[nodiscard]] virtual base::Finding inspect_live(base::Host& host) = 0;
  /// The newest recovery point on `host`: facts say its id, age, position. `due` = there is none.
  [[nodiscard]] virtual base::Finding inspect_points(base::Host& host) = 0;
  /// Whether the database that is live on `host` holds exactly what the recovery point in
  /// `promoted_from` (facts of inspect_points) holds. The postcondition of promote().
  [[nodiscard]] virtual base::Finding inspect_promoted(base::Host& host,
                                                       const base::Facts& promoted_from) = 0;

  /// From the primary: leads to a first recovery point on the standby.
  [[nodiscard]] virtual base::Plan seed(const Replica& seen) const = 0;
  /// From the primary: brings the standby up to date; empty if it is. This and seed() throw Error
  /// if one of the sides is unknown or the primary's database is not healthy.
  [[nodiscard]] virtual base::Plan catch_up(const Replica& seen) const = 0;
  /// On the standby, the primary being down: puts the newest recovery point in charge. Requires
  /// that xcatd is stopped there. Throws Error (Exit::refused) if there is no point.
  [[nodiscard]] virtual base::Plan promote(const base::Finding& points) const = 0;
  /// Back to what promote() replaced; empty if there is no way back.
  [[nodiscard]] virtual base::Plan undo_promote(const base::Facts& promoted_from) const = 0;
  /// On a former primary: takes its database out of service, so that it can be a standby.
  [[nodiscard]] virtual base::Plan demote(const base::Finding& live) const = 0;
  /// On the new primary: the database's own configuration follows the new address. Empty where the
  /// engine has none.
  [[nodiscard]] virtual base::Plan repoint(const NewIdentity& identity) const = 0;
  /// Checks the newest recovery point by content; on the standby.
  [[nodiscard]] virtual base::Plan verify(const base::Finding& points) const = 0;
};

}  // namespace hamn::dbrepl
