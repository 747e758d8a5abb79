#include <algorithm>

#include "base/text.h"
#include "dbrepl/recovery_point.h"
#include "dbrepl/whole_directory.h"

namespace hamn::dbrepl {

namespace {

constexpr std::uint64_t manifest_limit_bytes = 16ULL << 20U;

std::string problem_of(base::Disk& disk, int directory, const TablePoint& table) {
  const auto file = disk.open_file(directory, table.file);
  if (!file) return table.file + " is missing";
  const auto status = disk.status_of(file->get());
  if (status.type != base::FileType::regular) return table.file + " is not a regular file";
  if (status.size_bytes != table.size_bytes) {
    return table.file + " has " + base::human_count(status.size_bytes) + " bytes instead of " +
           base::human_count(table.size_bytes);
  }
  if (sha256_of(file->get()) != table.sha256) {
    return table.file + " does not have the SHA-256 that its manifest names";
  }
  return {};
}

std::string join_problems(const std::vector<DamagedTable>& damaged) {
  std::vector<std::string> problems;
  problems.reserve(damaged.size());
  for (const auto& table : damaged) problems.push_back(table.problem);
  return base::join(problems, "; ");
}

}  // namespace

std::vector<DamagedTable> damaged_tables(base::Disk& disk, int directory,
                                         const RecoveryPoint& point) {
  std::vector<DamagedTable> damaged;
  for (const auto& table : point.tables) {
    auto problem = problem_of(disk, directory, table);
    if (!problem.empty()) damaged.push_back({.name = table.name, .problem = std::move(problem)});
  }
  return damaged;
}

KeptPoint read_point(base::Disk& disk, const std::string& directory) {
  KeptPoint kept{.directory = directory, .point = {}, .problem = {}};
  if (!is_directory(directory)) return kept.problem = "there is no such directory", kept;
  const auto root = disk.open_root(directory);
  const auto text = read_text(disk, root.get(), std::string{manifest_name}, manifest_limit_bytes);
  if (!text) return kept.problem = "its manifest is missing or far too large", kept;
  auto reading = read_manifest(*text);
  kept.point = std::move(reading.point);
  kept.problem = std::move(reading.problem);
  if (kept.point) kept.problem = join_problems(damaged_tables(disk, root.get(), *kept.point));
  return kept;
}

std::vector<KeptPoint> list_points(const std::string& points_directory) {
  base::RealDisk disk;
  if (!is_directory(points_directory)) return {};
  std::vector<std::pair<PointNumber, std::string>> found;
  for (const auto& name : disk.list(disk.open_root(points_directory).get())) {
    if (const auto number = parse_point_id(name)) found.emplace_back(*number, name);
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<KeptPoint> points;
  for (const auto& [number, name] : found) {
    std::string directory = points_directory;
    directory += "/" + name;
    auto kept = read_point(disk, directory);
    if (kept.point && kept.point->id != name) {
      kept.problem = "its manifest is that of " + kept.point->id;
      kept.point.reset();
    }
    if (kept.problem.empty() && kept.point->tables.empty()) kept.problem = "it holds no table";
    points.push_back(std::move(kept));
  }
  return points;
}

std::optional<KeptPoint> newest_point(const std::string& points_directory) {
  auto points = list_points(points_directory);
  const auto good = std::find_if(points.begin(), points.end(),
                                 [](const KeptPoint& kept) { return kept.problem.empty(); });
  return good == points.end() ? std::nullopt : std::optional{std::move(*good)};
}

}  // namespace hamn::dbrepl
