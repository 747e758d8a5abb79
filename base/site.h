#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/network.h"
#include "base/remote_host.h"

namespace hamn::base {

/// One of the two management nodes.
struct HostSettings {
  std::string name;       ///< table [host.NAME]
  std::string address;    ///< where the other one reaches it; numeric
  std::string interface;  ///< carries the service address
};

enum class IdentityStyle {
  take,  ///< the standby takes the primary's own address and hostname
  alias  ///< a service address beside both hosts' own addresses moves
};

/// The identity that the cluster knows its management node by.
struct ServiceIdentity {
  IdentityStyle style = IdentityStyle::take;
  Subnet address;
  std::string hostname;  ///< short name; empty: the hostname stays as it is (alias only)
};

/// A named list of paths that are kept equal on the standby.
struct FileSetSettings {
  std::string name;
  std::vector<std::string> paths;  ///< absolute; `*` and `?` in the last component only
  std::vector<std::string> include =
      {};  ///< filter patterns as rsync has them; tried before exclude
  std::vector<std::string> exclude = {};  ///< the same, for what is left out
  std::vector<std::string> allow_host_specific =
      {};                    ///< patterns of protected paths that may travel
  Milliseconds max_age{0};   ///< a takeover refuses older copies
  bool deletes = false;      ///< names that are gone go on the standby, too
  bool is_faithful = false;  ///< every kind of name as it is, not plain files only
};

/// How to switch one host off and how to read that it is off.
struct FenceMethod {
  std::string name;
  std::vector<std::string> off;     ///< command; "{host}" stands for the host to be fenced
  std::vector<std::string> status;  ///< command
  std::string off_when;             ///< text in the output of `status` that proves "off"
  Milliseconds time_limit{0};
};

/// What is kept of xCAT's database, and how old it may get.
struct DatabaseSettings {
  std::uint64_t keep_points = 0;  ///< recovery points on the standby
  Milliseconds max_age{0};        ///< a takeover refuses an older newest point
};

/// systemd units that a takeover works with. "auto" is resolved when it is needed.
struct ServiceUnits {
  std::string xcatd;
  std::string dns;
  std::string dhcp;
  std::string console;
};

/// How a takeover treats large clusters and slow commands.
struct TakeoverSettings {
  std::uint64_t console_limit = 0;  ///< more consoles than this are not started all at once
  Milliseconds address_probe{0};    ///< how long to look for another owner of the address
  Milliseconds command_limit{0};    ///< for one xCAT command
};

/// How the continuous agent (hamn sync watch) waits.
struct WatchSettings {
  Milliseconds quiet{0};      ///< without events before a pass begins
  Milliseconds longest{0};    ///< after the first event a pass begins anyway
  Milliseconds heartbeat{0};  ///< a pass even if nothing changed
  Milliseconds rescan{0};     ///< everything is looked at
  Milliseconds poll{0};       ///< everything is looked at, where the kernel gives no events
};

/// What runs by itself, and how often.
struct ScheduleSettings {
  std::string style;                          ///< "systemd", "crontab" or "continuous"
  std::map<std::string, Milliseconds> every;  ///< "sync-install" → interval
};

/// One effective setting, for `hamn config`.
struct SettingOrigin {
  std::string key;     ///< "service.address"
  std::string value;   ///< as TOML
  std::string origin;  ///< "/etc/hamn/hamn.toml:12" or "default"
};

/// The configuration of a pair of management nodes (/etc/hamn/hamn.toml, the same file on both).
/// Plain data; every value was checked. docs/configuration.md explains each key.
struct Site {
  std::string path;
  std::string cluster;
  ServiceIdentity service;
  std::map<std::string, HostSettings> hosts;
  std::string ssh_transport;   ///< "auto", "libssh2" or "openssh"
  SshSettings ssh;             ///< name and address are filled in per host
  std::string remote_program;  ///< how hamn is called on the other host
  std::string state_directory;
  std::string run_directory;
  std::string xcat_root;
  std::string xcat_tftp_directory;
  std::string xcat_install_directory;
  std::map<std::string, FileSetSettings> file_sets;
  DatabaseSettings database;
  std::vector<FenceMethod> fences;
  ServiceUnits units;
  TakeoverSettings takeover;
  ScheduleSettings schedule;
  WatchSettings watch;
  std::vector<SettingOrigin> settings;

  /// The other one of the two hosts.
  [[nodiscard]] const HostSettings& other_than(const std::string& name) const;
  [[nodiscard]] const HostSettings& host(const std::string& name) const;
  [[nodiscard]] SshSettings ssh_to(const std::string& host_name) const;
};

/// Reads and checks the configuration. All that is wrong with it is told at once, each problem with
/// its line; the Error has Exit::usage.
[[nodiscard]] Site load_site(const std::string& path);
/// The same from text (pure but for expanding "~").
[[nodiscard]] Site parse_site(const std::string& text, const std::string& path);

/// Which of the two hosts this machine is, by its addresses. In the `take` style the primary's own
/// address is the service address, which moves; so a host that also holds another configured
/// address is that other host. Throws Error if none or both would do.
[[nodiscard]] std::string find_this_host(const Site& site,
                                         const std::vector<InterfaceAddress>& addresses);

/// The file sets that hamn ships, before the configuration changes them.
[[nodiscard]] std::map<std::string, FileSetSettings> default_file_sets(
    const std::string& home, const std::string& install_directory,
    const std::string& tftp_directory);

}  // namespace hamn::base
