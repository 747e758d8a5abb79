#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"

namespace hamn::base {

/// A connection to an ssh agent, as in draft-miller-ssh-agent. Own code, since libssh2 1.10 gives
/// up, or keeps a pointer into its own stack, when an agent does not answer within the same
/// instant.
///
/// Threads: one.
class SshAgent {
 public:
  /// Connects to the agent at `path`. Nothing if there is none; every answer has to come within
  /// `limit`.
  [[nodiscard]] static std::optional<SshAgent> connect(const std::string& path, Milliseconds limit);

  /// Public keys as ssh sends them ("key blobs"), at most a hundred. Nothing if the agent does not
  /// answer as it should.
  [[nodiscard]] std::optional<std::vector<std::string>> keys();
  /// The bare signature of `data`, without the name of its algorithm. Nothing if the agent refuses.
  [[nodiscard]] std::optional<std::string> sign(std::string_view key, std::string_view data);

 private:
  SshAgent(Fd socket, Milliseconds limit) : socket_(std::move(socket)), limit_(limit) {}
  [[nodiscard]] std::optional<std::string> ask(std::string_view request);
  [[nodiscard]] bool move_bytes(char* bytes, std::size_t size, bool outwards);

  Fd socket_;
  Milliseconds limit_;
};

}  // namespace hamn::base
