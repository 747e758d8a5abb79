#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
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
/// run() frames the line with two marks that the shell over there prints: one with its process
/// group before the command, so that the group can be killed from a second connection when the time
/// limit passes (ssh has no means of its own); one with the exit code behind it, so that a daemon
/// that keeps the command's output open is not waited for, a signal is known as such, and a lost
/// connection is never taken for an answer. Values of environment variables travel on standard
/// input, where no process list shows them.
///
/// Files are written beside, synced and renamed by commands that every POSIX system with GNU
/// coreutils has. The login shell over there must be a POSIX one.
class RemoteHost : public Host {
 public:
  explicit RemoteHost(SshSettings settings);
  [[nodiscard]] std::string name() const override { return settings_.name; }
  Outcome run(const Command& command) override;
  [[nodiscard]] std::unique_ptr<Stream> open(const Command& command) override;
  [[nodiscard]] std::optional<std::string> read(const std::string& path,
                                                std::uint64_t limit_bytes) override;
  void write(const FileWrite& file) override;

  /// A line for the shell over there, and what the transport has to keep to.
  struct Line {
    std::string text;
    std::string input = {};
    Milliseconds time_limit{0};
    std::uint64_t output_limit_bytes = 65536;  ///< per stream
    IsOver is_over = {};  ///< the command ended although its output is still open
    bool sees_to_its_end = false;
  };

 protected:
  [[nodiscard]] const SshSettings& settings() const noexcept { return settings_; }
  /// Runs one shell line over there. Throws Error if the other side cannot be reached. On a time
  /// limit the answer says so; killing what is left over there is the caller's part.
  virtual Outcome run_line(const Line& line) = 0;
  /// Starts one shell line over there and connects to it.
  [[nodiscard]] virtual std::unique_ptr<Stream> open_line(const std::string& text) = 0;

 private:
  SshSettings settings_;
};

/// The words of `command` for a POSIX login shell, with its user. Throws Error if it has none.
[[nodiscard]] std::string remote_line(const Command& command);

/// Host key checking said no, the same for both transports.
[[nodiscard]] Error unknown_host_key(const SshSettings& settings);
[[nodiscard]] Error changed_host_key(const SshSettings& settings);
/// "try: ssh … true": the command by which a person sees why a host cannot be reached.
[[nodiscard]] std::string reach_hint(const SshSettings& settings);

/// A host by ssh: `auto` tries libssh2 and falls back to an ssh child process when libssh2 cannot
/// do what the key or the server asks (libssh2 before 1.11 has no RSA with SHA-2, which OpenSSH 8.8
/// and later insist on); `libssh2` and `openssh` insist on one of them.
[[nodiscard]] std::unique_ptr<Host> make_ssh_host(const SshSettings& settings,
                                                  const std::string& transport);

}  // namespace hamn::base
