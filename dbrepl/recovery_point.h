#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"

namespace hamn::dbrepl {

/// One table of a copy of the cluster database.
struct TablePoint {
  std::string name;       ///< "nodelist"
  std::string file;       ///< within the point's directory: "nodelist.sqlite"
  std::uint64_t size_bytes = 0;
  std::string sha256;     ///< of the file
  std::uint64_t rows = 0;
  /// Sum of the hashes of all rows (order does not matter): equal content has equal hashes,
  /// whatever the pages look like.
  std::string content;

  friend bool operator==(const TablePoint&, const TablePoint&) = default;
};

/// A verified, consistent copy of the whole database at one moment: what a takeover starts from.
/// Written as manifest.json beside the table files; docs/formats/recovery-point.md.
struct RecoveryPoint {
  std::string id;  ///< "p00000042": the generation, so that names sort by age
  std::uint64_t generation = 0;
  std::string engine;
  std::string host;             ///< the primary that it was taken on
  std::uint64_t epoch = 0;
  base::WallTime taken;         ///< the primary's clock: when the consistent cut was made
  std::string source_directory; ///< where xCAT had its tables there
  std::vector<TablePoint> tables;

  friend bool operator==(const RecoveryPoint&, const RecoveryPoint&) = default;
};

[[nodiscard]] std::string format_manifest(const RecoveryPoint& point);
/// Throws Error naming `path` and what is wrong. The manifest carries a SHA-256 over itself.
[[nodiscard]] RecoveryPoint parse_manifest(const std::string& text, const std::string& path);

/// Where copies of the database live below the state directory.
struct DatabaseDirectories {
  std::string outgoing;  ///< on the primary: the newest snapshot, to be shipped
  std::string incoming;  ///< on the standby: where it arrives
  std::string points;    ///< on the standby: the last N accepted ones
  std::string undo;      ///< what a promotion replaced
};
[[nodiscard]] DatabaseDirectories database_directories(const std::string& state_directory);

/// A recovery point on disk and whether it can be trusted.
struct KeptPoint {
  std::string directory;
  std::optional<RecoveryPoint> point;
  std::string problem;  ///< empty: manifest and files fit (sizes and hashes checked)
};

/// All points below `points_directory`, newest first. Damaged ones are listed with their problem.
[[nodiscard]] std::vector<KeptPoint> list_points(const std::string& points_directory);
/// The newest one without a problem.
[[nodiscard]] std::optional<KeptPoint> newest_point(const std::string& points_directory);

}  // namespace hamn::dbrepl
