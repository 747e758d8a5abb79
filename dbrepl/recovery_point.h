#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"

namespace hamn::dbrepl {

/// One table of a copy of the cluster database.
struct TablePoint {
  std::string name = {};  ///< "nodelist"
  std::string file = {};  ///< within the point's directory: "nodelist.sqlite"
  std::uint64_t size_bytes = 0;
  std::string sha256 = {};  ///< of the file
  std::uint64_t rows = 0;
  /// Sum of the hashes of all rows (order does not matter): equal content has equal hashes,
  /// whatever the pages look like.
  std::string content = {};
  /// Cheap evidence of change, as it was on the primary at the moment of the cut (see
  /// sqlite_position()). Says nothing about the copy.
  std::string position = {};

  friend bool operator==(const TablePoint&, const TablePoint&) = default;
};

/// A verified, consistent copy of the whole database at one moment: what a takeover starts from.
/// Written as manifest.json beside the table files; docs/formats/recovery-point.md.
struct RecoveryPoint {
  std::string id = {};  ///< point_id(epoch, generation): "p0003-00000042"
  /// Moves by one whenever the content moved. Comparable within one epoch. 0 is not a point of a
  /// primary but what a promotion replaced (DatabaseDirectories::undo).
  std::uint64_t generation = 0;
  std::string engine = {};
  std::string host = {};  ///< the primary that it was taken on
  std::uint64_t epoch = 0;
  /// The primary's clock: at this time its database held exactly this. Moves without a new
  /// generation when the primary looked again and nothing had changed.
  base::WallTime taken = {};
  std::string source_directory = {};    ///< where xCAT had its tables there
  std::string position = {};            ///< the whole database's position at that time
  std::vector<TablePoint> tables = {};  ///< sorted by name

  friend bool operator==(const RecoveryPoint&, const RecoveryPoint&) = default;
};

/// The name of a point's directory: "p0003-00000042" is generation 42 of epoch 3. A generation
/// alone would not do: a new primary counts on its own, and the old one's points are still there.
[[nodiscard]] std::string point_id(std::uint64_t epoch, std::uint64_t generation);

/// Epoch and generation of a point, in the order in which one is newer than another.
struct PointNumber {
  std::uint64_t epoch = 0;
  std::uint64_t generation = 0;
  friend bool operator==(const PointNumber&, const PointNumber&) = default;
  friend bool operator<(const PointNumber& one, const PointNumber& other) {
    return one.epoch != other.epoch ? one.epoch < other.epoch : one.generation < other.generation;
  }
};
/// Nothing if `id` is not exactly what point_id() makes.
[[nodiscard]] std::optional<PointNumber> parse_point_id(std::string_view id);
[[nodiscard]] PointNumber number_of(const RecoveryPoint& point);

/// One hash over names, row counts and content of all tables: equal if two copies hold the same.
[[nodiscard]] std::string content_digest(const std::vector<TablePoint>& tables);

/// Tables that differ between two lists: "nodelist: 1002 rows instead of 1003". Pure.
[[nodiscard]] std::vector<std::string> differences(const std::vector<TablePoint>& wanted,
                                                   const std::vector<TablePoint>& found);

/// Throws Error if `point` breaks a rule of the format, which would make it unreadable.
[[nodiscard]] std::string format_manifest(const RecoveryPoint& point);
/// Throws Error naming `path` and what is wrong. The manifest carries a SHA-256 over itself.
[[nodiscard]] RecoveryPoint parse_manifest(const std::string& text, const std::string& path);

/// The point in the text of a manifest, or why there is none. Looking at points must not stop at a
/// damaged one, so this does not throw.
struct ManifestReading {
  std::optional<RecoveryPoint> point;
  std::string problem;  ///< empty if there is a point
};
/// Reads the text of a manifest without throwing.
[[nodiscard]] ManifestReading read_manifest(const std::string& text);

constexpr std::string_view manifest_name = "manifest.json";

/// Where copies of the database live below the state directory.
struct DatabaseDirectories {
  std::string outgoing;  ///< on the primary: the newest snapshot, to be shipped
  std::string incoming;  ///< on the standby: where it arrives
  std::string points;    ///< on the standby: the last N accepted ones
  std::string undo;      ///< what a promotion replaced
};
/// The four of them below "<state directory>/database".
[[nodiscard]] DatabaseDirectories database_directories(const std::string& state_directory);

/// A recovery point on disk and whether it can be trusted.
struct KeptPoint {
  std::string directory;
  std::optional<RecoveryPoint> point;  ///< whenever the manifest could be read
  std::string problem;                 ///< empty: manifest and files fit (sizes and hashes checked)
};

/// A table file of a point that is not as the manifest says.
struct DamagedTable {
  std::string name;
  std::string problem;  ///< "nodelist.sqlite is missing", "… does not have the SHA-256 …"
};

/// What lies in one directory. No directory, no manifest and a damaged one are problems, not
/// Errors.
[[nodiscard]] KeptPoint read_point(base::Disk& disk, const std::string& directory);
/// Compares size and SHA-256 of every file in `directory` with what `point` says.
[[nodiscard]] std::vector<DamagedTable> damaged_tables(base::Disk& disk, int directory,
                                                       const RecoveryPoint& point);

/// All points below `points_directory`, newest first. Damaged ones are listed with their problem.
/// Only names that point_id() makes are looked at.
[[nodiscard]] std::vector<KeptPoint> list_points(const std::string& points_directory);
/// The newest one without a problem.
[[nodiscard]] std::optional<KeptPoint> newest_point(const std::string& points_directory);

}  // namespace hamn::dbrepl
