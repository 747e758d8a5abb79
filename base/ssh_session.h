#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/fd.h"
#include "base/remote_host.h"
#include "base/stream.h"

struct _LIBSSH2_SESSION;
struct _LIBSSH2_CHANNEL;

namespace hamn::base {

/// One authenticated libssh2 connection. Internal to the libssh2 transport.
///
/// Threads: every call into libssh2 is made under one mutex, never while waiting. A write that
/// libssh2 answered with EAGAIN must be repeated with the same bytes before anything else is sent
/// (libssh2 1.10 send_existing()); until then a reader only takes what needs no window adjustment.
class SshSession {
 public:
  /// Connects, checks the host key against the pinned ones, authenticates. Throws Error, or
  /// UnsupportedBySsh.
  explicit SshSession(const SshSettings& settings);
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;
  ~SshSession();

  /// Starts `line` in the login shell over there.
  [[nodiscard]] _LIBSSH2_CHANNEL* start(const std::string& line, Milliseconds limit);
  void free_channel(_LIBSSH2_CHANNEL* channel) noexcept;

  /// One attempt at an exchange, results as of libssh2: bytes moved, or EAGAIN, or another error.
  [[nodiscard]] long try_read(_LIBSSH2_CHANNEL* channel, int substream, char* buffer,
                              std::size_t size);
  [[nodiscard]] long try_write(_LIBSSH2_CHANNEL* channel, const char* data, std::size_t size);
  [[nodiscard]] int try_send_eof(_LIBSSH2_CHANNEL* channel);
  [[nodiscard]] bool at_end(_LIBSSH2_CHANNEL* channel);
  /// Waits until libssh2 has received the exit status and closed.
  [[nodiscard]] int exit_code(_LIBSSH2_CHANNEL* channel, Milliseconds limit);

  /// Waits up to `slice` for the socket to become ready for what libssh2 wants next; sends a
  /// keepalive if one is due and no write is pending.
  void wait(Milliseconds slice, bool wants_write);
  /// Makes all further calls fail soon: the socket is shut down.
  void abandon() noexcept;
  /// libssh2's last words, for an Error's detail.
  [[nodiscard]] std::string last_error();

 private:
  void connect(const SshSettings& settings);
  void set_methods(const std::string& host_key_type);
  void handshake(const SshSettings& settings);
  void check_host_key(const SshSettings& settings);
  void authenticate(const SshSettings& settings);
  void authenticate_with_agent(const SshSettings& settings);
  template <typename Call>
  long until_done(const Call& call, Milliseconds limit, const std::string& what);

  std::mutex mutex_;
  Fd socket_;
  _LIBSSH2_SESSION* session_ = nullptr;
  bool write_pending_ = false;
};

}  // namespace hamn::base
