#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/host.h"

namespace hamn::dbrepl {

/// The database engines that xCAT knows.
enum class Engine { sqlite, postgresql, mysql, db2, csv };
/// "sqlite", "postgresql", …: as in reports, manifests and JSON.
[[nodiscard]] std::string to_text(Engine engine);
[[nodiscard]] std::optional<Engine> parse_engine(const std::string& text);
/// "PostgreSQL": for sentences.
[[nodiscard]] std::string product_name(Engine engine);

/// Where xCAT finds its tables: xCAT's pointer `cfgloc`, understood.
struct DatabaseLocation {
  Engine engine = Engine::sqlite;
  std::string origin = {};     ///< which rule decided: "/etc/xcat/cfgloc", "default /etc/xcat", …
  std::string directory = {};  ///< sqlite and csv
  std::string database = {};   ///< the others: "xcatdb"
  std::string host = {};       ///< empty for db2, which is always local
  std::uint16_t port = 0;      ///< 0: the engine's default
  std::string user = {};
  std::string password = {};  ///< secret: never shown, logged, journaled or put into argv
};

/// Parses the first line of a cfgloc file, or a value of the XCATCFG environment variable (pure).
/// Grammar as in xCAT 2.19, perl-xCAT/xCAT/Table.pm get_xcatcfg() and new(): a value without ':' is
/// a SQLite directory; otherwise "TYPE:rest", split at '|' into data source, user and password.
/// As in xCAT, a password ends at the next '|', type names are matched by case, and nothing is
/// trimmed: where a blank or a carriage return at the end would break xCAT, it is an Error here.
/// Throws Error (Exit::usage) that names what is wrong, never any part of the line.
[[nodiscard]] DatabaseLocation parse_cfgloc(const std::string& line, const std::string& origin);

/// Follows xCAT's order on `host`: first line of `cfgloc_path`; `xcat_root`/cfg if that directory
/// exists; the directory of `cfgloc_path`. (XCATCFG belongs to one process and is not looked at.)
///
/// If the file is missing or empty, xCAT takes SQLite tables without a word, even those that were
/// left behind when the cluster went to a database server. So if a copy beside the file
/// ("cfgloc.mysql", "cfgloc.xcat.backup", …, as the setup tools leave them) names a server, this
/// throws Error instead of following xCAT into the past.
[[nodiscard]] DatabaseLocation find_database(base::Host& host, const std::string& cfgloc_path,
                                             const std::string& xcat_root);

}  // namespace hamn::dbrepl
