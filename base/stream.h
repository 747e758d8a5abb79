#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/fd.h"

namespace hamn::base {

/// How the program at the other end of a stream ended, as far as that can be known.
struct Ending {
  /// 128 + n after signal n; 255, as with ssh(1), if the connection ended before it was known.
  int exit_code = 0;
  std::string error_output;  ///< the last 16 KiB that it wrote to its standard error
};

/// Bytes in both directions between two programs: a socket, a pair of pipes, an ssh channel.
///
/// Threads: one may read while another writes; close() may be called from any thread and makes a
/// waiting read or write fail within 200 ms. All calls throw Error when the stream broke or was
/// closed, or when the limit passed.
class Stream {
 public:
  virtual ~Stream() = default;
  /// At least one byte, at most `size`. 0 means that the other end closed its side.
  [[nodiscard]] virtual std::size_t read(char* buffer, std::size_t size, Milliseconds limit) = 0;
  /// All of `data`. The limit is for making no progress at all, not for the whole.
  virtual void write(std::string_view data, Milliseconds limit) = 0;
  /// Tells the other end that nothing more will be written.
  virtual void close_write() = 0;
  virtual void close() noexcept = 0;
  /// Writes nothing more, drops what was not read, waits for the program at the other end and tells
  /// how it ended. A program that does not end within the limit is given up; one of this host is
  /// killed. Streams without a program close and answer {}.
  [[nodiscard]] virtual Ending finish(Milliseconds limit) = 0;
};

/// A stream over descriptors of this process; `in` and `out` may be the same socket twice.
class FdStream : public Stream {
 public:
  /// Takes both descriptors. They become non-blocking.
  FdStream(Fd in, Fd out);
  [[nodiscard]] std::size_t read(char* buffer, std::size_t size, Milliseconds limit) override;
  void write(std::string_view data, Milliseconds limit) override;
  void close_write() override;
  void close() noexcept override;
  [[nodiscard]] Ending finish(Milliseconds limit) override;

 protected:
  [[nodiscard]] bool is_closed() const noexcept { return closed_; }
  /// Drops what comes in within `longest`, or the first part of it. False at the end.
  bool drop_input(Milliseconds longest) noexcept;

 private:
  [[nodiscard]] bool put_some(std::string_view& data);

  Fd in_;
  Fd out_;
  bool out_is_socket_ = false;
  std::atomic<bool> closed_{false};
};

/// Two connected streams inside this process, for tests and for a receiver in the same program.
[[nodiscard]] std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_stream_pair();

/// Standard input and output of this process as one stream (`hamn receive`).
[[nodiscard]] std::unique_ptr<Stream> standard_stream();

}  // namespace hamn::base
