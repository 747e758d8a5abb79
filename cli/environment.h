#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/host.h"
#include "base/journal.h"
#include "base/progress.h"
#include "base/report.h"
#include "base/role.h"
#include "base/site.h"
#include "dbrepl/driver.h"
#include "sync/file_set.h"

namespace hamn::cli {

/// What every command shares: the global options and, once somebody asks, the configuration, the
/// role and the hosts. Threads: one.
class Environment {
 public:
  std::string config_path = "/etc/hamn/hamn.toml";
  bool json = false;
  bool quiet = false;

  Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();

  /// Loads the configuration at the first call; throws Error (Exit::usage).
  [[nodiscard]] const base::Site& site();
  [[nodiscard]] std::string role_path();
  /// Nothing if hamn was not set up on this host.
  [[nodiscard]] std::optional<base::Role> find_role();
  /// Throws Error with the hint to run hamn init.
  [[nodiscard]] base::Role role();
  /// Name of this host in the configuration: from the role file, else by its addresses.
  [[nodiscard]] std::string here();
  [[nodiscard]] std::string there();
  /// Both management nodes: this one locally, the other by ssh.
  [[nodiscard]] base::Hosts& hosts();
  [[nodiscard]] base::Disk& disk() noexcept { return disk_; }
  [[nodiscard]] base::Clock& clock() noexcept { return clock_; }
  /// How to call this very program on this host, and hamn on any of the two.
  [[nodiscard]] std::vector<std::string> own_program();
  [[nodiscard]] std::vector<std::string> program();
  [[nodiscard]] std::unique_ptr<base::FileJournal> open_journal(const std::string& name);
  [[nodiscard]] std::string journal_path(const std::string& name);
  [[nodiscard]] std::unique_ptr<base::Progress> progress();

  /// The configured file sets and hamn's own ("database", "inventory").
  [[nodiscard]] std::vector<sync::FileSet> file_sets();
  /// The database of this host and the driver for it; `primary` and `standby` as of the role.
  [[nodiscard]] dbrepl::DatabaseLocation database_location();
  [[nodiscard]] std::unique_ptr<dbrepl::ReplicationDriver> driver(
      const std::vector<std::string>& program_words);

 private:
  base::RealDisk disk_;
  base::RealClock clock_;
  std::unique_ptr<base::Site> site_;
  std::unique_ptr<base::Hosts> hosts_;
};

/// Who runs this: "root", or "alice (sudo)".
[[nodiscard]] std::string operator_name();

/// Writes to standard output. A closed or full output is not an error of the command.
void put(const std::string& text);
/// The report in the form that was asked for.
void show(const Environment& environment, const base::Report& report);

/// Throws Error (Exit::usage) unless this process runs as root.
void require_root();

}  // namespace hamn::cli
