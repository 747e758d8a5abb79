#include "dbrepl/sqlite_tables.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "dbrepl/lock_holders.h"
#include "dbrepl/sqlite_store.h"

namespace hamn::dbrepl {

namespace {

constexpr std::string_view suffix = ".sqlite";
constexpr std::chrono::seconds longest_wait{20};
constexpr base::Milliseconds first_pause{50};
constexpr base::Milliseconds longest_pause{2000};

/// Bytes 24 to 27 of a SQLite file count commits; bytes 18 and 19 are 2 in WAL mode
/// (https://sqlite.org/fileformat2.html).
constexpr std::size_t counter_offset = 24;
constexpr std::size_t head_size = 100;
constexpr std::size_t journal_version_offset = 18;

bool is_table_file(std::string_view name) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  constexpr std::size_t longest = 120;
  return name.size() > suffix.size() && name.size() <= longest && name.ends_with(suffix) &&
         name.front() != '.' && name.find_first_not_of(allowed) == std::string_view::npos;
}

std::string time_text(const timespec& time) {
  return std::to_string(time.tv_sec) + "." + std::to_string(time.tv_nsec);
}

/// In WAL mode commits go to a second file, which grows only until it is begun anew: its content
/// tells. No lock of SQLite is on that file, so that it may be opened.
std::string wal_text(const std::string& path) {
  constexpr std::uint64_t limit_bytes = 1ULL << 30U;
  const auto wal = base::read_file(path + "-wal", limit_bytes);
  return wal && !wal->empty() ? base::xxh128(*wal).digits() : std::string{"-"};
}

base::Error unusable(const std::string& directory, const std::string& name,
                     const std::string& detail) {
  return base::Error{
      {.what = "cannot use table " + name + " in " + base::printable(directory),
       .detail = detail,
       .hint = "put the file itself there: ls -l " + base::printable(table_path(directory, name))}};
}

base::Error busy(const std::string& directory, const std::string& name) {
  return base::Error{{.what = "cannot lock table " + name + " in " + base::printable(directory),
                      .detail = "it was in use for 20 s; locked by " +
                                describe_lock_holders(table_path(directory, name)),
                      .hint = "let that end, or stop it, then run again: fuser -v " +
                              base::printable(table_path(directory, name))}};
}

}  // namespace

std::string table_file(const std::string& name) {
  return name + std::string{suffix};
}

std::string table_path(const std::string& directory, const std::string& name) {
  return directory + "/" + table_file(name);
}

std::vector<std::string> table_names(base::Disk& disk, const std::string& directory) {
  const auto root = disk.open_root(directory);
  std::vector<std::string> names;
  for (const auto& file : disk.list(root.get())) {
    if (!is_table_file(file)) continue;
    const auto status = disk.status(root.get(), file);
    if (!status) continue;
    auto name = file.substr(0, file.size() - suffix.size());
    if (status->type == base::FileType::symlink) {
      throw unusable(directory, name, "it is a symbolic link; renames would replace only the link");
    }
    if (status->type != base::FileType::regular) {
      throw unusable(directory, name, "it is not a file");
    }
    names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string position_of(Database& table) {
  struct stat found {};
  if (::stat(table.path().c_str(), &found) < 0) return std::string(32, '0');
  const auto head = table.head(head_size);
  const auto text = std::to_string(found.st_ino) + " " + std::to_string(found.st_size) + " " +
                    time_text(found.st_mtim) + " " + time_text(found.st_ctim) + " " +
                    base::hex(std::string_view{head}.substr(counter_offset, 4)) + " " +
                    wal_text(table.path());
  return base::xxh128(text).digits();
}

std::string combine(const std::vector<TablePosition>& positions) {
  std::string all;
  for (const auto& table : positions) all += table.name + " " + table.position + "\n";
  return base::xxh128(all).digits();
}

bool try_lock(Database& database, LockKind kind) {
  if (kind == LockKind::write) return database.try_execute("BEGIN IMMEDIATE");
  // In WAL mode an exclusive transaction would let readers pass.
  if (database.head(head_size)[journal_version_offset] == 2 &&
      !database.try_execute("PRAGMA journal_mode = DELETE")) {
    return false;
  }
  return database.try_execute("BEGIN EXCLUSIVE");
}

LockedTables LockedTables::take(base::Disk& disk, base::Clock& clock, const std::string& directory,
                                LockKind kind, const std::set<std::string>& left_out) {
  const auto end = clock.steady() + longest_wait;
  for (auto pause = first_pause;; pause = std::min(2 * pause, longest_pause)) {
    base::stop_if_interrupted();
    LockedTables locked;
    const auto obstacle = locked.try_all(disk, directory, kind, left_out);
    if (obstacle.empty()) return locked;
    if (clock.steady() >= end) throw busy(directory, obstacle);
    locked.tables_.clear();
    clock.sleep(pause);
  }
}

std::string LockedTables::try_all(base::Disk& disk, const std::string& directory, LockKind kind,
                                  const std::set<std::string>& left_out) {
  const auto names = table_names(disk, directory);
  for (const auto& name : names) {
    if (left_out.contains(name)) continue;
    auto database = Database::open_if_present(table_path(directory, name), Access::write);
    if (!database || !try_lock(*database, kind)) return name;
    tables_.push_back({.name = name, .database = *std::move(database)});
  }
  // A table that was made or removed meanwhile: the cut would not be one of the whole database.
  const auto again = table_names(disk, directory);
  const auto changed = std::mismatch(names.begin(), names.end(), again.begin(), again.end());
  if (changed.first != names.end()) return *changed.first;
  return changed.second != again.end() ? *changed.second : std::string{};
}

std::vector<TablePosition> LockedTables::positions() {
  std::vector<TablePosition> positions;
  positions.reserve(tables_.size());
  for (auto& table : tables_) {
    positions.push_back({.name = table.name, .position = position_of(table.database)});
  }
  return positions;
}

std::string sqlite_position(const std::string& directory) {
  base::RealDisk disk;
  std::vector<TablePosition> positions;
  for (const auto& name : table_names(disk, directory)) {
    auto table = Database::open_if_present(table_path(directory, name), Access::read);
    if (table) positions.push_back({.name = name, .position = position_of(*table)});
  }
  return combine(positions);
}

}  // namespace hamn::dbrepl
