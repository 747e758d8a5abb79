#include "base/local_host.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/process.h"

namespace hamn::base {

namespace {

constexpr const char* resources_hint = "look for too many open files or processes on this host";
constexpr Milliseconds kill_grace{3000};
constexpr Milliseconds held_output_grace{500};

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Pipe make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) < 0) throw system_error("cannot make a pipe", errno, resources_hint);
  return {Fd{fds[0]}, Fd{fds[1]}};
}

/// One output of a running command.
struct Collector {
  Fd fd;
  std::string* into;
  std::uint64_t limit_bytes;
  bool* truncated;

  /// Takes what is there. Closes at the end.
  void drain() {
    std::array<char, 65536> buffer{};
    const auto got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) fd.reset();
    if (got <= 0) return;
    const auto room = limit_bytes - std::min<std::uint64_t>(limit_bytes, into->size());
    const auto kept = std::min<std::uint64_t>(room, static_cast<std::uint64_t>(got));
    into->append(buffer.data(), kept);
    if (kept < static_cast<std::uint64_t>(got)) *truncated = true;
  }
};

/// Feeds input and collects output until the command ended, the limit passed or a stop was asked.
class Run {
 public:
  explicit Run(const Command& command) : command_(command) {
    auto in = make_pipe();
    auto out = make_pipe();
    auto error = make_pipe();
    pid_ = start_process(command, {.in = in.read_end.get(), .out = out.write_end.get(),
                                   .error = error.write_end.get()});
    input_ = std::move(in.write_end);
    ::fcntl(input_.get(), F_SETFL, O_NONBLOCK);
    out_ = {std::move(out.read_end), &outcome_.output, command.output_limit_bytes,
            &outcome_.truncated};
    error_ = {std::move(error.read_end), &outcome_.error_output, command.output_limit_bytes,
              &outcome_.truncated};
    if (rest_.empty()) input_.reset();
  }

  Outcome to_the_end() {
    const auto start = std::chrono::steady_clock::now();
    const auto end = start + command_.time_limit;
    auto last = end;
    std::optional<int> code;
    while (out_.fd.is_open() || error_.fd.is_open() || !code) {
      const auto now = std::chrono::steady_clock::now();
      if (interrupted() || now >= end) break;
      if (code && now >= last) break;
      exchange(code.has_value());
      if (!code && (code = poll_process(pid_))) last = now + held_output_grace;
    }
    if (!code) {
      outcome_.timed_out = !interrupted();
      code = kill_process_group(pid_, kill_grace);
    }
    stop_if_interrupted();
    outcome_.exit_code = *code;
    outcome_.elapsed =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
    return std::move(outcome_);
  }

 private:
  void exchange(bool ended) {
    std::array<pollfd, 3> items{{{.fd = out_.fd.get(), .events = POLLIN, .revents = 0},
                                 {.fd = error_.fd.get(), .events = POLLIN, .revents = 0},
                                 {.fd = input_.get(), .events = POLLOUT, .revents = 0}}};
    const bool quiet = !out_.fd.is_open() && !error_.fd.is_open() && !input_.is_open();
    const int wait_ms = quiet && !ended ? 2 : 20;
    if (::poll(items.data(), items.size(), wait_ms) <= 0) return;
    if (items[0].revents != 0) out_.drain();
    if (items[1].revents != 0) error_.drain();
    if (items[2].revents != 0) feed();
  }

  void feed() {
    const auto put = ::write(input_.get(), rest_.data(), rest_.size());
    if (put > 0) rest_.remove_prefix(static_cast<std::size_t>(put));
    const bool gone = put < 0 && errno != EAGAIN && errno != EINTR;
    if (rest_.empty() || gone) input_.reset();
  }

  const Command& command_;
  std::string_view rest_ = command_.input;
  pid_t pid_ = 0;
  Outcome outcome_;
  Fd input_;
  Collector out_{};
  Collector error_{};
};

/// A child process behind a socket. Its standard error goes to memory, so that it can neither
/// block the child nor disturb the protocol.
class ProcessStream : public FdStream {
 public:
  ProcessStream(pid_t pid, Fd in, Fd out, Fd error)
      : FdStream(std::move(in), std::move(out)), pid_(pid), error_(std::move(error)) {}

  ProcessStream(const ProcessStream&) = delete;
  ProcessStream& operator=(const ProcessStream&) = delete;
  ~ProcessStream() override {
    if (!ended_) kill_process_group(pid_, Milliseconds{0});
  }

  [[nodiscard]] Ending finish(Milliseconds limit) override {
    close();
    const auto end = std::chrono::steady_clock::now() + limit;
    std::optional<int> code;
    while (!(code = poll_process(pid_)) && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(Milliseconds{2});
    }
    if (!code) code = kill_process_group(pid_, kill_grace);
    ended_ = true;
    return {.exit_code = *code, .error_output = error_tail()};
  }

 private:
  [[nodiscard]] std::string error_tail() const {
    constexpr off_t kept = 16384;
    const off_t size = ::lseek(error_.get(), 0, SEEK_END);
    std::string text(static_cast<std::size_t>(std::clamp<off_t>(size, 0, kept)), '\0');
    const auto got = ::pread(error_.get(), text.data(), text.size(),
                             std::max<off_t>(0, size - kept));
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    return text;
  }

  pid_t pid_;
  Fd error_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Stream> open_process(const Command& command) {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
    throw system_error("cannot make a stream", errno, resources_hint);
  }
  Fd ours{fds[0]};
  const Fd theirs{fds[1]};
  Fd error{::memfd_create("stderr", MFD_CLOEXEC)};
  Fd out{::fcntl(ours.get(), F_DUPFD_CLOEXEC, 0)};
  if (!error.is_open() || !out.is_open()) {
    throw system_error("cannot make a stream", errno, resources_hint);
  }
  const pid_t pid = start_process(
      command, {.in = theirs.get(), .out = theirs.get(), .error = error.get()});
  return std::make_unique<ProcessStream>(pid, std::move(ours), std::move(out), std::move(error));
}

LocalHost::LocalHost(std::string name, Disk& disk) : name_(std::move(name)), disk_(disk) {}

Outcome LocalHost::run(const Command& command) { return Run{command}.to_the_end(); }

std::unique_ptr<Stream> LocalHost::open(const Command& command) { return open_process(command); }

std::optional<std::string> LocalHost::read(const std::string& path, std::uint64_t limit_bytes) {
  return read_file(path, limit_bytes);
}

void LocalHost::write(const FileWrite& file) { replace_file(disk_, file); }

}  // namespace hamn::base
