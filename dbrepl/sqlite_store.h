#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "dbrepl/recovery_point.h"

namespace hamn::dbrepl {

/// xCAT's SQLite tables: one database file per table in one directory (xCAT 2.19, Table.pm). This
/// header is the work that the SQLite driver's plans name as commands.

/// Cheap evidence of change: size, nanosecond times, inode and change counter of every table file
/// and the content of its -wal. Equal positions mean that nothing was committed between. Looks
/// through SQLite only, so that locks of this process are safe (the POSIX-lock trap: closing any
/// descriptor of a file drops all locks of the process on it).
[[nodiscard]] std::string sqlite_position(const std::string& directory);

/// What is to be copied, and where to.
struct SnapshotRequest {
  std::string directory;  ///< of xCAT's tables
  std::string outgoing;
  std::string host;  ///< this host's name in the configuration
  std::uint64_t epoch = 0;
  /// The new point gets a higher generation than this, even if nothing changed: for a primary that
  /// lost its outgoing directory and would count from 1 again.
  std::uint64_t after_generation = 0;
};

/// Takes one consistent cut across all tables: BEGIN IMMEDIATE on every file in sorted order, so
/// that no writer gets between, then the backup API per file through a second connection. Readers
/// go on; writers wait (DBD::SQLite waits 30 s). On SQLITE_BUSY all locks are released and the cut
/// is tried again; Error after 20 s.
///
/// Tables whose content is the same as in the last snapshot keep their file (hard link), so that
/// shipping sends nothing for them. If no content changed at all, the generation stays and only the
/// manifest is renewed: its `taken` says that the copy equals the primary at that time. If no
/// position changed either, no lock is taken for that.
///
/// The result replaces `outgoing` as a whole; whatever stops it leaves the old one there.
RecoveryPoint take_sqlite_snapshot(base::Disk& disk, base::Clock& clock,
                                   const SnapshotRequest& request);

/// Verifies what arrived in `incoming` against its manifest (hashes, integrity_check, row counts,
/// content) and publishes it below `points`; keeps the newest `keep` good ones. Files are hard
/// links: incoming files are only ever replaced, never rewritten.
///
/// The same point again: renews the manifest if `taken` moved, and repairs the point if it was
/// damaged. Throws Error and leaves the older points as they were if anything does not fit;
/// Exit::refused if the newest point is of a higher epoch, or newer within the same epoch.
RecoveryPoint accept_sqlite_point(base::Disk& disk, const std::string& incoming,
                                  const std::string& points, std::uint64_t keep);

/// Everything that is wrong with a kept point, by content: integrity_check, rows, content hash of
/// every table. Empty: it is what its manifest says.
[[nodiscard]] std::vector<std::string> check_sqlite_point(const KeptPoint& kept);

/// What is to be put in charge, and what is kept of what was there.
struct SwapRequest {
  KeptPoint point;
  std::string directory;  ///< of xCAT's tables
  std::string undo;       ///< DatabaseDirectories::undo
};

/// Puts the tables of a point into `directory` so that no reader sees a mixture: the new files are
/// written and verified beside, what is there is copied to `undo`, old and new files are locked
/// exclusively, every file is renamed into place, then all locks end. Tables that the point does
/// not have go. Requires that no xcatd runs, which would go on with the old files.
///
/// Before the first rename nothing has changed; from then on a marker beside `undo` says so, and
/// calling it again rolls forward (Exit::incomplete until then). If the directory already holds
/// exactly the point, nothing is done and `undo` stays.
void swap_in_sqlite_point(base::Disk& disk, base::Clock& clock, const SwapRequest& request);

/// The way back: what swap_in_sqlite_point() copied to `undo`. What is replaced by that is kept
/// beside, in "<undo>.back".
void swap_back_sqlite(base::Disk& disk, base::Clock& clock, const std::string& directory,
                      const std::string& undo);

/// The id of the point that an interrupted swap was putting in charge ("undo" for the way back);
/// nothing if no swap is under way. Until it is run again the tables are a mixture.
[[nodiscard]] std::optional<std::string> interrupted_swap(const std::string& undo);

/// Rows and content hash of every table in `directory`, read through SQLite. Files are not hashed.
[[nodiscard]] std::vector<TablePoint> read_sqlite_tables(const std::string& directory);

}  // namespace hamn::dbrepl
