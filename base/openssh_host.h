#pragma once

#include "base/remote_host.h"

namespace hamn::base {

/// A host reached through a child process `ssh` (OpenSSH), with all that it can do: any key type,
/// AES-GCM, hardware keys. It reads no user configuration but what SshSettings says, asks nothing,
/// and gives up when the other side is silent for 15 s.
class OpensshHost : public RemoteHost {
 public:
  using RemoteHost::RemoteHost;

 protected:
  Outcome run_line(const Line& line) override;
  [[nodiscard]] std::unique_ptr<Stream> open_line(const std::string& text) override;

 private:
  [[nodiscard]] Command ssh_command(const std::string& line) const;
};

}  // namespace hamn::base
