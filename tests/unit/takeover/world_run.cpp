#include "tests/unit/takeover/world_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "dbrepl/sqlite_driver.h"

namespace hamn::takeover {

namespace {

base::Hosts one_host(std::unique_ptr<base::Host> host) {
  base::Hosts hosts;
  hosts.add(std::move(host));
  return hosts;
}

std::unique_ptr<dbrepl::ReplicationDriver> make_driver(const base::Site& site) {
  dbrepl::ReplicationContext context;
  context.primary = "mn1";
  context.standby = "mn2";
  context.program = {"hamn"};
  context.location = {
      .engine = dbrepl::Engine::sqlite, .origin = "/etc/xcat/cfgloc", .directory = "/etc/xcat"};
  context.directories = dbrepl::database_directories(site.state_directory);
  return std::make_unique<dbrepl::SqliteDriver>(std::move(context));
}

}  // namespace

World::Run::Run(World& world, const std::string& name)
    : world_(world),
      hosts_(one_host(std::make_unique<StandbyHost>(world))),
      probes_(world),
      journal_(world, name),
      driver_(make_driver(world.site)),
      context{.site = world.site,
              .here = "mn2",
              .primary = "mn1",
              .epoch = 2,
              .run = name,
              .started = world.clock.wall(),
              .operator_name = "root",
              .statement = world.statement,
              .accept_open = world.accept_open,
              .program = {"hamn"},
              .hosts = hosts_,
              .probes = probes_,
              .driver = *driver_,
              .cluster = make_cluster(world.tables),
              .clock = world.clock},
      runbook(make_failover(context), hosts_, journal_, world.clock, observer_) {
  world_.run_ = this;
}

World::Run::~Run() {
  world_.run_ = nullptr;
}

base::Outcome World::StandbyHost::run(const base::Command& command) {
  return world_.carry_out(command);
}

std::unique_ptr<base::Stream> World::StandbyHost::open(const base::Command& /*command*/) {
  throw std::logic_error{"a takeover opens no stream"};
}

std::optional<std::string> World::StandbyHost::read(const std::string& path,
                                                    std::uint64_t limit_bytes) {
  const auto found = world_.state.files.find(path);
  if (found == world_.state.files.end()) return std::nullopt;
  EXPECT_LE(found->second.size(), limit_bytes) << path;
  return found->second;
}

void World::StandbyHost::write(const base::FileWrite& file) {
  world_.moment();
  world_.state.files[file.path] = file.content;
  world_.moment();
}

void World::WatchedJournal::append(const std::string& kind, const base::Facts& facts) {
  world_.events.push_back({.number = world_.events.size() + 1,
                           .time = world_.clock.wall(),
                           .run = run_,
                           .kind = kind,
                           .facts = facts});
  if (kind == "action_started") world_.actions.push_back(facts.at("sentence"));
  world_.clock.advance(base::Milliseconds{10});
  world_.moment();
}

std::optional<std::string> World::WorldProbes::arp(const std::string& /*interface*/,
                                                   const std::string& address,
                                                   base::Milliseconds /*limit*/) {
  if (!world_.has_link) return std::nullopt;
  if (const auto who = world_.strangers.find(address); who != world_.strangers.end()) {
    return who->second;
  }
  const bool is_primary =
      address == world_.site.host("mn1").address || address == world_.site.service.address.address;
  if (is_primary && world_.state.primary_has_power && world_.state.primary != Life::silent) {
    return "02:00:00:00:00:0b";
  }
  return std::nullopt;
}

PortAnswer World::WorldProbes::port(const std::string& address, int number,
                                    base::Milliseconds /*limit*/, bool speaks_first) {
  if (address == "127.0.0.1") {
    return world_.state.active.contains("xcatd") ? PortAnswer::connected : PortAnswer::refused;
  }
  EXPECT_TRUE(number == 22 || number == 3001);
  if (!world_.state.primary_has_power) return PortAnswer::unreachable;
  switch (world_.state.primary) {
    case Life::works:
      return speaks_first ? PortAnswer::spoke : PortAnswer::connected;
    case Life::hangs:
      return PortAnswer::connected;
    case Life::silent:
      return PortAnswer::no_answer;
  }
  return PortAnswer::no_answer;
}

bool World::WorldProbes::has_link(const std::string& /*interface*/) {
  return world_.has_link;
}

std::map<std::string, std::string> World::WorldProbes::dns(const std::string& server,
                                                           const std::vector<std::string>& names,
                                                           base::Milliseconds /*limit*/) {
  const auto& here = world_.state.addresses;
  const bool is_here = std::any_of(here.begin(), here.end(),
                                   [&](const auto& each) { return each.address == server; });
  if (!is_here || !world_.state.active.contains("named")) return {};
  std::map<std::string, std::string> answers;
  for (const auto& name : names) {
    const auto found = world_.state.zone.find(name);
    if (found != world_.state.zone.end()) answers[name] = found->second;
  }
  return answers;
}

}  // namespace hamn::takeover
