#include "base/stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/interrupt.h"

namespace hamn::base {

namespace {

constexpr const char* broken_hint = "check the network and the other host, then run again";

void make_non_blocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    throw system_error("cannot prepare a stream", errno, broken_hint);
  }
}

/// Waits in short slices, so that an interrupted run or a closed stream ends soon.
void wait_until_ready(int fd, short events, Milliseconds limit, const std::atomic<bool>& closed) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    stop_if_interrupted();
    const auto rest =
        std::chrono::ceil<Milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd item{.fd = fd, .events = events, .revents = 0};
    const int ready = ::poll(&item, 1, static_cast<int>(std::clamp<long>(rest, 0, 200)));
    if (ready > 0 || closed) return;
    if (ready < 0 && errno != EINTR) throw system_error("cannot wait", errno, broken_hint);
    if (rest <= 0) {
      throw Error{{.what = "the other end does not answer",
                   .detail = "nothing moved for " + std::to_string(limit.count()) + " ms",
                   .hint = broken_hint}};
    }
  }
}

bool must_wait(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

bool is_socket(int fd) {
  struct stat found {};
  return ::fstat(fd, &found) == 0 && S_ISSOCK(found.st_mode);
}

Error closed_here() {
  return Error{{.what = "the stream was closed", .detail = "by this side", .hint = broken_hint}};
}

/// The other end sees the end, but the descriptor stays owned until the end of life: a thread that
/// waits in read() or write() cannot meet a number that was given to another file. A socket is shut
/// down; a pipe is exchanged for /dev/null.
void end_of(int fd, int how) noexcept {
  if (::shutdown(fd, how) == 0 || errno != ENOTSOCK) return;
  const Fd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (nothing.is_open()) ::dup3(nothing.get(), fd, O_CLOEXEC);
}

}  // namespace

FdStream::FdStream(Fd in, Fd out)
    : in_(std::move(in)), out_(std::move(out)), out_is_socket_(is_socket(out_.get())) {
  make_non_blocking(in_.get());
  make_non_blocking(out_.get());
}

std::size_t FdStream::read(char* buffer, std::size_t size, Milliseconds limit) {
  for (;;) {
    if (closed_) throw closed_here();
    const auto got = ::read(in_.get(), buffer, size);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got < 0 && must_wait(errno)) {
      wait_until_ready(in_.get(), POLLIN, limit, closed_);
      continue;
    }
    if (closed_) throw closed_here();
    if (got == 0 || errno == ECONNRESET) return 0;
    throw system_error("cannot read from the stream", errno, broken_hint);
  }
}

void FdStream::write(std::string_view data, Milliseconds limit) {
  while (!data.empty()) {
    if (!put_some(data)) wait_until_ready(out_.get(), POLLOUT, limit, closed_);
  }
}

/// One attempt; false if the other end has no room. A pipe raises SIGPIPE here unless the program
/// ignores it (install_signal_handlers()); a socket never does.
bool FdStream::put_some(std::string_view& data) {
  if (closed_) throw closed_here();
  const auto put = out_is_socket_ ? ::send(out_.get(), data.data(), data.size(), MSG_NOSIGNAL)
                                  : ::write(out_.get(), data.data(), data.size());
  if (put < 0) {
    if (must_wait(errno)) return false;
    if (closed_) throw closed_here();
    throw system_error("the other end is gone", errno, broken_hint);
  }
  data.remove_prefix(static_cast<std::size_t>(put));
  return true;
}

void FdStream::close_write() {
  end_of(out_.get(), SHUT_WR);
}

void FdStream::close() noexcept {
  closed_ = true;
  end_of(in_.get(), SHUT_RDWR);
  end_of(out_.get(), SHUT_RDWR);
}

bool FdStream::drop_input(Milliseconds longest) noexcept {
  std::array<char, 65536> buffer{};
  pollfd item{.fd = in_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&item, 1, static_cast<int>(longest.count())) <= 0) return true;
  return ::read(in_.get(), buffer.data(), buffer.size()) > 0;
}

Ending FdStream::finish(Milliseconds /*limit*/) {
  close();
  return {};
}

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_stream_pair() {
  const auto socket_pair = [] {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
      throw system_error("cannot make a stream", errno, broken_hint);
    }
    return std::pair{Fd{fds[0]}, Fd{fds[1]}};
  };
  auto [left, right] = socket_pair();
  Fd left_out{::fcntl(left.get(), F_DUPFD_CLOEXEC, 0)};
  Fd right_out{::fcntl(right.get(), F_DUPFD_CLOEXEC, 0)};
  return {std::make_unique<FdStream>(std::move(left), std::move(left_out)),
          std::make_unique<FdStream>(std::move(right), std::move(right_out))};
}

std::unique_ptr<Stream> standard_stream() {
  return std::make_unique<FdStream>(Fd{::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)},
                                    Fd{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)});
}

}  // namespace hamn::base
