#include "base/fd.h"

#include <fcntl.h>
#include <unistd.h>

namespace hamn::base {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool open_standard_streams() noexcept {
  for (int fd = 0; fd <= 2; ++fd) {
    // The lowest free number is the one that is closed.
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

}  // namespace hamn::base
