#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/remote_host.h"

namespace hamn::base {

/// A session and a channel of libssh2, whose header stays out of this one.
struct SshLibrary;
struct SshChannel;

/// One authenticated libssh2 connection. Internal to the libssh2 transport.
///
/// libssh2 never meets a full socket: what it sends goes into a queue here, which takes everything.
/// A packet that it could not send as a whole would have to be repeated with the same bytes before
/// anything else (send_existing() of libssh2 1.10), be it data, a window adjustment, a keepalive or
/// a part of a key exchange; with a reader and a writer, or with a server that asks for new keys in
/// between, that ends in LIBSSH2_ERROR_BAD_USE or in waiting forever (libssh2 issue 2110). Only
/// try_write() holds back, while the queue is long.
///
/// Threads: any; every call into libssh2 is made under one mutex, never while waiting.
class SshSession {
 public:
  /// Connects, checks the host key against the pinned ones, authenticates. Throws Error, or
  /// UnsupportedBySsh.
  explicit SshSession(const SshSettings& settings);
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;
  ~SshSession();

  /// Starts `line` in the login shell over there.
  [[nodiscard]] SshChannel* start(const std::string& line, Milliseconds limit);
  /// Closes a channel; if that takes longer than 200 ms the session cannot be used for another one.
  void free_channel(SshChannel* channel) noexcept;
  /// True while a further channel has a good chance: the other side is there, all was well so far,
  /// and the session did not rest longer than a firewall would remember it.
  [[nodiscard]] bool is_usable();

  /// One attempt at an exchange, results as of libssh2: bytes moved, or LIBSSH2_ERROR_EAGAIN, or
  /// another error. try_read() answers 0 at the end of the channel only.
  [[nodiscard]] long try_read(SshChannel* channel, int substream, char* buffer, std::size_t size);
  [[nodiscard]] long try_write(SshChannel* channel, const char* data, std::size_t size);
  [[nodiscard]] long try_send_eof(SshChannel* channel);
  [[nodiscard]] bool at_end(SshChannel* channel);
  /// True when nothing waits in the queue.
  [[nodiscard]] bool is_flushed();
  /// Waits for the exit status of a channel that is at its end. Nothing if the connection broke.
  [[nodiscard]] std::optional<int> exit_code(SshChannel* channel, Milliseconds limit);

  /// Waits up to `slice` until something moved; sends a keepalive if one is due.
  void wait(Milliseconds slice);
  /// Makes all further calls fail soon: the socket is shut down.
  void abandon() noexcept;
  /// libssh2's last words, for an Error's detail.
  [[nodiscard]] std::string last_error();

 private:
  struct Callbacks;  ///< what the library calls
  using Call = std::function<long()>;

  SshSession();
  void connect(const SshSettings& settings);
  void set_methods(const std::string& host_key_types);
  void handshake(const SshSettings& settings);
  void check_host_key(const SshSettings& settings);
  void authenticate(const SshSettings& settings);
  void authenticate_with_agent(const SshSettings& settings);

  /// Under the mutex: sends what waits, makes the call, sends what it left, wakes who waits.
  template <typename Attempt>
  long attempt(const Attempt& call);
  /// Repeats `call` until it does not answer EAGAIN; that answer, or EAGAIN after the limit.
  long until_done(const Call& call, Milliseconds limit);
  /// The same; anything but success is thrown, as UnsupportedBySsh where another ssh might do.
  void log_in(const Call& call, Milliseconds limit, const std::string& what);
  void open(const Call& call, Milliseconds limit, const std::string& what);
  void flush() noexcept;

  std::mutex mutex_;
  std::condition_variable moved_;
  bool waiting_ = false;  ///< a thread polls the socket; others wait for moved_
  Fd socket_;
  Fd wake_;  ///< eventfd: makes the polling thread look again
  std::string outgoing_;
  std::size_t sent_ = 0;   ///< so many bytes of outgoing_ are gone
  bool received_ = false;  ///< something came in since other threads were last told
  bool broken_ = false;
  bool worn_ = false;  ///< a channel did not close
  SteadyTime last_use_;
  SshLibrary* library_ = nullptr;
};

}  // namespace hamn::base
