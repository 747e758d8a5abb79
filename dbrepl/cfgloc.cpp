#include "dbrepl/cfgloc.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "dbrepl/whole_directory.h"

namespace hamn::dbrepl {

namespace {

struct Naming {
  Engine engine;
  const char* text;     ///< hamn's word
  const char* in_xcat;  ///< in cfgloc
  const char* product;  ///< in sentences
};
constexpr std::array<Naming, 5> namings{{{Engine::sqlite, "sqlite", "SQLite", "SQLite"},
                                         {Engine::postgresql, "postgresql", "Pg", "PostgreSQL"},
                                         {Engine::mysql, "mysql", "mysql", "MySQL"},
                                         {Engine::db2, "db2", "DB2", "DB2"},
                                         {Engine::csv, "csv", "CSV", "CSV"}}};

/// Left beside cfgloc by mysqlsetup, pgsqlsetup and db2sqlsetup, and by xCAT's instructions for
/// going back to SQLite.
constexpr std::array<const char*, 6> backup_suffixes{".mysql", ".pg",          ".db2",
                                                     ".olddb", ".xcat.backup", ".save"};
constexpr std::uint64_t cfgloc_limit_bytes = 65536;

const Naming& naming_of(Engine engine) {
  return *std::find_if(namings.begin(), namings.end(),
                       [&](const Naming& naming) { return naming.engine == engine; });
}

/// The line itself is not in the error: it holds a password, and if it is wrong nobody can tell
/// where.
base::Error wrong(const std::string& origin, const std::string& detail, const std::string& hint) {
  return base::Error{{.what = "cannot tell from " + origin + " where xCAT has its database",
                      .detail = detail,
                      .hint = hint,
                      .code = base::Exit::usage}};
}

DatabaseLocation parse_directory(Engine engine, const std::string& directory,
                                 const std::string& origin) {
  if (directory.empty() || directory.front() != '/' || base::trim(directory) != directory) {
    throw wrong(origin, "the directory of the tables is not an absolute path",
                "write it as SQLite:/etc/xcat, without a comment and without blanks around it");
  }
  return {.engine = engine, .origin = origin, .directory = directory};
}

std::uint16_t parse_port(const std::string& text, const std::string& origin) {
  const auto port = base::parse_unsigned(text);
  if (!port || *port == 0 || *port > 65535) {
    throw wrong(origin, "port= is not a number from 1 to 65535",
                "correct it, or leave it out for the default port");
  }
  return static_cast<std::uint16_t>(*port);
}

/// "dbname=xcatdb;host=10.1.0.1;port=5432", or just a name, as xCAT has it for DB2. The spellings
/// are those that the Perl drivers accept.
void parse_source(const std::string& source, DatabaseLocation& location) {
  for (const auto& part : base::split(source, ';')) {
    const auto equals = part.find('=');
    const auto key = base::trim(std::string_view{part}.substr(0, equals));
    const auto value =
        equals == std::string::npos ? std::string{} : base::trim(part.substr(equals + 1));
    if (equals == std::string::npos) {
      if (location.database.empty()) location.database = key;
    } else if (key == "dbname" || key == "db" || key == "database") {
      location.database = value;
    } else if (key == "host" || key == "hostname" || key == "hostaddr") {
      location.host = value;
    } else if (key == "port") {
      location.port = parse_port(value, location.origin);
    }
  }
}

DatabaseLocation parse_server(Engine engine, const std::string& rest, const std::string& origin) {
  // Perl's split into three variables makes at most four fields and drops the fourth.
  const auto fields = base::split(rest, '|');
  DatabaseLocation location{.engine = engine, .origin = origin};
  parse_source(fields[0], location);
  if (fields.size() > 1) location.user = fields[1];
  if (fields.size() > 2) location.password = fields[2];
  if (location.database.empty()) {
    throw wrong(origin, "it names no database",
                "write it as " + std::string{naming_of(engine).in_xcat} +
                    ":dbname=xcatdb;host=ADDRESS|USER|PASSWORD");
  }
  return location;
}

base::Error unknown_type(const std::string& origin, const std::string& type) {
  std::vector<std::string> known;
  known.reserve(namings.size());
  for (const auto& naming : namings) known.emplace_back(naming.in_xcat);
  // Beyond a '|' it may be a password.
  const auto meant = base::nearest(type.substr(0, type.find('|')), known);
  return wrong(origin, "its type is none of " + base::join(known, ", "),
               meant ? "perhaps it should begin with \"" + *meant + ":\""
                     : "write it as TYPE:dbname=xcatdb;host=ADDRESS|USER|PASSWORD");
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

bool names_a_server(const std::string& line) {
  return std::any_of(namings.begin(), namings.end(), [&](const Naming& naming) {
    const bool is_server = naming.engine != Engine::sqlite && naming.engine != Engine::csv;
    return is_server && line.starts_with(std::string{naming.in_xcat} + ":");
  });
}

base::Error lost_pointer(const base::Host& host, const std::string& path,
                         const std::string& backup) {
  return wrong(path,
               "on " + host.name() + " it is missing or empty, but " + backup +
                   " names a database server: xCAT would start with old SQLite tables",
               "bring it back: cp -p " + backup + " " + path +
                   "; or, if SQLite is meant: echo SQLite:" + parent_of(path) + " > " + path);
}

/// Throws if this xCAT once used a server and lost the pointer to it.
void check_for_lost_pointer(base::Host& host, const std::string& path) {
  for (const auto* suffix : backup_suffixes) {
    std::string backup = path;
    backup += suffix;
    const auto text = host.read(backup, cfgloc_limit_bytes);
    if (text && names_a_server(first_line(*text))) throw lost_pointer(host, path, backup);
  }
}

bool directory_exists(base::Host& host, const std::string& path) {
  const base::Command test{.argv = {"test", "-d", path}};
  const auto outcome = host.run(test);
  if (outcome.succeeded()) return true;
  if (outcome.exit_code == 1 && !outcome.timed_out) return false;
  throw base::Error{{.what = "cannot find out where xCAT on " + host.name() + " has its database",
                     .detail = "test -d " + path + " " + base::describe(outcome, test),
                     .hint = "run it there by hand"}};
}

void check_line(const std::string& line, const std::string& origin) {
  if (line.empty()) {
    throw wrong(origin, "its first line is empty", "write it as SQLite:/etc/xcat, or remove it");
  }
  if (line.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos) {
    throw wrong(origin, "there is a line break within the value, which xCAT takes as part of it",
                "remove carriage returns: sed -i 's/\\r$//' " + origin);
  }
}

struct TypedValue {
  std::string type;
  std::string rest;
};

TypedValue split_type(const std::string& line, const std::string& origin) {
  const auto colon = line.find(':');
  TypedValue value{.type = line.substr(0, colon), .rest = line.substr(colon + 1)};
  if (value.type != "dbi") return value;
  // xCAT takes this prefix off again, but only for database servers.
  const auto next = value.rest.find(':');
  value.type = value.rest.substr(0, next);
  value.rest = next == std::string::npos ? std::string{} : value.rest.substr(next + 1);
  if (value.type == "SQLite" || value.type == "CSV") {
    throw wrong(origin, "xCAT does not take \"dbi:\" before " + value.type, "leave \"dbi:\" out");
  }
  return value;
}

}  // namespace

std::string to_text(Engine engine) {
  return naming_of(engine).text;
}

std::string product_name(Engine engine) {
  return naming_of(engine).product;
}

std::optional<Engine> parse_engine(const std::string& text) {
  for (const auto& naming : namings) {
    if (naming.text == text) return naming.engine;
  }
  return std::nullopt;
}

DatabaseLocation parse_cfgloc(const std::string& line, const std::string& origin) {
  check_line(line, origin);
  if (line.find(':') == std::string::npos) return parse_directory(Engine::sqlite, line, origin);
  const auto [type, rest] = split_type(line, origin);
  for (const auto& naming : namings) {
    if (type != naming.in_xcat) continue;
    const bool is_directory = naming.engine == Engine::sqlite || naming.engine == Engine::csv;
    return is_directory ? parse_directory(naming.engine, rest, origin)
                        : parse_server(naming.engine, rest, origin);
  }
  throw unknown_type(origin, type);
}

DatabaseLocation find_database(base::Host& host, const std::string& cfgloc_path,
                               const std::string& xcat_root) {
  const auto text = host.read(cfgloc_path, cfgloc_limit_bytes);
  const auto line = first_line(text.value_or(""));
  if (!line.empty()) return parse_cfgloc(line, cfgloc_path);
  check_for_lost_pointer(host, cfgloc_path);
  const auto old_directory = xcat_root + "/cfg";
  if (directory_exists(host, old_directory)) {
    return {
        .engine = Engine::sqlite, .origin = "default " + old_directory, .directory = old_directory};
  }
  const auto directory = parent_of(cfgloc_path);
  return {.engine = Engine::sqlite, .origin = "default " + directory, .directory = directory};
}

}  // namespace hamn::dbrepl
