#include "tests/unit/takeover/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/site.h"
#include "base/text.h"
#include "sync/index.h"
#include "sync/receiver.h"
#include "takeover/addresses.h"
#include "tests/unit/takeover/world_run.h"

namespace hamn::takeover {

namespace {

constexpr const char* hosts_file = "/etc/hosts";

/// Shared by all worlds: nothing but the indexes of file sets lies in it, all of one age.
const std::string& state_directory() {
  // In memory where that is possible: SQLite waits for the disk.
  if (std::filesystem::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
  static const test::TemporaryDirectory directory;
  static const bool made = std::filesystem::create_directory(directory / "sync");
  EXPECT_TRUE(made);
  return directory.path();
}

base::Site make_site(const World::Shape& shape) {
  std::string text = "[service]\n";
  text += shape.alias ? "style = \"alias\"\naddress = \"10.77.0.10/16\"\nhostname = \"mn\"\n"
                      : "address = \"10.77.0.11/16\"\nhostname = \"mn1\"\n";
  text += "[host.mn1]\naddress = \"10.77.0.11\"\n[host.mn2]\naddress = \"" + shape.own_address +
          "\"\n[paths]\nstate = \"" + state_directory() + "\"\nrun = \"" + state_directory() +
          "/run\"\n[takeover]\nconsole_limit = " + std::to_string(shape.console_limit) + "\n";
  if (shape.has_fence) {
    text +=
        "[[fence]]\nname = \"bmc\"\noff = [\"/usr/sbin/power\", \"off\", \"{host}\"]\n"
        "status = [\"/usr/sbin/power\", \"status\", \"{host}\"]\noff_when = \"is off\"\n";
  }
  return base::parse_site(text, "/etc/hamn/hamn.toml");
}

Tables make_tables() {
  Tables tables;
  tables["site"] = {{{"key", "domain"}, {"value", "cluster.test"}}};
  tables["networks"] = {{{"net", "10.77.0.0"}, {"mask", "255.255.0.0"}}};
  tables["nodelist"] = {{{"node", "n001"}, {"groups", "compute,all"}},
                        {{"node", "n002"}, {"groups", "compute,all"}},
                        {{"node", "n003"}, {"groups", "all"}}};
  tables["hosts"] = {{{"node", "n001"}, {"ip", "10.77.1.1"}},
                     {{"node", "n002"}, {"ip", "10.77.1.2"}},
                     {{"node", "n003"}, {"ip", "10.77.1.3"}}};
  tables["mac"] = {{{"node", "n001"}, {"mac", "02:00:00:00:01:01"}},
                   {{"node", "n002"}, {"mac", "02:00:00:00:01:02"}},
                   {{"node", "n003"}, {"mac", "02:00:00:00:01:03"}}};
  tables["noderes"] = {{{"node", "compute"}, {"netboot", "xnba"}}};
  tables["chain"] = {{{"node", "n001"}, {"currstate", "install rhels8.6-x86_64-compute"}},
                     {{"node", "n002"}, {"currstate", "boot"}},
                     {{"node", "n003"}, {"currstate", "netboot rhels8.6-x86_64-compute"}}};
  tables["nodehm"] = {{{"node", "all"}, {"cons", "ipmi"}}};
  return tables;
}

}  // namespace

World::World(const Shape& shape) : site(make_site(shape)), tables(make_tables()) {
  state.addresses = {{.interface = "eth0", .address = shape.own_address, .prefix_length = 16}};
  state.hostname = "mn2";
  state.files["/etc/hostname"] = "mn2\n";
  state.files[hosts_file] = "127.0.0.1 localhost\n10.77.0.11 mn1\n10.77.0.12 mn2\n";
  state.files["/etc/xcat/cfgloc"] = "SQLite:/etc/xcat\n";
  state.rows = {"standby's own old row"};
  state.active = {"hamn-database.timer"};
  state.enabled = {"hamn-database.timer"};
  given_role(base::RoleName::standby);
  given_point(std::chrono::minutes{1});
  given_file_sets(std::chrono::minutes{2});
}

void World::given_point(base::Milliseconds age) {
  point_taken_ = clock.wall() - age;
}

void World::given_file_sets(base::Milliseconds age) {
  static std::map<std::string, base::WallTime> made;
  const auto as_of = test::FakeClock{}.wall() - age;
  for (const auto& [name, set] : site.file_sets) {
    if (made.contains(name) && made[name] == as_of) continue;
    sync::Index index{sync::receiver_index_path(site.state_directory, name)};
    index.commit({}, {.generation = 3,
                      .token = "t",
                      .complete = true,
                      .roots = "r",
                      .peer = "mn1",
                      .epoch = 1,
                      .as_of = as_of,
                      .committed = as_of});
    made[name] = as_of;
  }
}

void World::given_role(base::RoleName name) {
  state.files[site.state_directory + "/role.json"] = base::format_role(
      {.host = "mn2", .name = name, .epoch = 1, .since = clock.wall(), .run = "setup"});
}

base::RoleName World::role() const {
  const auto path = site.state_directory + "/role.json";
  return base::parse_role(state.files.at(path), path).name;
}

std::string World::addresses() const {
  std::vector<std::string> words;
  for (const auto& each : state.addresses) words.push_back(each.address);
  return base::join(words, " ");
}

std::string World::first_address() const {
  return state.addresses.empty() ? "" : state.addresses.front().address;
}

std::string World::shown() const {
  // The first address counts; the others may have changed places.
  std::string text = "hostname " + state.hostname + "\nfirst address " + first_address() + "\n";
  std::set<std::string> others;
  for (const auto& each : state.addresses) others.insert(each.address);
  const auto add = [&](const std::string& name, const std::set<std::string>& words) {
    for (const auto& word : words) text += name + " " + word + "\n";
  };
  add("address", others);
  add("active", state.active);
  add("enabled", state.enabled);
  // Rows that xcatd wrote count its starts, which may differ; whether they survive is asked apart.
  for (const auto& row : state.rows) {
    if (!row.starts_with("written by xcatd")) text += "row " + row + "\n";
  }
  for (const auto& [name, address] : state.zone) text += "name " + name + " " + address + "\n";
  text += "dhcpd runs with: " + state.dhcp_config + "\n";
  text += std::string{"conserver "} + (state.conserver_runs ? "runs\n" : "does not run\n");
  text += std::string{"primary "} + (state.primary_has_power ? "has power\n" : "is off\n");
  for (const auto& [path, content] : state.files) {
    // Records of runs hold their names and times.
    const bool is_record = path.starts_with(site.state_directory + "/takeover/");
    text += "file " + path + (is_record || path.ends_with("role.json") ? "\n" : ":\n" + content);
  }
  return text + "role " + base::to_text(role()) + "\n";
}

void World::kill_at(std::size_t n) {
  kill_at_ = n;
  moments_ = 0;
}

void World::moment() {
  ++moments_;
  if (moments_ == kill_at_) throw Killed{};
}

void World::reboot() {
  state.addresses = {
      {.interface = "eth0", .address = site.host("mn2").address, .prefix_length = 16}};
  state.promote_secondaries = false;
  state.hostname = base::trim(state.files.at("/etc/hostname"));
  state.active.clear();
  state.zone.clear();
  state.dhcp_config.clear();
  state.conserver_runs = false;
  for (const auto& unit : std::set<std::string>{state.enabled}) start(unit);
}

std::set<std::string> World::rows_of_point() const {
  return {"node n001", "node n002", "node n003"};
}

void World::start(const std::string& unit) {
  state.active.insert(unit);
  if (unit == "xcatd") {
    const auto row = "written by xcatd at start " + std::to_string(++starts_);
    state.rows.insert(row);
    written_by_xcatd.insert(row);
  }
  if (unit == "isc-dhcp-server") {
    const auto found = state.files.find("/etc/dhcp/dhcpd.conf");
    state.dhcp_config = found == state.files.end() ? "" : found->second;
    if (state.dhcp_config.empty()) state.active.erase(unit);
    if (!state.dhcp_config.empty()) {
      state.files["/proc/stat"] = "cpu 1 2 3\nbtime 1700000000\n";
      state.files["/proc/4711/stat"] =
          "4711 (dhcpd) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 900\n";
    }
  }
  if (unit == "named" && state.files.contains("/var/lib/bind/db.cluster.test")) {
    for (const auto& line : base::lines_of(state.files.at("/var/lib/bind/db.cluster.test"))) {
      const auto words = base::words_of(line);
      state.zone[words.at(0)] = words.at(1);
    }
  }
}

/// The kernel drops the other addresses of the subnet together with the first one, unless told not
/// to (Documentation/networking/ip-sysctl: promote_secondaries).
void World::delete_address(const std::string& address) {
  if (first_address() == address && !state.promote_secondaries) {
    state.addresses.clear();
    return;
  }
  std::erase_if(state.addresses, [&](const auto& each) { return each.address == address; });
}

Runbook::Orders World::default_orders() const {
  return {.accept_loss = {},
          .plan_digest = {},
          .success = "mn2 is the management node now.",
          .header = {{"verb", "failover"},
                     {"host", "mn2"},
                     {"primary", "mn1"},
                     {"cluster", "lab"},
                     {"operator", "root"},
                     {"epoch", "2"},
                     {"service", "mn1 10.77.0.11/16"},
                     {"version", "1"}}};
}

RunOutcome World::failover(const Runbook::Orders& orders) {
  Run run{*this, "run-" + std::to_string(++runs_)};
  return run.runbook.run(orders);
}

std::vector<StepPreview> World::preview() {
  Run run{*this, "run-" + std::to_string(++runs_)};
  return run.runbook.preview();
}

RunOutcome World::undo() {
  const auto earlier = events;
  Run run{*this, "run-" + std::to_string(++runs_)};
  return run.runbook.undo(earlier);
}

}  // namespace hamn::takeover
