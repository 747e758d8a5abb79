#include "dbrepl/inspection.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "dbrepl/drivers.h"
#include "dbrepl/sqlite_database.h"
#include "dbrepl/sqlite_store.h"
#include "dbrepl/sqlite_tables.h"
#include "dbrepl/whole_directory.h"

namespace hamn::dbrepl {

namespace {

std::string without_problem_of(const std::string& directory, const std::string& name) {
  constexpr std::string_view magic{"SQLite format 3\0", 16};
  constexpr std::size_t magic_size = 16;
  auto table = Database::open_if_present(table_path(directory, name), Access::read);
  if (!table) return {};
  const auto head = table->head(magic_size);
  const bool is_empty = head == std::string(magic_size, '\0');
  return is_empty || head == magic ? std::string{} : name + " is not a SQLite database";
}

/// The first thing that is wrong with the tables, as a sentence; empty if nothing is.
std::string problem_of(const LiveDatabase& live, const std::vector<std::string>& names,
                       const std::string& undo) {
  if (const auto target = interrupted_swap(undo)) {
    return "putting " + *target +
           " in charge was interrupted: the tables are a mixture until "
           "that is run again";
  }
  if (names.empty()) return "there is no table in " + live.directory;
  for (const auto& name : names) {
    auto problem = without_problem_of(live.directory, name);
    if (!problem.empty()) return problem;
  }
  return {};
}

}  // namespace

PointSummary summarize(const KeptPoint& kept) {
  PointSummary summary{.id = name_of(kept.directory), .taken = {}, .problem = kept.problem};
  if (!kept.point) return summary;
  const auto& point = *kept.point;
  summary.id = point.id;
  summary.generation = point.generation;
  summary.epoch = point.epoch;
  summary.host = point.host;
  summary.taken = point.taken;
  summary.position = point.position;
  summary.content = content_digest(point.tables);
  for (const auto& table : point.tables) {
    summary.tables.push_back({.name = table.name, .rows = table.rows, .content = table.content});
  }
  return summary;
}

LiveDatabase inspect_here(const DatabaseLocation& location, const DatabaseDirectories& directories,
                          const base::Clock& clock) {
  LiveDatabase live{
      .engine = to_text(location.engine), .directory = location.directory, .now = clock.wall()};
  if (location.engine != Engine::sqlite) {
    live.problem = not_replicable(location.engine);
    return live;
  }
  if (!is_directory(location.directory)) {
    live.problem = "there is no directory " + location.directory + " (" + location.origin + ")";
    return live;
  }
  base::RealDisk disk;
  const auto names = table_names(disk, location.directory);
  live.tables = names.size();
  live.problem = problem_of(live, names, directories.undo);
  live.healthy = live.problem.empty();
  live.position = sqlite_position(location.directory);
  auto snapshot = read_point(disk, directories.outgoing);
  if (snapshot.point) live.snapshot = summarize(snapshot);
  return live;
}

KeptPoints inspect_points_here(const DatabaseDirectories& directories, const base::Clock& clock) {
  KeptPoints kept{.now = clock.wall()};
  for (const auto& point : list_points(directories.points)) kept.points.push_back(summarize(point));
  return kept;
}

Comparison compare_here(const DatabaseLocation& location, const DatabaseDirectories& directories,
                        const std::string& point_id) {
  if (location.engine != Engine::sqlite) {
    throw base::Error{{.what = not_replicable(location.engine),
                       .detail = location.origin + " names it",
                       .hint = "see docs/databases.md",
                       .code = base::Exit::usage}};
  }
  const auto kept = find_point(directories, point_id);
  if (!kept.point) {
    throw base::Error{{.what = "cannot compare with " + name_of(kept.directory),
                       .detail = kept.problem,
                       .hint = "choose another recovery point: hamn db points"}};
  }
  Comparison comparison{
      .point = kept.point->id,
      .equal = false,
      .differences = differences(kept.point->tables, read_sqlite_tables(location.directory))};
  comparison.equal = comparison.differences.empty();
  return comparison;
}

KeptPoint find_point(const DatabaseDirectories& directories, const std::string& id) {
  auto points = list_points(directories.points);
  const auto found = std::find_if(points.begin(), points.end(), [&](const KeptPoint& kept) {
    return id.empty() ? kept.problem.empty() : name_of(kept.directory) == id;
  });
  if (found != points.end()) return std::move(*found);
  throw base::Error{{.what = id.empty() ? "there is no recovery point that can be used"
                                        : "there is no recovery point " + base::printable(id),
                     .detail = base::human_count(points.size()) + " are in " + directories.points,
                     .hint = "see which there are: hamn db points"}};
}

}  // namespace hamn::dbrepl
