#pragma once

#include <utility>

namespace hamn::base {

/// Owner of one file descriptor. Closes it at the end; closing errors are only of interest where
/// data was written, and there the caller syncs first.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

/// Opens /dev/null as whichever of standard input, output and error is closed, so that no file of
/// ours can get their numbers and the text that is meant for them. False if it cannot.
[[nodiscard]] bool open_standard_streams() noexcept;

}  // namespace hamn::base
