#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "dbrepl/sqlite_copy.h"
#include "dbrepl/sqlite_store.h"
#include "dbrepl/sqlite_tables.h"
#include "dbrepl/whole_directory.h"

namespace hamn::dbrepl {

namespace {

/// One snapshot, from looking at the last one to putting the new one in its place.
class Snapshot {
 public:
  Snapshot(base::Disk& disk, base::Clock& clock, const SnapshotRequest& request)
      : disk_(disk), clock_(clock), request_(request) {}

  RecoveryPoint take() {
    if (table_names(disk_, request_.directory).empty()) throw no_tables();
    look_at_previous();
    // Before the first table is looked at: equal positions later prove equal content now.
    const auto looked = clock_.wall();
    const auto position = sqlite_position(request_.directory);
    if (may_stay_ && previous_->position == position) return renew(*previous_, looked);
    base::make_directories(parent_of(request_.outgoing), 0700);
    ScratchDirectory scratch{disk_, scratch_path(request_.outgoing)};
    auto point = cut(scratch);
    finish(scratch, point);
    if (changed_.empty() && may_stay_ && point.tables.size() == previous_->tables.size()) {
      return renew(point, point.taken);
    }
    return publish(scratch, std::move(point));
  }

 private:
  [[nodiscard]] base::Error no_tables() const {
    return base::Error{
        {.what = "cannot copy the database in " + base::printable(request_.directory),
         .detail = "there is no table (*.sqlite) in it",
         .hint = "find out where xCAT has its tables: lsxcatd -a; cat "
                 "/etc/xcat/cfgloc"}};
  }

  void look_at_previous() {
    settle_directory(disk_, request_.outgoing);
    previous_ = read_point(disk_, request_.outgoing).point;
    if (!previous_) return;
    const auto root = disk_.open_root(request_.outgoing);
    std::set<std::string> damaged;
    for (const auto& table : damaged_tables(disk_, root.get(), *previous_)) {
      damaged.insert(table.name);
    }
    for (const auto& table : previous_->tables) {
      if (!damaged.contains(table.name)) kept_[table.name] = table;
    }
    may_stay_ = damaged.empty() && previous_->epoch == request_.epoch &&
                previous_->engine == "sqlite" && previous_->host == request_.host &&
                previous_->source_directory == request_.directory &&
                previous_->generation > request_.after_generation;
  }

  /// Only the manifest moves.
  RecoveryPoint renew(RecoveryPoint point, base::WallTime taken) {
    point.taken = taken;
    base::replace_file(disk_, {.path = request_.outgoing + "/" + std::string{manifest_name},
                               .content = format_manifest(point),
                               .mode = 0600});
    return point;
  }

  /// The moment that counts: all tables are locked, and whatever may have changed is copied.
  RecoveryPoint cut(ScratchDirectory& scratch) {
    RecoveryPoint point;
    auto locked = LockedTables::take(disk_, clock_, request_.directory, LockKind::write);
    point.taken = clock_.wall();
    const auto positions = locked.positions();
    point.position = combine(positions);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      const auto& [name, position] = positions[i];
      TablePoint table{.name = name, .file = table_file(name), .position = position};
      const auto known = kept_.find(name);
      if (known != kept_.end() && known->second.position == position) {
        table = known->second;
      } else {
        copy_locked(disk_, locked.tables()[i], scratch);
        copied_.insert(name);
      }
      point.tables.push_back(std::move(table));
    }
    return point;
  }

  /// After the locks: finds out what really changed, and keeps the files of all else.
  void finish(ScratchDirectory& scratch, RecoveryPoint& point) {
    point.host = request_.host;
    point.engine = "sqlite";
    point.epoch = request_.epoch;
    point.source_directory = request_.directory;
    point.generation = previous_ ? previous_->generation : 0;
    for (auto& table : point.tables) {
      if (copied_.contains(table.name)) finish_table(scratch, table);
    }
    point.id = point_id(point.epoch, point.generation);
  }

  void finish_table(ScratchDirectory& scratch, TablePoint& table) {
    auto copy = finish_copy(disk_, scratch, table.name);
    copy.position = table.position;
    const auto known = kept_.find(table.name);
    if (known != kept_.end() && holds_the_same(scratch, copy, known->second)) {
      disk_.remove_file(scratch.fd(), copy.file);
      table = known->second;
      table.position = copy.position;
      return;
    }
    changed_.insert(copy.name);
    table = std::move(copy);
  }

  /// Content and definitions; the pages may differ.
  bool holds_the_same(const ScratchDirectory& scratch, const TablePoint& copy,
                      const TablePoint& known) const {
    return known.content == copy.content && known.rows == copy.rows &&
           content_of(request_.outgoing + "/" + known.file).schema ==
               content_of(scratch.path() + "/" + copy.file).schema;
  }

  RecoveryPoint publish(ScratchDirectory& scratch, RecoveryPoint point) {
    point.generation = std::max(point.generation, request_.after_generation) + 1;
    point.id = point_id(point.epoch, point.generation);
    link_unchanged(scratch, point);
    const auto manifest = disk_.create_file(scratch.fd(), std::string{manifest_name}, 0600);
    disk_.write(manifest.get(), format_manifest(point), 0);
    disk_.sync_file(manifest.get());
    scratch.take_place_of(request_.outgoing);
    return point;
  }

  void link_unchanged(ScratchDirectory& scratch, const RecoveryPoint& point) {
    if (changed_.size() == point.tables.size()) return;
    const auto outgoing = disk_.open_root(request_.outgoing);
    for (const auto& table : point.tables) {
      if (changed_.contains(table.name)) continue;
      link_or_copy(disk_, {.directory = outgoing.get(), .name = table.file},
                   {.directory = scratch.fd(), .name = table.file});
    }
  }

  base::Disk& disk_;
  base::Clock& clock_;
  const SnapshotRequest& request_;
  std::optional<RecoveryPoint> previous_;
  std::map<std::string, TablePoint> kept_;  ///< tables of the last snapshot whose file is sound
  bool may_stay_ = false;                   ///< the last snapshot can go on with its generation
  std::set<std::string> copied_;
  std::set<std::string> changed_;
};

}  // namespace

RecoveryPoint take_sqlite_snapshot(base::Disk& disk, base::Clock& clock,
                                   const SnapshotRequest& request) {
  return Snapshot{disk, clock, request}.take();
}

}  // namespace hamn::dbrepl
