#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "dbrepl/sqlite_copy.h"
#include "dbrepl/sqlite_database.h"
#include "dbrepl/sqlite_store.h"
#include "dbrepl/whole_directory.h"

namespace hamn::dbrepl {

namespace {

constexpr std::uint64_t manifest_limit_bytes = 16ULL << 20U;

bool same_copy(const TablePoint& one, const TablePoint& other) {
  return one.name == other.name && one.file == other.file && one.size_bytes == other.size_bytes &&
         one.sha256 == other.sha256 && one.rows == other.rows && one.content == other.content;
}

bool same_copies(const RecoveryPoint& one, const RecoveryPoint& other) {
  return one.engine == other.engine && one.host == other.host &&
         one.source_directory == other.source_directory &&
         std::equal(one.tables.begin(), one.tables.end(), other.tables.begin(), other.tables.end(),
                    same_copy);
}

/// What the file holds against what the manifest says; empty if it fits.
std::string deep_problem(const std::string& directory, const TablePoint& table) {
  const auto path = directory + "/" + table.file;
  const auto damage = damage_of(path, Access::unchanging);
  if (!damage.empty()) return table.name + ": " + damage;
  const auto content = content_of(path);
  if (content.rows != table.rows) {
    return table.name + ": " + base::human_count(content.rows) + " rows instead of " +
           base::human_count(table.rows);
  }
  return content.hash == table.content ? std::string{} : table.name + ": other content";
}

/// Taking one point in, from what arrived to what is published.
class Acceptance {
 public:
  Acceptance(base::Disk& disk, std::string incoming, std::string points)
      : disk_(disk), incoming_(std::move(incoming)), points_(std::move(points)) {}

  RecoveryPoint take() {
    read_incoming();
    base::make_directories(points_, 0700);
    settle_directories_below(disk_, points_);
    kept_ = list_points(points_);
    refuse_older();
    const auto* known = find_known();
    if (known != nullptr && known->problem.empty()) return renew(*known);
    publish();
    return offered_;
  }

  void prune(std::uint64_t keep) {
    const auto points = list_points(points_);
    std::uint64_t good = 0;
    for (const auto& kept : points) {
      if (good < std::max<std::uint64_t>(keep, 1)) {
        good += kept.problem.empty() ? 1 : 0;
      } else {
        remove(kept.directory);
      }
    }
  }

 private:
  [[nodiscard]] base::Error unfit(const std::string& detail) const {
    return base::Error{{.what = "cannot accept the copy of the database in " + incoming_,
                        .detail = detail,
                        .hint = "on the primary: hamn db replicate. If this stays, let it send "
                                "all files again; here, before that: rm -r " +
                                incoming_ + " " + parent_of(parent_of(incoming_)) +
                                "/sync/database.receiver.db"}};
  }

  void read_incoming() {
    if (!is_directory(incoming_)) throw unfit("nothing has arrived yet");
    arrived_ = disk_.open_root(incoming_);
    manifest_ = read_text(disk_, arrived_.get(), std::string{manifest_name}, manifest_limit_bytes)
                    .value_or("");
    if (manifest_.empty()) throw unfit("its manifest is missing");
    auto reading = read_manifest(manifest_);
    if (!reading.point) throw unfit("its manifest cannot be trusted: " + reading.problem);
    offered_ = *std::move(reading.point);
    if (offered_.engine != "sqlite") throw unfit("it is of engine " + offered_.engine);
    if (offered_.tables.empty() || offered_.generation == 0) throw unfit("it holds no table");
  }

  void refuse_older() const {
    for (const auto& kept : kept_) {
      if (!kept.point || !(number_of(offered_) < number_of(*kept.point))) continue;
      throw base::Error{
          {.what = "refused recovery point " + offered_.id + " from " + offered_.host,
           .detail = kept.point->id + " from " + kept.point->host + " is newer and already here",
           .hint = kept.point->epoch > offered_.epoch
                       ? "a takeover happened since; see who is in charge: hamn status"
                       : "count on from there; on " + offered_.host + ": hamn db replicate",
           .code = base::Exit::refused}};
    }
  }

  /// The same point if it is here already.
  [[nodiscard]] const KeptPoint* find_known() const {
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const KeptPoint& kept) {
      return kept.point && kept.point->id == offered_.id;
    });
    if (found == kept_.end()) return nullptr;
    if (!same_copies(*found->point, offered_)) {
      throw base::Error{{.what = "refused recovery point " + offered_.id + " from " + offered_.host,
                         .detail = "another copy with that number is already here",
                         .hint = "count on from there; on " + offered_.host + ": hamn db replicate",
                         .code = base::Exit::refused}};
    }
    return &*found;
  }

