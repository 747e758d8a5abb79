#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/remote_host.h"
#include "tests/support/temporary_directory.h"

namespace hamn::test {

/// A real sshd (OpenSSH) on 127.0.0.1 with host keys, user keys and a configuration of its own, for
/// the user that runs the test, whose login scripts it keeps out by another HOME. Ends with this
/// object.
///
/// Throws std::runtime_error, naming the package, if /usr/sbin/sshd is not installed: a test that
/// needs a server fails without it, it is not skipped.
class SshServer {
 public:
  /// `more_lines` are added to sshd_config, such as "RekeyLimit 1M".
  explicit SshServer(const std::vector<std::string>& more_lines = {});
  SshServer(const SshServer&) = delete;
  SshServer& operator=(const SshServer&) = delete;
  ~SshServer();

  /// Settings with which a host logs in to this server, by an ed25519 key.
  [[nodiscard]] base::SshSettings settings() const;
  /// The same with an RSA key of the same user.
  [[nodiscard]] base::SshSettings settings_with_rsa_key();
  /// The same with a key that the server does not know.
  [[nodiscard]] base::SshSettings settings_with_wrong_key();
  /// The same with a known_hosts file that does not name the server.
  [[nodiscard]] base::SshSettings settings_with_unknown_host() const;
  /// The same with a known_hosts file that holds another key for the server.
  [[nodiscard]] base::SshSettings settings_with_changed_host();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// What the server wrote so far.
  [[nodiscard]] std::string log() const;

 private:
  void make_key(const std::string& name, const std::string& type);
  void pin(const std::string& known_hosts, const std::string& key) const;
  void wait_until_it_listens();

  TemporaryDirectory directory_;
  std::uint16_t port_ = 0;
  pid_t pid_ = 0;
};

/// A TCP port of 127.0.0.1 that is free at this moment.
[[nodiscard]] std::uint16_t free_port();

/// A program that accepts connections on 127.0.0.1 and never says a word.
class SilentServer {
 public:
  SilentServer();
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  base::Fd socket_;  // the kernel accepts up to the backlog by itself
  std::uint16_t port_ = 0;
};

}  // namespace hamn::test
