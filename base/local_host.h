#pragma once

#include "base/disk.h"
#include "base/host.h"

namespace hamn::base {

/// This machine. A command runs in its own process group, which is killed when the time limit
/// passes or the run is interrupted; a daemon that keeps the command's output open does not keep
/// the caller waiting for more than half a second after the command itself ended.
class LocalHost : public Host {
 public:
  /// `disk` outlives the host.
  LocalHost(std::string name, Disk& disk);
  [[nodiscard]] std::string name() const override { return name_; }
  Outcome run(const Command& command) override;
  [[nodiscard]] std::unique_ptr<Stream> open(const Command& command) override;
  [[nodiscard]] std::optional<std::string> read(const std::string& path,
                                                std::uint64_t limit_bytes) override;
  void write(const FileWrite& file) override;

 private:
  std::string name_;
  Disk& disk_;
};

/// LocalHost::run(). Half a second after `is_over` said so the process group is killed, and that
/// does not count as a time limit.
Outcome run_process(const Command& command, const IsOver& is_over);

/// Starts `command` here and connects to it. Its standard error is kept for Stream::finish().
[[nodiscard]] std::unique_ptr<Stream> open_process(const Command& command);

}  // namespace hamn::base
