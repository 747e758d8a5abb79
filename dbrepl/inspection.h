#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "dbrepl/cfgloc.h"
#include "dbrepl/recovery_point.h"

namespace hamn::dbrepl {

/// What `hamn db inspect|points|compare --json` find out on the host that they run on, and the JSON
/// in which they tell the other host. The contract is additive: readers ignore members that they do
/// not know. Parsers throw Error that names the host and what is wrong with its answer.

/// A recovery point, without its files.
struct PointSummary {
  std::string id = {};
  std::uint64_t generation = 0;
  std::uint64_t epoch = 0;
  std::string host = {};  ///< the primary that it was taken on
  base::WallTime taken;
  std::string position = {};            ///< of the primary's database at that time
  std::string content = {};             ///< content_digest(): equal if two copies hold the same
  std::string problem = {};             ///< empty: it can be used
  std::vector<TablePoint> tables = {};  ///< only name, rows and content

  friend bool operator==(const PointSummary&, const PointSummary&) = default;
};
/// What other hosts need to know of a point.
[[nodiscard]] PointSummary summarize(const KeptPoint& kept);

/// `hamn db inspect`: the live database of this host.
struct LiveDatabase {
  std::string engine = {};
  std::string directory = {};  ///< of the tables; empty if the engine has none
  std::string position = {};   ///< moves with every change
  std::uint64_t tables = 0;
  bool healthy = false;
  std::string problem = {};  ///< a sentence; empty if healthy
  base::WallTime now;        ///< this host's clock, to tell the age of what it took itself
  std::optional<PointSummary> snapshot = {};  ///< the one in `outgoing`

  friend bool operator==(const LiveDatabase&, const LiveDatabase&) = default;
};

/// `hamn db points`: the recovery points that this host keeps, newest first.
struct KeptPoints {
  base::WallTime now;
  std::vector<PointSummary> points = {};

  friend bool operator==(const KeptPoints&, const KeptPoints&) = default;
};

/// `hamn db compare --point ID`: the live database of this host against a point that it keeps.
struct Comparison {
  std::string point = {};
  bool equal = false;
  std::vector<std::string> differences = {};

  friend bool operator==(const Comparison&, const Comparison&) = default;
};

/// Looks; changes nothing and takes no lock. A database that hamn cannot replicate, that is damaged
/// or that an interrupted swap left as a mixture is an answer (`healthy` false), not an Error.
[[nodiscard]] LiveDatabase inspect_here(const DatabaseLocation& location,
                                        const DatabaseDirectories& directories,
                                        const base::Clock& clock);
[[nodiscard]] KeptPoints inspect_points_here(const DatabaseDirectories& directories,
                                             const base::Clock& clock);
/// Reads all tables of both. Throws Error if there is no such point or a table cannot be read.
[[nodiscard]] Comparison compare_here(const DatabaseLocation& location,
                                      const DatabaseDirectories& directories,
                                      const std::string& point_id);
/// The point with this id, or the newest good one if `id` is empty. Throws Error if there is none;
/// the point may have a problem.
[[nodiscard]] KeptPoint find_point(const DatabaseDirectories& directories, const std::string& id);

/// {engine, directory, position, tables, healthy, problem, now, snapshot: null or a point}.
[[nodiscard]] std::string format_live(const LiveDatabase& live);
/// The reverse, for the answer of `host`.
[[nodiscard]] LiveDatabase parse_live(const std::string& json, const std::string& host);
/// {now, points: [{id, generation, epoch, host, taken, position, content, problem, tables: [{name,
/// rows, content}]}]}, newest first.
[[nodiscard]] std::string format_points(const KeptPoints& kept);
/// The reverse, for the answer of `host`.
[[nodiscard]] KeptPoints parse_points(const std::string& json, const std::string& host);
/// {point, equal, differences: [text]}.
[[nodiscard]] std::string format_comparison(const Comparison& comparison);
/// The reverse, for the answer of `host`.
[[nodiscard]] Comparison parse_comparison(const std::string& json, const std::string& host);

}  // namespace hamn::dbrepl
