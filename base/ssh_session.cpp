#include "base/ssh_session.h"

#include <libssh2.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/libssh2_host.h"
#include "base/text.h"

namespace hamn::base {

namespace {

constexpr unsigned receive_window_bytes = 16U << 20U;
constexpr std::size_t longest_queue_bytes = 256U << 10U;
constexpr std::chrono::seconds longest_rest{30};
constexpr Milliseconds slice{100};
constexpr unsigned keepalive_seconds = 5;

LIBSSH2_SESSION* of(SshLibrary* library) {
  return reinterpret_cast<LIBSSH2_SESSION*>(library);
}
LIBSSH2_CHANNEL* of(SshChannel* channel) {
  return reinterpret_cast<LIBSSH2_CHANNEL*>(channel);
}

/// libssh2_init() is not thread-safe and must come once.
void initialise_library() {
  static const int result = libssh2_init(0);
  if (result != 0) {
    throw UnsupportedBySsh{{.what = "cannot use libssh2",
                            .detail = "it does not initialise",
                            .hint = "set transport = \"openssh\" in [ssh]"}};
  }
}

/// libssh2 gives a signal by its name without SIG.
int code_of_signal(const char* name) {
  for (int number = 1; number < NSIG; ++number) {
    const char* its_name = ::sigabbrev_np(number);
    if (its_name != nullptr && std::strcmp(its_name, name) == 0) return 128 + number;
  }
  return 255;
}

}  // namespace

/// What libssh2 calls instead of send(2) and recv(2), always under the session's mutex.
struct SshSession::Callbacks {
  static ssize_t send(libssh2_socket_t /*socket*/, const void* bytes, std::size_t size,
                      int /*flags*/, void** abstract) noexcept {
    auto& session = *static_cast<SshSession*>(*abstract);
    if (session.broken_) return -EPIPE;
    session.outgoing_.append(static_cast<const char*>(bytes), size);
    return static_cast<ssize_t>(size);
  }

  static ssize_t receive(libssh2_socket_t socket, void* bytes, std::size_t size, int flags,
                         void** abstract) noexcept {
    const auto got = ::recv(socket, bytes, size, flags | MSG_DONTWAIT);
    if (got > 0) static_cast<SshSession*>(*abstract)->received_ = true;
    return got >= 0 ? got : -(errno == EINTR ? EAGAIN : errno);
  }
};

// The other constructor delegates to this one, so that the destructor runs when it throws.
SshSession::SshSession() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  initialise_library();
  LIBSSH2_SESSION* session = libssh2_session_init_ex(nullptr, nullptr, nullptr, this);
  if (session == nullptr || !wake_.is_open()) {
    throw UnsupportedBySsh{{.what = "cannot use libssh2",
                            .detail = "no memory or no descriptor for a session",
                            .hint = "set transport = \"openssh\" in [ssh]"}};
  }
  library_ = reinterpret_cast<SshLibrary*>(session);
  libssh2_session_set_blocking(session, 0);
  libssh2_session_callback_set(session, LIBSSH2_CALLBACK_SEND,
                               reinterpret_cast<void*>(Callbacks::send));
  libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV,
                               reinterpret_cast<void*>(Callbacks::receive));
}

SshSession::SshSession(const SshSettings& settings) : SshSession() {
  connect(settings);
  handshake(settings);
  check_host_key(settings);
  authenticate(settings);
  // Not before: a server takes no global requests from somebody unknown. No reply is asked for,
  // since libssh2 would keep each of them in a list that nobody reads.
  libssh2_keepalive_config(of(library_), 0, keepalive_seconds);
}

SshSession::~SshSession() {
  abandon();
  // On a socket that is shut down nothing can answer EAGAIN for long.
  for (int i = 0; i < 3 && libssh2_session_free(of(library_)) == LIBSSH2_ERROR_EAGAIN; ++i) {
  }
}

void SshSession::flush() noexcept {
  while (sent_ < outgoing_.size() && !broken_) {
    const auto put = ::send(socket_.get(), outgoing_.data() + sent_, outgoing_.size() - sent_,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put > 0) {
      sent_ += static_cast<std::size_t>(put);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      broken_ = true;
    }
  }
  if (sent_ == outgoing_.size()) {
    outgoing_.clear();
    sent_ = 0;
  }
}

template <typename Attempt>
long SshSession::attempt(const Attempt& call) {
  const std::lock_guard lock{mutex_};
  flush();
  const long result = call();
  flush();
  // Another thread may wait for what this one took from the socket, or poll without knowing that
  // there is something to send.
  if (waiting_ && (received_ || sent_ < outgoing_.size())) {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
  }
  received_ = false;
  return result;
}

