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
/// keepalive goes out every 5 s, and a connection whose bytes the other kernel does not confirm for
/// 20 s is given up, as is a stream in which nothing moves for the caller's limit.
class Libssh2Host : public RemoteHost {
 public:
  explicit Libssh2Host(SshSettings settings);
  ~Libssh2Host() override;

 protected:
  Outcome run_line(const Line& line) override;
  [[nodiscard]] std::unique_ptr<Stream> open_line(const std::string& text) override;

 private:
  std::unique_ptr<class SshSession> session_;  ///< kept while it works
};

}  // namespace hamn::base
