#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
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

using Json = nlohmann::json;

constexpr std::uint64_t marker_limit_bytes = 65536;
constexpr int most_attempts = 5;
constexpr std::array<const char*, 3> side_suffixes{"-journal", "-wal", "-shm"};

const std::string marker_name = "swap.json";
const std::string staging_name = ".hamn-new";

std::string this_hostname() {
  std::array<char, 256> name{};
  const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0';
  return known ? name.data() : "unknown";
}

struct Marker {
  std::string target;
  std::string directory;
};

std::optional<Marker> read_marker(base::Disk& disk, const std::string& undo) {
  const auto parent = parent_of(undo);
  if (!is_directory(parent)) return std::nullopt;
  const auto text = read_text(disk, disk.open_root(parent).get(), marker_name, marker_limit_bytes);
  if (!text) return std::nullopt;
  const Json object = Json::parse(*text, nullptr, false);
  const auto member = [&](const char* name) -> std::string {
    if (!object.is_object() || !object.contains(name) || !object[name].is_string()) return {};
    return object[name].get<std::string>();
  };
  return Marker{.target = member("target"), .directory = member("directory")};
}

/// One exchange of all tables of a directory, forward or back.
class Swap {
 public:
  struct Places {
    std::string directory;
    std::string undo;  ///< names the marker
    std::string keep;  ///< where a copy of what is replaced goes
  };

  Swap(base::Disk& disk, base::Clock& clock, Places places, std::string target)
      : disk_(disk), clock_(clock), places_(std::move(places)), target_(std::move(target)) {}

  void run(const std::string& source) {
    read_source(source);
    const auto marker = read_marker(disk_, places_.undo);
    if (marker && !marker->directory.empty() && marker->directory != places_.directory) {
      throw failure(
          "an interrupted swap of " + marker->directory + " comes first",
          "end that first, with the configuration of that time: hamn db swap-in --point " +
              marker->target);
    }
    remove_entry(disk_, disk_.open_root(places_.directory).get(), staging_name);
    find_damaged();
    if (!marker && holds_target()) return;
    ScratchDirectory staged{disk_, places_.directory + "/" + staging_name};
    auto fresh = stage(staged);
    // After an interruption the tables are a mixture; what they were is kept already.
    auto replaced = marker ? lock_all() : keep_and_lock();
    mark();
    put_in_place(staged, replaced);
    // The locks of `fresh` and `replaced` end here, all new files being in place.
  }

 private:
  struct Replaced {
    LockedTables locked;
    std::set<std::string> single_named;  ///< files that nobody else has a hard link to
  };

  [[nodiscard]] base::Error failure(const std::string& detail, const std::string& hint) const {
    return base::Error{{.what = "cannot put " + target_ + " in charge in " + places_.directory,
                        .detail = detail,
                        .hint = hint}};
  }

  void read_source(const std::string& source) {
    source_ = source;
    auto kept = read_point(disk_, source);
    if (!kept.problem.empty()) {
      throw failure(kept.problem, "choose another copy: hamn db points");
    }
    point_ = *std::move(kept.point);
  }

  void find_damaged() {
    damaged_.clear();
    for (const auto& name : table_names(disk_, places_.directory)) {
      const auto path = table_path(places_.directory, name);
      if (!damage_of(path, Access::write).empty()) damaged_.insert(name);
    }
  }

  [[nodiscard]] bool holds_target() const {
    return damaged_.empty() &&
           differences(point_.tables, read_sqlite_tables(places_.directory)).empty();
  }

  /// Writes and verifies the new files beside the old ones and locks them, so that whoever finds
  /// one in place early has to wait for all.
  std::vector<Database> stage(ScratchDirectory& staged) {
    const auto source = disk_.open_root(source_);
    std::vector<Database> fresh;
    for (const auto& table : point_.tables) {
      copy_file(disk_, {.directory = source.get(), .name = table.file},
                {.directory = staged.fd(), .name = table.file});
    }
    const auto damaged = damaged_tables(disk_, staged.fd(), point_);
    if (!damaged.empty()) {
      throw failure(damaged.front().problem, "look for disk errors: dmesg | tail; run again");
    }
    disk_.sync_directory(staged.fd());
    for (const auto& table : point_.tables) {
      auto& database = fresh.emplace_back(staged.path() + "/" + table.file, Access::write);
      if (!try_lock(database, LockKind::exclusive)) {
        throw failure(table.file + " is in use before it is in place", "run again");
      }
    }
    return fresh;
  }

  Replaced lock_all() {
    Replaced replaced{.locked = LockedTables::take(disk_, clock_, places_.directory,
                                                   LockKind::exclusive, damaged_),
                      .single_named = {}};
    const auto root = disk_.open_root(places_.directory);
    for (const auto& table : replaced.locked.tables()) {
      const auto status = disk_.status(root.get(), table_file(table.name));
      if (status && status->links == 1) replaced.single_named.insert(table.name);
    }
    return replaced;
  }

