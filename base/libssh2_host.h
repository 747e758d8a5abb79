#pragma once

#include <memory>

#include "base/error.h"
#include "base/remote_host.h"

namespace hamn::base {

/// Thrown when libssh2 cannot speak with this server or use this key although another ssh could:
/// no common algorithm, an unsupported key type, RSA with SHA-1 refused.
class UnsupportedBySsh : public Error {
 public:
  using Error::Error;
};

/// A host reached in-process through libssh2: no child process per command, one connection kept for
/// run(), read() and write(), one connection of its own for each open() (a libssh2 session serves
/// one thread, and its channels share one window).
///
/// The ciphers are set to aes128-ctr with hmac-sha2-256, the fastest pair of libssh2 1.10. A
/// keepalive goes out every 5 s when nothing else does; a session in which nothing moves for the
/// caller's limit is given up, because a server's rekey in the middle of a write can stall libssh2
/// forever (libssh2 issue 2110): the caller connects anew and goes on where it was.
class Libssh2Host : public RemoteHost {
 public:
  explicit Libssh2Host(SshSettings settings);
  ~Libssh2Host() override;
  [[nodiscard]] std::unique_ptr<Stream> open(const Command& command) override;

 protected:
  Outcome run_line(const std::string& line, const Command& command) override;

 private:
  std::shared_ptr<class SshSession> session_;  ///< kept while it works
};

}  // namespace hamn::base
