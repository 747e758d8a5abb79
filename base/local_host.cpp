#include "base/local_host.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/process.h"

namespace hamn::base {

namespace {

constexpr const char* resources_hint = "look for too many open files or processes on this host";
constexpr Milliseconds kill_grace{3000};
constexpr Milliseconds held_output_grace{500};  ///< of silence

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Pipe make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) < 0) throw system_error("cannot make a pipe", errno, resources_hint);
  return {Fd{fds[0]}, Fd{fds[1]}};
}

/// A command's standard input as a file in memory: it needs no feeding, so no command can block on
/// its output while it is fed, and one that reads nothing raises no SIGPIPE.
Fd make_input(std::string_view text) {
  if (text.empty()) return Fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  Fd file{::memfd_create("input", MFD_CLOEXEC)};
  while (file.is_open() && !text.empty()) {
    const auto put = ::write(file.get(), text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw system_error("cannot keep a command's input", errno, resources_hint);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
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

/// Collects output until the command ended, the limit passed or a stop was asked for.
class Run {
 public:
  Run(const Command& command, const IsOver& is_over) : command_(command), is_over_(is_over) {
    const Fd in = make_input(command.input);
    auto out = make_pipe();
    auto error = make_pipe();
    if (!in.is_open()) throw system_error("cannot make an input", errno, resources_hint);
    pid_ = start_process(
        command, {.in = in.get(), .out = out.write_end.get(), .error = error.write_end.get()});
    out_ = {std::move(out.read_end), &outcome_.output, command.output_limit_bytes,
            &outcome_.truncated};
    error_ = {std::move(error.read_end), &outcome_.error_output, command.output_limit_bytes,
              &outcome_.truncated};
  }

  Outcome to_the_end() {
    const auto start = std::chrono::steady_clock::now();
    const auto end = start + command_.time_limit;
    auto last = end;
    bool is_over = false;
    std::optional<int> code;
    while (out_.fd.is_open() || error_.fd.is_open() || !code) {
      const auto now = std::chrono::steady_clock::now();
      if (interrupted(command_.sees_to_its_end) || now >= last) break;
      const auto had = outcome_.output.size() + outcome_.error_output.size();
      exchange();
      const bool has_more = outcome_.output.size() + outcome_.error_output.size() > had;
      if (!code) code = poll_process(pid_);
      const bool was_over = is_over;
      is_over = is_over || code || (is_over_ && is_over_(outcome_));
      if (is_over && (!was_over || has_more)) {
        last = std::min(end, std::chrono::steady_clock::now() + held_output_grace);
      }
    }
    if (!code) code = end_by_force(is_over);
    outcome_.exit_code = *code;
    outcome_.elapsed =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
    return std::move(outcome_);
  }

 private:
  /// `is_over`: what was wanted of it was there already.
  int end_by_force(bool is_over) {
    const int code = kill_process_group(pid_, kill_grace);
    if (!is_over) stop_if_interrupted();
    outcome_.timed_out = !is_over;
    return code;
  }

  void exchange() {
    std::array<pollfd, 2> items{{{.fd = out_.fd.get(), .events = POLLIN, .revents = 0},
                                 {.fd = error_.fd.get(), .events = POLLIN, .revents = 0}}};
    const bool quiet = !out_.fd.is_open() && !error_.fd.is_open();
    if (::poll(items.data(), items.size(), quiet ? 2 : 20) <= 0) return;
    if (items[0].revents != 0) out_.drain();
    if (items[1].revents != 0) error_.drain();
  }

  const Command& command_;
  const IsOver& is_over_;
  pid_t pid_ = 0;
  Outcome outcome_;
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
    if (!code_) kill_process_group(pid_, Milliseconds{0});
  }

  [[nodiscard]] Ending finish(Milliseconds limit) override {
    const auto end = std::chrono::steady_clock::now() + limit;
    if (!is_closed()) close_write();
    while (!code_ && std::chrono::steady_clock::now() < end) {
      // What nobody reads any more must not keep the program from ending.
      const bool is_open = !is_closed() && drop_input(Milliseconds{2});
      code_ = poll_process(pid_);
      if (!code_ && !is_open) std::this_thread::sleep_for(Milliseconds{2});
    }
    close();
    if (!code_) code_ = kill_process_group(pid_, kill_grace);
    return {.exit_code = *code_, .error_output = error_tail()};
  }

 private:
  [[nodiscard]] std::string error_tail() const {
    constexpr off_t kept = 16384;
    struct stat found {};
    if (::fstat(error_.get(), &found) < 0) return {};
    std::string text(static_cast<std::size_t>(std::min(found.st_size, kept)), '\0');
    const auto got =
        ::pread(error_.get(), text.data(), text.size(), std::max<off_t>(0, found.st_size - kept));
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    return text;
  }

  pid_t pid_;
  Fd error_;
  std::optional<int> code_;
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
  const pid_t pid =
      start_process(command, {.in = theirs.get(), .out = theirs.get(), .error = error.get()});
  return std::make_unique<ProcessStream>(pid, std::move(ours), std::move(out), std::move(error));
}

LocalHost::LocalHost(std::string name, Disk& disk) : name_(std::move(name)), disk_(disk) {}

Outcome run_process(const Command& command, const IsOver& is_over) {
  Run run{command, is_over};
  return run.to_the_end();
}

Outcome LocalHost::run(const Command& command) {
  return run_process(command, {});
}

std::unique_ptr<Stream> LocalHost::open(const Command& command) {
  return open_process(command);
}

std::optional<std::string> LocalHost::read(const std::string& path, std::uint64_t limit_bytes) {
  return read_file(path, limit_bytes);
}

void LocalHost::write(const FileWrite& file) {
  replace_file(disk_, file);
}

}  // namespace hamn::base
