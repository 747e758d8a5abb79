#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/host.h"
#include "base/role.h"
#include "base/site.h"
#include "dbrepl/driver.h"
#include "takeover/cluster.h"
#include "takeover/evidence.h"

namespace hamn::takeover {

/// What all steps and gates of one takeover know. Everything referenced outlives them.
struct Context {
  const base::Site& site;
  std::string here;     ///< this host's name in the configuration
  std::string primary;  ///< the host to be replaced
  std::uint64_t epoch;  ///< the epoch that this takeover begins
  std::string run;
  base::WallTime started;
  std::string operator_name;
  std::string statement;    ///< "mn1 is off", typed by the administrator; empty: nothing was said
  std::string accept_open;  ///< reason to be the primary although services are not complete
  std::vector<std::string> program;  ///< how to call hamn here
  base::Hosts& hosts;
  Probes& probes;
  dbrepl::ReplicationDriver& driver;
  Cluster cluster;  ///< what the recovery point says about nodes and services
  base::Clock& clock;

  [[nodiscard]] base::Host& local() const { return hosts.at(here); }
  [[nodiscard]] const std::string& interface() const { return site.host(here).interface; }
  /// Path of an xCAT command: xcat("sbin/makedns").
  [[nodiscard]] std::string xcat(const std::string& command) const {
    return site.xcat_root + "/" + command;
  }
  [[nodiscard]] std::string role_path() const { return site.state_directory + "/role.json"; }
  /// A command of hamn itself on this host.
  [[nodiscard]] base::Command hamn(const std::vector<std::string>& words) const;
  /// The service address is on this host already.
  [[nodiscard]] bool holds_service_address() const;
};

/// A durable note that something of this takeover was done, for the steps whose effect cannot be
/// seen later: docs/formats/takeover.md. Notes of another epoch do not count.
[[nodiscard]] base::FileWrite note_file(const Context& context, const std::string& name,
                                        const base::Facts& facts);
[[nodiscard]] std::optional<base::Facts> read_note(const Context& context, const std::string& name);
[[nodiscard]] std::string note_path(const Context& context, const std::string& name);

/// True for the role file and for notes, which hold the name and the time of a run. Pure.
[[nodiscard]] bool is_own_record(const std::string& path);

/// The first of `candidates` that systemd knows on this host, or what the configuration names.
/// Nothing if there is none.
[[nodiscard]] std::optional<std::string> find_unit(base::Host& host, const std::string& configured,
                                                   const std::vector<std::string>& candidates);
[[nodiscard]] bool is_active(base::Host& host, const std::string& unit);
/// Whether the unit starts at boot.
[[nodiscard]] bool is_enabled(base::Host& host, const std::string& unit);

}  // namespace hamn::takeover
