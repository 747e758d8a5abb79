#include "dbrepl/sqlite_copy.h"

#include <cerrno>

namespace hamn::dbrepl {

namespace {

constexpr unsigned private_file = 0600;

}  // namespace

void copy_locked(base::Disk& disk, const LockedTables::Table& table, ScratchDirectory& target) {
  const auto path = table_path(target.path(), table.name);
  disk.create_file(target.fd(), table_file(table.name), private_file).reset();
  // The connection that holds the lock cannot be read from by a backup.
  Database source{table.database.path(), Access::read};
  Database copy{path, Access::write};
  copy.execute("PRAGMA journal_mode = OFF");
  copy.execute("PRAGMA synchronous = OFF");
  source.copy_to(copy);
}

TablePoint finish_copy(base::Disk& disk, ScratchDirectory& target, const std::string& name) {
  const auto path = table_path(target.path(), name);
  TablePoint point{.name = name, .file = table_file(name)};
  {
    Database copy{path, Access::write};
    copy.execute("PRAGMA journal_mode = DELETE");
    const auto content = read_content(copy);
    point.rows = content.rows;
    point.content = content.hash;
  }
  const auto file = disk.open_file(target.fd(), point.file);
  if (!file) throw base::DiskError{"cannot find the copy of table " + name, ENOENT};
  disk.sync_file(file->get());
  point.size_bytes = disk.status_of(file->get()).size_bytes;
  point.sha256 = sha256_of(file->get());
  return point;
}

TableContent content_of(const std::string& path) {
  Database database{path, Access::unchanging};
  return read_content(database);
}

}  // namespace hamn::dbrepl
