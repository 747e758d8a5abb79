#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/host.h"

namespace hamn::dbrepl {

/// The database engines that xCAT knows.
enum class Engine { sqlite, postgresql, mysql, db2, csv };
[[nodiscard]] std::string to_text(Engine engine);

/// Where xCAT finds its tables: xCAT's pointer `cfgloc`, understood.
struct DatabaseLocation {
  Engine engine = Engine::sqlite;
  std::string origin;     ///< which rule decided: "/etc/xcat/cfgloc", "default /etc/xcat", …
  std::string directory;  ///< sqlite and csv
  std::string database;   ///< the others: "xcatdb"
  std::string host;       ///< empty for db2, which is always local
  std::uint16_t port = 0; ///< 0: the engine's default
  std::string user;
  std::string password;   ///< secret: never shown, logged, journaled or put into argv
};

/// Parses the first line of a cfgloc file, or a value of the XCATCFG environment variable (pure).
/// Grammar as in xCAT 2.19, perl-xCAT/xCAT/Table.pm get_xcatcfg(): a value without ':' is a SQLite
/// directory; otherwise "TYPE:rest", split at '|' into data source, user and password. Throws Error
/// (Exit::usage) that names what is wrong, never the password.
[[nodiscard]] DatabaseLocation parse_cfgloc(const std::string& line, const std::string& origin);

/// Follows xCAT's order on `host`: first line of /etc/xcat/cfgloc; /opt/xcat/cfg if that directory
/// exists; /etc/xcat. (XCATCFG belongs to one process and is not looked at.)
[[nodiscard]] DatabaseLocation find_database(base::Host& host, const std::string& cfgloc_path,
                                             const std::string& xcat_root);

}  // namespace hamn::dbrepl
