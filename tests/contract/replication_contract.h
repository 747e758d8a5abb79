#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>

#include "base/host.h"
#include "dbrepl/driver.h"

namespace hamn::dbrepl::test {

/// Two management nodes, mn1 and mn2, with one kind of database, in which plans can be performed.
/// One implementation per driver; the suite knows nothing of the engine.
class ReplicationWorld {
 public:
  virtual ~ReplicationWorld() = default;

  /// A driver that sees `primary` in charge and the other host as the standby.
  virtual std::unique_ptr<ReplicationDriver> driver(const std::string& primary) = 0;
  virtual base::Hosts& hosts() = 0;

  // What the cluster does with its database.
  virtual void put(const std::string& host, const std::string& table, const std::string& key,
                   const std::string& value) = 0;
  virtual void remove(const std::string& host, const std::string& table,
                      const std::string& key) = 0;
  /// Everything in the database of `host`: "table/key" → value.
  virtual std::map<std::string, std::string> content(const std::string& host) = 0;

  // What happens to hosts.
  /// A takeover raised the epoch, and `host` knows it.
  virtual void set_epoch(const std::string& host, std::uint64_t epoch) = 0;
  virtual void pass_time(base::Milliseconds duration) = 0;
  virtual void disconnect(const std::string& host, bool is_away) = 0;
  /// Shipping breaks off after `files` files, once. Answers whether there was that much to ship.
  virtual void break_shipping_after(int files) = 0;
  [[nodiscard]] virtual bool did_break() const = 0;
  /// Bits of the newest recovery point on `host` flip.
  virtual void damage_newest_point(const std::string& host) = 0;
  /// The primary's own last copy is lost.
  virtual void lose_outgoing(const std::string& host) = 0;
};

/// For the names of the tests and for a new world per test.
struct NamedWorld {
  std::string name;
  std::function<std::unique_ptr<ReplicationWorld>()> make;
};

inline void PrintTo(const NamedWorld& world, std::ostream* to) {  // NOLINT: googletest's name
  *to << world.name;
}

/// The fixture. Drivers are added by INSTANTIATE_TEST_SUITE_P in a file of their own.
class ReplicationContract : public ::testing::TestWithParam<NamedWorld> {
 protected:
  ReplicationContract();
  void use(const std::string& primary, const std::string& standby);
  [[nodiscard]] Replica look();
  [[nodiscard]] base::Finding points() { return driver_->inspect_points(host(standby_)); }
  [[nodiscard]] base::Host& host(const std::string& name) { return world_->hosts().at(name); }
  void perform(const base::Plan& plan);
  void catch_up() { perform(driver_->catch_up(look())); }
  /// Tries to accept what has arrived so far.
  void expect_nothing_accepted(const std::string& known);
  /// Takes the newest point into service; answers its facts.
  base::Facts promote();

  std::unique_ptr<ReplicationWorld> world_;
  std::string primary_;
  std::string standby_;
  std::unique_ptr<ReplicationDriver> driver_;
};

}  // namespace hamn::dbrepl::test
