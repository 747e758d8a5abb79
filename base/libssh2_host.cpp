#include "base/libssh2_host.h"

#include <libssh2.h>

#include <algorithm>
#include <array>

#include "base/interrupt.h"
#include "base/ssh_session.h"

namespace hamn::base {

namespace {

constexpr Milliseconds slice{100};
constexpr std::size_t largest_write_bytes = 32000;

Error broken(SshSession& session) {
  return Error{{.what = "the ssh connection broke", .detail = session.last_error(),
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
  ChannelStream(std::shared_ptr<SshSession> session, const std::string& line, Milliseconds limit)
      : session_(std::move(session)), channel_(session_->start(line, limit)) {}
  ChannelStream(const ChannelStream&) = delete;
  ChannelStream& operator=(const ChannelStream&) = delete;
  ~ChannelStream() override { session_->free_channel(channel_); }

  [[nodiscard]] std::size_t read(char* buffer, std::size_t size, Milliseconds limit) override {
    const auto got = until_moved(limit, false, [&]() -> long {
      take_error_output();
      const auto result = session_->try_read(channel_, 0, buffer, size);
      if (result == 0 && !session_->at_end(channel_)) return LIBSSH2_ERROR_EAGAIN;
      return result;
    });
    return static_cast<std::size_t>(got);
  }

  void write(std::string_view data, Milliseconds limit) override {
    while (!data.empty()) {
      const auto size = std::min(data.size(), largest_write_bytes);
      const auto put = until_moved(
          limit, true, [&] { return session_->try_write(channel_, data.data(), size); });
      data.remove_prefix(static_cast<std::size_t>(put));
    }
  }

  void close_write() override {
    until_moved(std::chrono::seconds{10}, true,
                [&]() -> long { return session_->try_send_eof(channel_); });
  }

  void close() noexcept override { session_->abandon(); }

  [[nodiscard]] Ending finish(Milliseconds limit) override {
    Ending ending;
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!session_->at_end(channel_) && std::chrono::steady_clock::now() < end) {
      std::array<char, 8192> rest{};
      take_error_output();
      const auto got = session_->try_read(channel_, 0, rest.data(), rest.size());
      if (got == LIBSSH2_ERROR_EAGAIN || got == 0) session_->wait(slice, false);
      if (got < 0 && got != LIBSSH2_ERROR_EAGAIN) break;
    }
    take_error_output();
    ending.exit_code = session_->exit_code(channel_, limit);
    ending.error_output = error_output_;
    return ending;
  }

 private:
  template <typename Call>
  long until_moved(Milliseconds limit, bool writing, const Call& call) {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
      stop_if_interrupted();
      const long result = call();
      if (result >= 0) return result;
      if (result != LIBSSH2_ERROR_EAGAIN) throw broken(*session_);
      if (std::chrono::steady_clock::now() >= end) throw silent(limit);
      session_->wait(slice, writing);
    }
  }

  /// Keeps the last 16 KiB of what the command says on its standard error.
  void take_error_output() {
    constexpr std::size_t kept = 16384;
    std::array<char, 4096> text{};
    for (;;) {
      const auto got = session_->try_read(channel_, SSH_EXTENDED_DATA_STDERR, text.data(),
                                          text.size());
      if (got <= 0) return;
      error_output_.append(text.data(), static_cast<std::size_t>(got));
      if (error_output_.size() > kept) error_output_.erase(0, error_output_.size() - kept);
    }
  }

  std::shared_ptr<SshSession> session_;
  LIBSSH2_CHANNEL* channel_;
  std::string error_output_;
};

/// Feeds input and collects output on one channel of a kept session.
class RemoteRun {
 public:
  RemoteRun(SshSession& session, const Command& command, LIBSSH2_CHANNEL* channel)
      : session_(session), command_(command), channel_(channel) {}
  RemoteRun(const RemoteRun&) = delete;
  RemoteRun& operator=(const RemoteRun&) = delete;
  ~RemoteRun() { session_.free_channel(channel_); }

  Outcome to_the_end() {
    const auto start = std::chrono::steady_clock::now();
    const auto end = start + command_.time_limit;
    while (!session_.at_end(channel_)) {
      stop_if_interrupted();
      if (std::chrono::steady_clock::now() >= end) {
        outcome_.timed_out = true;
        outcome_.exit_code = 128 + 9;
        break;
      }
      const bool sent = feed();
      const bool got = collect(0, outcome_.output);
      const bool heard = collect(SSH_EXTENDED_DATA_STDERR, outcome_.error_output);
      if (!sent && !got && !heard && !session_.at_end(channel_)) {
        session_.wait(slice, !rest_.empty());
      }
    }
    while (collect(SSH_EXTENDED_DATA_STDERR, outcome_.error_output)) {
    }
    if (!outcome_.timed_out) {
      outcome_.exit_code = session_.exit_code(channel_, std::chrono::seconds{10});
    }
    outcome_.elapsed =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
    return std::move(outcome_);
  }

 private:
  bool feed() {
    if (fed_) return false;
    if (rest_.empty()) {
      fed_ = session_.try_send_eof(channel_) == 0;
      return fed_;
    }
    const auto put = session_.try_write(channel_, rest_.data(),
                                        std::min(rest_.size(), largest_write_bytes));
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
    const auto room = command_.output_limit_bytes -
                      std::min<std::uint64_t>(command_.output_limit_bytes, into.size());
    into.append(buffer.data(), std::min<std::uint64_t>(room, static_cast<std::uint64_t>(got)));
    if (room < static_cast<std::uint64_t>(got)) outcome_.truncated = true;
    return true;
  }

  SshSession& session_;
  const Command& command_;
  LIBSSH2_CHANNEL* channel_;
  std::string_view rest_ = command_.input;
  bool fed_ = false;
  Outcome outcome_;
};

}  // namespace

Libssh2Host::Libssh2Host(SshSettings settings) : RemoteHost(std::move(settings)) {}
Libssh2Host::~Libssh2Host() = default;

Outcome Libssh2Host::run_line(const std::string& line, const Command& command) {
  auto session = std::exchange(session_, nullptr);
  if (session == nullptr) session = std::make_shared<SshSession>(settings());
  auto outcome =
      RemoteRun{*session, command, session->start(line, settings().connect_limit)}.to_the_end();
  session_ = std::move(session);  // kept only if nothing went wrong with it
  return outcome;
}

std::unique_ptr<Stream> Libssh2Host::open(const Command& command) {
  return std::make_unique<ChannelStream>(std::make_shared<SshSession>(settings()),
                                         remote_line(command), settings().connect_limit);
}

}  // namespace hamn::base
