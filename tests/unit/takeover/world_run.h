#pragma once

#include <memory>

#include "dbrepl/driver.h"
#include "tests/unit/takeover/world.h"

namespace hamn::takeover {

/// The standby as a host of hamn.
class World::StandbyHost : public base::Host {
 public:
  explicit StandbyHost(World& world) : world_(world) {}
  [[nodiscard]] std::string name() const override { return "mn2"; }
  base::Outcome run(const base::Command& command) override;
  [[nodiscard]] std::unique_ptr<base::Stream> open(const base::Command& command) override;
  [[nodiscard]] std::optional<std::string> read(const std::string& path,
                                                std::uint64_t limit_bytes) override;
  void write(const base::FileWrite& file) override;

 private:
  World& world_;
};

/// Keeps the events in the world, where they outlive a killed run.
class World::WatchedJournal : public base::Journal {
 public:
  WatchedJournal(World& world, std::string run) : world_(world), run_(std::move(run)) {}
  void append(const std::string& kind, const base::Facts& facts) override;
  [[nodiscard]] const std::string& run() const override { return run_; }

 private:
  World& world_;
  std::string run_;
};

/// Sees what the world is like. Used from several threads at once, but only to look.
class World::WorldProbes : public Probes {
 public:
  explicit WorldProbes(const World& world) : world_(world) {}
  [[nodiscard]] std::optional<std::string> arp(const std::string& interface,
                                               const std::string& address,
                                               base::Milliseconds limit) override;
  [[nodiscard]] PortAnswer port(const std::string& address, int number, base::Milliseconds limit,
                                bool speaks_first) override;
  [[nodiscard]] bool has_link(const std::string& interface) override;
  [[nodiscard]] std::map<std::string, std::string> dns(const std::string& server,
                                                       const std::vector<std::string>& names,
                                                       base::Milliseconds limit) override;

 private:
  const World& world_;
};

class SilentObserver : public RunObserver {
 public:
  void gate_looked(const Gate&, const base::Finding&) override {}
  void step_started(const Step&) override {}
  void step_finished(const Step&, StepResult, const std::string&, base::Milliseconds) override {}
};

/// The objects of one process.
class World::Run {
 public:
  Run(World& world, const std::string& name);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

 private:
  World& world_;
  base::Hosts hosts_;
  WorldProbes probes_;
  WatchedJournal journal_;
  std::unique_ptr<dbrepl::ReplicationDriver> driver_;
  SilentObserver observer_;

 public:
  Context context;
  Runbook runbook;
};

}  // namespace hamn::takeover
