#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "dbrepl/recovery_point.h"

namespace hamn::dbrepl {

/// xCAT's SQLite tables: one database file per table in one directory (xCAT 2.19, Table.pm). This
/// header is the work that the SQLite driver's plans name as commands.

/// Cheap evidence of change: size, nanosecond mtime, inode and change counter of every table file
/// and the size and mtime of its -wal. Equal positions mean that nothing was committed between.
/// Never opens a table while a transaction of this process is under way (the POSIX-lock trap:
/// closing any descriptor of a file drops all locks of the process on it).
[[nodiscard]] std::string sqlite_position(const std::string& directory);

/// Takes one consistent cut across all tables: BEGIN IMMEDIATE on every file in sorted order, so
/// that no writer gets between, then the backup API per file through a second connection. Readers
/// go on; writers wait (DBD::SQLite waits 30 s). Tables whose content is the same as in the last
/// snapshot keep their file, so that shipping sends nothing for them. The result replaces
/// `outgoing` as a whole. On SQLITE_BUSY all locks are released and the cut is tried again.
RecoveryPoint take_sqlite_snapshot(base::Disk& disk, const base::Clock& clock,
                                   const std::string& directory, const std::string& outgoing,
                                   const std::string& host, std::uint64_t epoch);

/// Verifies what arrived in `incoming` against its manifest (hashes, integrity_check, row counts,
/// content) and publishes it as a recovery point; keeps the newest `keep`. Already published: says
/// which. Throws Error and leaves the older points as they were if anything does not fit.
RecoveryPoint accept_sqlite_point(base::Disk& disk, const std::string& incoming,
                                  const std::string& points, std::uint64_t keep);

/// Puts the tables of `point` into `directory` so that no reader sees a mixture: the new files are
/// written and verified beside, old and new are locked exclusively, every file is renamed into
/// place, then all locks end. What was there goes to `undo`. A crash in between is rolled forward by
/// calling it again. Requires that no xcatd runs.
void swap_in_sqlite_point(base::Disk& disk, const KeptPoint& point, const std::string& directory,
                          const std::string& undo);

/// The way back: what swap_in_sqlite_point() put into `undo`.
void swap_back_sqlite(base::Disk& disk, const std::string& directory, const std::string& undo);

/// Rows and content hash of every table in `directory`, read through SQLite.
[[nodiscard]] std::vector<TablePoint> read_sqlite_tables(const std::string& directory);

/// Tables that differ between two lists: "nodelist: 1002 rows instead of 1003". Pure.
[[nodiscard]] std::vector<std::string> differences(const std::vector<TablePoint>& wanted,
                                                   const std::vector<TablePoint>& found);

}  // namespace hamn::dbrepl
