#include "base/libssh2_host.h"

#include <libssh2.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <optional>
#include <utility>

#include "base/interrupt.h"
#include "base/ssh_session.h"

namespace hamn::base {

namespace {

constexpr Milliseconds slice{100};
constexpr Milliseconds held_output_grace{2000};  ///< of silence
constexpr Milliseconds ending_limit{10'000};
constexpr std::size_t largest_write_bytes = 32000;

Error ended() {
  return Error{{.what = "the other end is gone",
                .detail = "the command over there has ended",
                .hint = "look at what it said on its standard error"}};
}

Error broken(SshSession& session) {
  return Error{{.what = "the ssh connection broke",
                .detail = session.last_error(),
                .hint = "check the network and the other host, then run again"}};
}

Error silent(Milliseconds limit) {
  return Error{{.what = "the other end does not answer",
                .detail = "nothing moved for " + std::to_string(limit.count()) + " ms",
                .hint = "check the network and the other host, then run again"}};
}

/// One command's standard streams over a session of its own.
class ChannelStream : public Stream {
 public:
  ChannelStream(const SshSettings& settings, const std::string& line)
      : session_(settings), channel_(session_.start(line, settings.connect_limit)) {}

  [[nodiscard]] std::size_t read(char* buffer, std::size_t size, Milliseconds limit) override {
    return static_cast<std::size_t>(until_moved(limit, [&]() -> long {
      const auto got = session_.try_read(channel_, 0, buffer, size);
      if (got == LIBSSH2_ERROR_EAGAIN) take_error_output();
      return got;
    }));
  }

  void write(std::string_view data, Milliseconds limit) override {
    while (!data.empty()) {
      const auto size = std::min(data.size(), largest_write_bytes);
      const auto put =
          until_moved(limit, [&] { return session_.try_write(channel_, data.data(), size); });
      data.remove_prefix(static_cast<std::size_t>(put));
    }
    flush(limit);
  }

  void close_write() override {
    until_moved(ending_limit, [&] { return session_.try_send_eof(channel_); });
    flush(ending_limit);
  }

  void close() noexcept override {
    closed_ = true;
    session_.abandon();
  }

  [[nodiscard]] Ending finish(Milliseconds limit) override {
    const auto end = std::chrono::steady_clock::now() + limit;
    if (!closed_) (void)session_.try_send_eof(channel_);
    std::array<char, 32768> rest{};
    while (!closed_ && std::chrono::steady_clock::now() < end) {
      take_error_output();
      const auto got = session_.try_read(channel_, 0, rest.data(), rest.size());
      if (got == LIBSSH2_ERROR_EAGAIN) session_.wait(slice);
      if (got == 0 || (got < 0 && got != LIBSSH2_ERROR_EAGAIN)) break;
    }
    const bool is_over = !closed_ && session_.at_end(channel_);
    const auto code = is_over ? session_.exit_code(channel_, ending_limit) : std::nullopt;
    close();
    return {.exit_code = code.value_or(255), .error_output = error_output_};
  }

 private:
  template <typename Call>
  long until_moved(Milliseconds limit, const Call& call) {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
      stop_if_interrupted();
      const long result = call();
      if (result >= 0) return result;
      if (result == LIBSSH2_ERROR_CHANNEL_CLOSED) throw ended();
      if (result != LIBSSH2_ERROR_EAGAIN) throw broken(session_);
      if (std::chrono::steady_clock::now() >= end) throw silent(limit);
      session_.wait(slice);
    }
  }

  /// What was written is with the kernel before write() returns: nobody else would send the rest.
  void flush(Milliseconds limit) {
    until_moved(limit, [&]() -> long { return session_.is_flushed() ? 0 : LIBSSH2_ERROR_EAGAIN; });
  }

  /// Keeps the last 16 KiB of what the command says on its standard error.
  void take_error_output() {
    constexpr std::size_t kept = 16384;
    std::array<char, 4096> text{};
    for (;;) {
      const auto got =
          session_.try_read(channel_, SSH_EXTENDED_DATA_STDERR, text.data(), text.size());
      if (got <= 0) return;
      error_output_.append(text.data(), static_cast<std::size_t>(got));
      if (error_output_.size() > kept) error_output_.erase(0, error_output_.size() - kept);
    }
  }

  SshSession session_;  // frees its channel
  SshChannel* channel_;
  std::string error_output_;
  std::atomic<bool> closed_{false};
};

/// Feeds input and collects output on one channel of a kept session.
class RemoteRun {
 public:
  RemoteRun(SshSession& session, const RemoteHost::Line& line, SshChannel* channel)
      : session_(session), line_(line), channel_(channel), rest_(line.input) {}
  RemoteRun(const RemoteRun&) = delete;
  RemoteRun& operator=(const RemoteRun&) = delete;
  ~RemoteRun() { session_.free_channel(channel_); }