void SshSession::wait(Milliseconds longest) {
  std::unique_lock lock{mutex_};
  int next = 0;
  libssh2_keepalive_send(of(library_), &next);
  flush();
  if (waiting_) {
    moved_.wait_for(lock, longest);
    return;
  }
  waiting_ = true;
  const short events = sent_ < outgoing_.size() ? POLLIN | POLLOUT : POLLIN;
  std::array<pollfd, 2> items{{{.fd = socket_.get(), .events = events, .revents = 0},
                               {.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
  lock.unlock();
  ::poll(items.data(), items.size(), static_cast<int>(longest.count()));
  lock.lock();
  std::uint64_t count = 0;
  if (items[1].revents != 0) (void)!::read(wake_.get(), &count, sizeof count);
  waiting_ = false;
  flush();
  moved_.notify_all();
}

long SshSession::until_done(const Call& call, Milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    stop_if_interrupted();
    const long result = attempt(call);
    if (result != LIBSSH2_ERROR_EAGAIN || std::chrono::steady_clock::now() >= end) return result;
    wait(slice);
  }
}

void SshSession::open(const Call& call, Milliseconds limit, const std::string& what) {
  const long result = until_done(call, limit);
  if (result >= 0) return;
  const bool silent = result == LIBSSH2_ERROR_EAGAIN;
  throw Error{
      {.what = what,
       .detail = silent ? "the server was silent for " + human_duration(limit) : last_error(),
       .hint = "check that the host is up and not overloaded"}};
}

SshChannel* SshSession::start(const std::string& line, Milliseconds limit) {
  LIBSSH2_CHANNEL* channel = nullptr;
  constexpr std::string_view type = "session";
  open(
      [&]() -> long {
        channel =
            libssh2_channel_open_ex(of(library_), type.data(), type.size(), receive_window_bytes,
                                    LIBSSH2_CHANNEL_PACKET_DEFAULT, nullptr, 0);
        return channel != nullptr ? 0 : libssh2_session_last_errno(of(library_));
      },
      limit, "cannot open an ssh channel");
  constexpr std::string_view request = "exec";
  open(
      [&]() -> long {
        return libssh2_channel_process_startup(channel, request.data(), request.size(), line.data(),
                                               static_cast<unsigned>(line.size()));
      },
      limit, "cannot start a command over ssh");
  return reinterpret_cast<SshChannel*>(channel);
}

void SshSession::free_channel(SshChannel* channel) noexcept {
  const auto end = std::chrono::steady_clock::now() + 2 * slice;
  std::unique_lock lock{mutex_};
  int result = 0;
  while ((result = libssh2_channel_free(of(channel))) == LIBSSH2_ERROR_EAGAIN &&
         std::chrono::steady_clock::now() < end) {
    flush();
    pollfd item{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    lock.unlock();
    ::poll(&item, 1, 10);
    lock.lock();
  }
  flush();
  worn_ = worn_ || result != 0;
  last_use_ = std::chrono::steady_clock::now();
}

bool SshSession::is_usable() {
  const std::lock_guard lock{mutex_};
  pollfd item{.fd = socket_.get(), .events = POLLRDHUP, .revents = 0};
  return !broken_ && !worn_ && ::poll(&item, 1, 0) == 0 &&
         std::chrono::steady_clock::now() - last_use_ < longest_rest;
}

long SshSession::try_read(SshChannel* channel, int substream, char* buffer, std::size_t size) {
  return attempt([&]() -> long {
    const auto got = libssh2_channel_read_ex(of(channel), substream, buffer, size);
    const bool is_end = got == 0 && libssh2_channel_eof(of(channel)) != 0;
    return got == 0 && !is_end ? LIBSSH2_ERROR_EAGAIN : got;
  });
}

long SshSession::try_write(SshChannel* channel, const char* data, std::size_t size) {
  return attempt([&]() -> long {
    if (outgoing_.size() - sent_ > longest_queue_bytes) return LIBSSH2_ERROR_EAGAIN;
    // libssh2 would go on sending to a command that has ended, and nobody would ever make room.
    if (libssh2_channel_eof(of(channel)) != 0 && libssh2_channel_wait_closed(of(channel)) == 0) {
      return LIBSSH2_ERROR_CHANNEL_CLOSED;
    }
    const auto put = libssh2_channel_write_ex(of(channel), 0, data, size);
    return put == 0 ? LIBSSH2_ERROR_EAGAIN : put;
  });
}

long SshSession::try_send_eof(SshChannel* channel) {
  return attempt([&]() -> long { return libssh2_channel_send_eof(of(channel)); });
}

bool SshSession::at_end(SshChannel* channel) {
  const std::lock_guard lock{mutex_};
  return libssh2_channel_eof(of(channel)) != 0;
}

bool SshSession::is_flushed() {
  const std::lock_guard lock{mutex_};
  flush();
  return outgoing_.empty() || broken_;
}

std::optional<int> SshSession::exit_code(SshChannel* channel, Milliseconds limit) {
  if (until_done([&]() -> long { return libssh2_channel_wait_closed(of(channel)); }, limit) < 0) {
    return std::nullopt;
  }
  const std::lock_guard lock{mutex_};
  char* signal = nullptr;
  libssh2_channel_get_exit_signal(of(channel), &signal, nullptr, nullptr, nullptr, nullptr,
                                  nullptr);
  if (signal == nullptr) return libssh2_channel_get_exit_status(of(channel));
  const int code = code_of_signal(signal);
  libssh2_free(of(library_), signal);
  return code;
}

void SshSession::abandon() noexcept {
  ::shutdown(socket_.get(), SHUT_RDWR);
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

std::string SshSession::last_error() {
  const std::lock_guard lock{mutex_};
  char* text = nullptr;
  int size = 0;
  libssh2_session_last_error(of(library_), &text, &size, 0);
  return text != nullptr && size > 0 ? std::string{text, static_cast<std::size_t>(size)}
                                     : "the connection broke";
}

}  // namespace hamn::base
