#include "tests/unit/dbrepl/worlds.h"

#include <chrono>
#include <filesystem>

namespace hamn::dbrepl::test {

namespace fs = std::filesystem;

base::Fd HookedDisk::create_file(int directory, const std::string& name, unsigned mode) {
  if (before_creating) before_creating(name);
  return FaultyDisk::create_file(directory, name, mode);
}

void HookedDisk::rename(int from, const std::string& old_name, int to,
                        const std::string& new_name) {
  FaultyDisk::rename(from, old_name, to, new_name);
  if (after_renaming) after_renaming(new_name);
}

SnapshotWorld::SnapshotWorld() {
  for (const char* table : {"a", "b", "c"}) {
    tables_.create(table);
    tables_.put(table, "counter", "0");
  }
}

int SnapshotWorld::count(const std::string& directory, const std::string& table) {
  return std::stoi(Tables{directory}.value(table, "counter"));
}

AcceptWorld::AcceptWorld() {
  tables_.create("nodelist");
  tables_.create("site");
  tables_.fill("nodelist", 200);
  tables_.put("site", "master", "10.1.0.1");
}

RecoveryPoint AcceptWorld::snapshot() {
  clock_.advance(std::chrono::seconds{10});
  return take_sqlite_snapshot(disk_, clock_, request_);
}

void AcceptWorld::ship() {
  fs::create_directories(incoming_);
  for (const auto& [name, content] : tree_of(request_.outgoing)) {
    const auto place = incoming_ + "/" + name;
    if (fs::exists(place) && read(place) == content) continue;
    write(place + ".part", content);
    fs::rename(place + ".part", place);
  }
}

SwapWorld::SwapWorld() {
  for (const char* table : {"mac", "nodelist", "site"}) primary_.create(table);
  primary_.fill("nodelist", 50);
  primary_.put("site", "master", "10.1.0.1");
  for (const char* table : {"nodelist", "policy", "site"}) standby_.create(table);
  standby_.put("site", "master", "10.1.0.2");
  standby_.put("policy", "1", "root");
  old_ = standby_.all();
  new_ = primary_.all();
  point_ = make_point(1);
}

KeptPoint SwapWorld::make_point(std::uint64_t generation) {
  const auto place = root_ / ("points/" + point_id(1, generation));
  (void)take_sqlite_snapshot(disk_, clock_,
                             {.directory = primary_.directory(),
                              .outgoing = place,
                              .host = "mn1",
                              .epoch = 1,
                              .after_generation = generation - 1});
  return read_point(disk_, place);
}

void SwapWorld::swap_in(const KeptPoint& point) {
  swap_in_sqlite_point(disk_, clock_,
                       {.point = point, .directory = standby_.directory(), .undo = undo_});
}

}  // namespace hamn::dbrepl::test