  Outcome to_the_end() {
    const auto start = std::chrono::steady_clock::now();
    const auto end = start + line_.time_limit;
    auto last = end;
    bool is_over = false;
    bool is_late = false;
    while (!session_.at_end(channel_) && !is_late) {
      if (interrupted(line_.sees_to_its_end)) stop_if_interrupted();
      const bool sent = feed();
      const bool got = collect(0, outcome_.output);
      const bool heard = !got && collect(SSH_EXTENDED_DATA_STDERR, outcome_.error_output);
      const bool was_over = is_over;
      is_over = is_over || (heard && line_.is_over && line_.is_over(outcome_));
      // What sshd still holds of the other stream may come late on a slow line.
      if (is_over && (!was_over || got || heard)) {
        last = std::min(end, std::chrono::steady_clock::now() + held_output_grace);
      }
      if (!sent && !got && !heard && !session_.at_end(channel_)) session_.wait(slice);
      is_late = std::chrono::steady_clock::now() >= last;
    }
    finish(is_late, is_over);
    outcome_.elapsed =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
    return std::move(outcome_);
  }

 private:
  void finish(bool is_late, bool is_over) {
    if (is_late) {
      outcome_.timed_out = !is_over;
      outcome_.exit_code = 128 + SIGKILL;
      return;
    }
    const auto code = session_.exit_code(channel_, ending_limit);
    if (!code) throw broken(session_);
    outcome_.exit_code = *code;
  }

  bool feed() {
    if (fed_) return false;
    if (rest_.empty()) {
      fed_ = session_.try_send_eof(channel_) == 0;
      return fed_;
    }
    const auto put =
        session_.try_write(channel_, rest_.data(), std::min(rest_.size(), largest_write_bytes));
    if (put == LIBSSH2_ERROR_CHANNEL_CLOSED || put == LIBSSH2_ERROR_CHANNEL_EOF_SENT) {
      fed_ = true;  // the command wants no more input
      return false;
    }
    if (put < 0 && put != LIBSSH2_ERROR_EAGAIN) throw broken(session_);
    if (put > 0) rest_.remove_prefix(static_cast<std::size_t>(put));
    return put > 0;
  }

  bool collect(int substream, std::string& into) {
    std::array<char, 32768> buffer{};
    const auto got = session_.try_read(channel_, substream, buffer.data(), buffer.size());
    if (got < 0 && got != LIBSSH2_ERROR_EAGAIN) throw broken(session_);
    if (got <= 0) return false;
    const auto room =
        line_.output_limit_bytes - std::min<std::uint64_t>(line_.output_limit_bytes, into.size());
    into.append(buffer.data(), std::min<std::uint64_t>(room, static_cast<std::uint64_t>(got)));
    if (room < static_cast<std::uint64_t>(got)) outcome_.truncated = true;
    return true;
  }

  SshSession& session_;
  const RemoteHost::Line& line_;
  SshChannel* channel_;
  std::string_view rest_;
  bool fed_ = false;
  Outcome outcome_;
};

}  // namespace

Libssh2Host::Libssh2Host(SshSettings settings) : RemoteHost(std::move(settings)) {}
Libssh2Host::~Libssh2Host() = default;

Outcome Libssh2Host::run_line(const Line& line) {
  auto session = std::exchange(session_, nullptr);
  if (session == nullptr || !session->is_usable()) {
    session = std::make_unique<SshSession>(settings());
  }
  auto outcome =
      RemoteRun{*session, line, session->start(line.text, settings().connect_limit)}.to_the_end();
  // Kept only if nothing went wrong with it, and not where something still runs on it.
  if (!outcome.timed_out) session_ = std::move(session);
  return outcome;
}

std::unique_ptr<Stream> Libssh2Host::open_line(const std::string& text) {
  return std::make_unique<ChannelStream>(settings(), text);
}

}  // namespace hamn::base
