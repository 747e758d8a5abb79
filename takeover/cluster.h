#pragma once

#include <map>
#include <string>
#include <vector>

namespace hamn::takeover {

/// One row of one of xCAT's tables: column → value; empty values are left out.
using Row = std::map<std::string, std::string>;
/// table → rows; rows with `disable` set are left out.
using Tables = std::map<std::string, std::vector<Row>>;

/// What a takeover has to know about one node.
struct Node {
  std::string name;
  std::string mac;           ///< as it stands: "02:…:01|02:…:02!n001-ib|02:…:03!*NOIP*"
  std::string service_node;  ///< empty: served by the management node itself
  std::string boot_method;   ///< noderes.netboot: "xnba", "grub2", …
  std::string state;         ///< chain.currstate: "install rhels8-compute", "boot", …
  bool has_console = false;  ///< cons, or serialport together with mgt
};

/// What the cluster database says, as far as a takeover needs it.
struct Cluster {
  std::vector<Node> nodes;
  /// Nodes whose address is not known, or is none, are left out.
  std::map<std::string, std::string> addresses;  ///< hosts table: node → its address
  std::map<std::string, std::string> site;       ///< site table
  Tables tables;                                 ///< everything, for the stale identity scan

  [[nodiscard]] std::string site_value(const std::string& key, const std::string& fallback) const;
};

/// Attributes follow xCAT's rule: the node's own row first, then the rows of its groups in the
/// order of nodelist.groups, regular expressions worked out (takeover/attributes.h). Pure.
[[nodiscard]] Cluster make_cluster(Tables tables);

/// All tables of a recovery point or of a live directory, read from the SQLite files themselves.
[[nodiscard]] Tables read_sqlite_cluster(const std::string& directory);

/// /etc/hosts: name → addresses, localhost left out. Pure.
[[nodiscard]] std::map<std::string, std::vector<std::string>> parse_hosts(const std::string& text);

}  // namespace hamn::takeover
