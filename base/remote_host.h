#pragma once

#include <cstdint>
#include <string>

#include "base/host.h"

namespace hamn::base {

/// How to reach a host by ssh. Host keys are pinned: a host that is not in `known_hosts`, or shows
/// another key, is refused; nothing is trusted on first use.
struct SshSettings {
  std::string name;     ///< the host's name in the configuration
  std::string address;  ///< numeric, or a name that resolves
  std::uint16_t port = 22;
  std::string user = "root";
  std::string key_file = {};  ///< private key; empty: the ssh agent
  std::string known_hosts = "/etc/hamn/known_hosts";
  Milliseconds connect_limit = std::chrono::seconds{10};
};

/// What both ssh transports share: a command becomes one line for the other side's login shell,
/// which is the only way that ssh knows; every word of it is quoted here and nowhere else.
///
/// A command's process group is killed from a second connection when its time limit passes, since
/// ssh has no means of its own. Files are written beside, synced and renamed by commands that every
/// POSIX system with GNU coreutils has.
class RemoteHost : public Host {
 public:
  explicit RemoteHost(SshSettings settings);
  [[nodiscard]] std::string name() const override { return settings_.name; }
  Outcome run(const Command& command) override;
  [[nodiscard]] std::optional<std::string> read(const std::string& path,
                                                std::uint64_t limit_bytes) override;
  void write(const FileWrite& file) override;

 protected:
  [[nodiscard]] const SshSettings& settings() const noexcept { return settings_; }
  /// Runs one shell line over there, feeding `command.input` and keeping to its limits. On a time
  /// limit the answer says so; killing what is left over there is the caller's part.
  virtual Outcome run_line(const std::string& line, const Command& command) = 0;

 private:
  SshSettings settings_;
};

/// The words of `command` for a POSIX login shell, with its user and environment.
[[nodiscard]] std::string remote_line(const Command& command);

/// A host by ssh: `auto` tries libssh2 and falls back to an ssh child process when libssh2 cannot do
/// what the key or the server asks (libssh2 before 1.11 has no RSA with SHA-2, which OpenSSH 8.8 and
/// later insist on); `libssh2` and `openssh` insist on one of them.
[[nodiscard]] std::unique_ptr<Host> make_ssh_host(const SshSettings& settings,
                                                  const std::string& transport);

}  // namespace hamn::base