  /// Copies what is there, and then locks it against readers too. Nothing may have been written in
  /// between, or the copy would not be what is replaced.
  Replaced keep_and_lock() {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      find_damaged();
      const auto kept_position = keep();
      auto replaced = lock_all();
      if (combine(replaced.locked.positions()) == kept_position) return replaced;
    }
    throw failure("somebody goes on writing to the tables",
                  "stop xcatd and commands that run with XCATBYPASS, then run again");
  }

  /// Answers the position of what was copied.
  std::string keep() {
    base::make_directories(parent_of(places_.keep), 0700);
    settle_directory(disk_, places_.keep);
    ScratchDirectory scratch{disk_, scratch_path(places_.keep)};
    RecoveryPoint kept{.id = point_id(0, 0),
                       .engine = "sqlite",
                       .host = this_hostname(),
                       .source_directory = places_.directory};
    std::vector<TablePosition> positions;
    {
      auto locked = LockedTables::take(disk_, clock_, places_.directory, LockKind::write, damaged_);
      kept.taken = clock_.wall();
      positions = locked.positions();
      for (const auto& table : locked.tables()) copy_locked(disk_, table, scratch);
    }
    for (const auto& table : positions) {
      kept.tables.push_back(finish_copy(disk_, scratch, table.name));
    }
    keep_damaged(scratch);
    const auto manifest = disk_.create_file(scratch.fd(), std::string{manifest_name}, 0600);
    disk_.write(manifest.get(), format_manifest(kept), 0);
    disk_.sync_file(manifest.get());
    scratch.take_place_of(places_.keep);
    return combine(positions);
  }

  /// Files that are no databases are kept byte by byte, under a name that nothing takes for a
  /// table.
  void keep_damaged(ScratchDirectory& scratch) {
    const auto root = disk_.open_root(places_.directory);
    for (const auto& name : damaged_) {
      copy_file(disk_, {.directory = root.get(), .name = table_file(name)},
                {.directory = scratch.fd(), .name = table_file(name) + ".damaged"});
    }
  }

  /// From here on there is a way forward only.
  void mark() {
    const Json marker{{"format", 1}, {"target", target_}, {"directory", places_.directory}};
    base::replace_file(disk_, {.path = parent_of(places_.undo) + "/" + marker_name,
                               .content = marker.dump(1) + "\n",
                               .mode = 0600});
  }

  void put_in_place(ScratchDirectory& staged, Replaced& replaced) {
    try {
      const auto root = disk_.open_root(places_.directory);
      for (const auto& name : table_names(disk_, places_.directory)) remove_extra(root.get(), name);
      for (const auto& table : point_.tables) {
        remove_side_files(root.get(), table.file);
        disk_.rename(staged.fd(), table.file, root.get(), table.file);
      }
      disk_.sync_directory(root.get());
      const auto state = disk_.open_root(parent_of(places_.undo));
      disk_.remove_file(state.get(), marker_name);
      disk_.sync_directory(state.get());
    } catch (const base::Error& error) {
      throw base::Error{{.what = "stopped while putting " + target_ + " in charge in " +
                                 places_.directory + ": " + error.what(),
                         .detail = error.detail() + "; the tables there are a mixture now",
                         .hint = "put that right, then run the same command again",
                         .code = base::Exit::incomplete}};
    }
    for (auto& table : replaced.locked.tables()) {
      if (replaced.single_named.contains(table.name)) table.database.empty_nameless();
    }
  }

  /// A table that the point does not have.
  void remove_extra(int root, const std::string& name) {
    const bool wanted = std::any_of(point_.tables.begin(), point_.tables.end(),
                                    [&](const TablePoint& table) { return table.name == name; });
    if (wanted) return;
    disk_.remove_file(root, table_file(name));
    remove_side_files(root, table_file(name));
  }

  /// A journal of the old file would be taken for one of the new file. None of them is needed: the
  /// lock played back what there was to play back.
  void remove_side_files(int root, const std::string& file) {
    for (const auto* suffix : side_suffixes) {
      if (disk_.status(root, file + suffix)) disk_.remove_file(root, file + suffix);
    }
  }

  base::Disk& disk_;
  base::Clock& clock_;
  Places places_;
  std::string target_;
  std::string source_;
  RecoveryPoint point_;
  std::set<std::string> damaged_;
};

}  // namespace

void swap_in_sqlite_point(base::Disk& disk, base::Clock& clock, const SwapRequest& request) {
  if (!request.point.problem.empty() || !request.point.point) {
    throw base::Error{{.what = "cannot put " + request.point.directory + " in charge",
                       .detail = request.point.problem,
                       .hint = "choose another recovery point: hamn db points"}};
  }
  Swap{disk,
       clock,
       {.directory = request.directory, .undo = request.undo, .keep = request.undo},
       request.point.point->id}
      .run(request.point.directory);
}

void swap_back_sqlite(base::Disk& disk, base::Clock& clock, const std::string& directory,
                      const std::string& undo) {
  settle_directory(disk, undo);
  if (!is_directory(undo)) {
    throw base::Error{{.what = "cannot go back to the tables before the swap",
                       .detail = "nothing was replaced: there is no " + undo,
                       .hint = "see what copies there are: hamn db points"}};
  }
  Swap{disk, clock, {.directory = directory, .undo = undo, .keep = undo + ".back"}, "undo"}.run(
      undo);
}

std::optional<std::string> interrupted_swap(const std::string& undo) {
  base::RealDisk disk;
  const auto marker = read_marker(disk, undo);
  if (!marker) return std::nullopt;
  return marker->target.empty() ? "an unknown point" : marker->target;
}

}  // namespace hamn::dbrepl
