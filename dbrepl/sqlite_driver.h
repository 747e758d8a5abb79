#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dbrepl/driver.h"

namespace hamn::dbrepl {

/// Keeps xCAT's SQLite tables current: a snapshot on the primary, shipped as a file set, accepted
/// as a recovery point on the standby; a takeover puts its files in place of the live ones.
///
/// Everything that touches a table is a command of hamn on the host that has it (docs/databases.md
/// shows them); this class looks through `hamn db … --json` and plans.
class SqliteDriver : public ReplicationDriver {
 public:
  explicit SqliteDriver(ReplicationContext context);
  [[nodiscard]] std::string_view name() const override { return "sqlite"; }

  [[nodiscard]] base::Finding inspect_live(base::Host& host) override;
  [[nodiscard]] base::Finding inspect_points(base::Host& host) override;
  [[nodiscard]] base::Finding inspect_promoted(base::Host& host,
                                               const base::Facts& promoted_from) override;

  [[nodiscard]] base::Plan seed(const Replica& seen) const override;
  [[nodiscard]] base::Plan catch_up(const Replica& seen) const override;
  [[nodiscard]] base::Plan promote(const base::Finding& points) const override;
  [[nodiscard]] base::Plan undo_promote(const base::Facts& promoted_from) const override;
  /// Empty: SQLite has no server. While xcatd is stopped nobody writes to the tables, and the next
  /// recovery point that is put in charge replaces them.
  [[nodiscard]] base::Plan demote(const base::Finding& live) const override;
  /// Empty: SQLite has no address.
  [[nodiscard]] base::Plan repoint(const NewIdentity& identity) const override;
  [[nodiscard]] base::Plan verify(const base::Finding& points) const override;

 private:
  [[nodiscard]] base::Command hamn(const std::vector<std::string>& arguments,
                                   base::Milliseconds time_limit) const;
  [[nodiscard]] std::string ask(base::Host& host, const std::vector<std::string>& arguments) const;
  [[nodiscard]] base::Plan ship(const Replica& seen) const;
  void check_known(const Replica& seen) const;

  ReplicationContext context_;
};

}  // namespace hamn::dbrepl
