#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "dbrepl/sqlite_database.h"

namespace hamn::dbrepl {

/// Names of the tables in a directory of xCAT, sorted: "nodelist" for "nodelist.sqlite". Files
/// whose names xCAT cannot have made are left out. Throws Error if the directory is missing or a
/// table is a symbolic link or something else than a file.
[[nodiscard]] std::vector<std::string> table_names(base::Disk& disk, const std::string& directory);

/// "nodelist.sqlite".
[[nodiscard]] std::string table_file(const std::string& name);
/// "/etc/xcat/nodelist.sqlite".
[[nodiscard]] std::string table_path(const std::string& directory, const std::string& name);

/// Cheap evidence of change of one open table: inode, size, times, change counter and, in WAL mode,
/// the content of its -wal. 32 hexadecimal digits.
[[nodiscard]] std::string position_of(Database& table);

/// A table and its position.
struct TablePosition {
  std::string name;
  std::string position;
};
/// The position of the whole database.
[[nodiscard]] std::string combine(const std::vector<TablePosition>& positions);

enum class LockKind {
  write,     ///< readers go on, writers wait
  exclusive  ///< readers wait too; tables in WAL mode are turned to a rollback journal first
};

/// Every table of a directory, locked at one and the same moment.
///
/// Locks are taken in sorted order and none is kept while another is in the way: if one table is
/// busy, all are released and it is tried again. So hamn never blocks an xCAT command for longer
/// than its own work takes, and cannot deadlock with a command that holds one table and wants
/// another. All locks end with this object.
///
/// While it lives, this process must not open a table's file by other means than Database.
class LockedTables {
 public:
  /// Throws Error naming the table and who holds it if that does not work within 20 s. Tables in
  /// `left_out` are not locked: damaged files cannot be.
  static LockedTables take(base::Disk& disk, base::Clock& clock, const std::string& directory,
                           LockKind kind, const std::set<std::string>& left_out = {});

  struct Table {
    std::string name;
    Database database;
  };
  [[nodiscard]] std::vector<Table>& tables() noexcept { return tables_; }
  [[nodiscard]] std::vector<TablePosition> positions();

 private:
  LockedTables() = default;
  /// The table that was in the way; empty if all are locked.
  std::string try_all(base::Disk& disk, const std::string& directory, LockKind kind,
                      const std::set<std::string>& left_out);

  std::vector<Table> tables_;
};

/// Locks one open database; false if somebody is in the way.
[[nodiscard]] bool try_lock(Database& database, LockKind kind);

}  // namespace hamn::dbrepl