  RecoveryPoint renew(const KeptPoint& known) {
    if (offered_.taken <= known.point->taken) return *known.point;
    base::replace_file(disk_, {.path = known.directory + "/" + std::string{manifest_name},
                               .content = manifest_,
                               .mode = 0600});
    return offered_;
  }

  void publish() {
    const auto place = points_ + "/" + offered_.id;
    ScratchDirectory scratch{disk_, scratch_path(place)};
    // Links first: from then on nobody can put other files in the place of those verified.
    for (const auto& table : offered_.tables) take_in(table, scratch);
    verify(scratch);
    const auto manifest = disk_.create_file(scratch.fd(), std::string{manifest_name}, 0600);
    disk_.write(manifest.get(), manifest_, 0);
    disk_.sync_file(manifest.get());
    scratch.take_place_of(place);
  }

  void take_in(const TablePoint& table, ScratchDirectory& scratch) {
    if (!disk_.status(arrived_.get(), table.file)) throw unfit(table.file + " is missing");
    link_or_copy(disk_, {.directory = arrived_.get(), .name = table.file},
                 {.directory = scratch.fd(), .name = table.file});
    if (const auto file = disk_.open_file(scratch.fd(), table.file)) disk_.sync_file(file->get());
  }

  void verify(ScratchDirectory& scratch) {
    std::vector<std::string> problems;
    for (const auto& damaged : damaged_tables(disk_, scratch.fd(), offered_)) {
      problems.push_back(damaged.problem);
      drop_arrived(damaged.name);
    }
    if (!problems.empty()) throw unfit(base::join(problems, "; "));
    for (const auto& table : offered_.tables) {
      if (was_verified(table)) continue;
      auto problem = deep_problem(scratch.path(), table);
      if (!problem.empty()) problems.push_back(std::move(problem));
    }
    if (!problems.empty()) throw unfit(base::join(problems, "; "));
  }

  /// A copy that rotted here has the size and time of the good one, so it would never be sent
  /// again.
  void drop_arrived(const std::string& name) {
    for (const auto& table : offered_.tables) {
      if (table.name == name && disk_.status(arrived_.get(), table.file)) {
        disk_.remove_file(arrived_.get(), table.file);
      }
    }
  }

  /// The same bytes were looked at when an earlier point was accepted.
  [[nodiscard]] bool was_verified(const TablePoint& table) const {
    return std::any_of(kept_.begin(), kept_.end(), [&](const KeptPoint& kept) {
      return kept.problem.empty() &&
             std::any_of(kept.point->tables.begin(), kept.point->tables.end(),
                         [&](const TablePoint& known) { return same_copy(known, table); });
    });
  }

  /// Under another name first, so that a crash does not leave half a point.
  void remove(const std::string& directory) {
    const auto root = disk_.open_root(points_);
    const auto leaving = name_of(scratch_path(directory));
    disk_.rename(root.get(), name_of(directory), root.get(), leaving);
    remove_entry(disk_, root.get(), leaving);
  }

  base::Disk& disk_;
  std::string incoming_;
  std::string points_;
  base::Fd arrived_;
  std::string manifest_;
  RecoveryPoint offered_;
  std::vector<KeptPoint> kept_;
};

}  // namespace

RecoveryPoint accept_sqlite_point(base::Disk& disk, const std::string& incoming,
                                  const std::string& points, std::uint64_t keep) {
  Acceptance acceptance{disk, incoming, points};
  auto point = acceptance.take();
  acceptance.prune(keep);
  return point;
}

std::vector<std::string> check_sqlite_point(const KeptPoint& kept) {
  if (!kept.problem.empty()) return {kept.problem};
  std::vector<std::string> problems;
  for (const auto& table : kept.point->tables) {
    auto problem = deep_problem(kept.directory, table);
    if (!problem.empty()) problems.push_back(std::move(problem));
  }
  return problems;
}

std::vector<TablePoint> read_sqlite_tables(const std::string& directory) {
  constexpr std::chrono::seconds patience{10};
  base::RealDisk disk;
  std::vector<TablePoint> tables;
  for (const auto& name : table_names(disk, directory)) {
    // For writing, since a journal that a crash left has to be played back first.
    auto database = Database::open_if_present(table_path(directory, name), Access::write);
    if (!database) continue;
    database->wait_for_locks(patience);
    const auto content = read_content(*database);
    tables.push_back({.name = name,
                      .file = table_file(name),
                      .size_bytes = 0,
                      .sha256 = {},
                      .rows = content.rows,
                      .content = content.hash,
                      .position = {}});
  }
  return tables;
}

}  // namespace hamn::dbrepl
