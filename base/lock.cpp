#include "base/lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/disk.h"
#include "base/error.h"
#include "base/text.h"

namespace hamn::base {

namespace {

std::string login_name() {
  for (const char* variable : {"SUDO_USER", "LOGNAME", "USER"}) {
    if (const char* value = std::getenv(variable)) return value;
  }
  return "uid " + std::to_string(::getuid());
}

/// A lock on an open file description: it ends when the last descriptor of it closes, it can be
/// asked for without being taken, and closing another descriptor of the same file does not drop it.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

Lock::Lock(const std::string& path, const std::string& purpose, const Clock& clock) {
  make_directories(path.substr(0, path.rfind('/')), 0755);
  file_ = Fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!file_.is_open()) throw DiskError{"cannot open the lock " + path, errno};
  auto wanted = whole_file();
  if (::fcntl(file_.get(), F_OFD_SETLK, &wanted) < 0) {
    if (errno != EAGAIN && errno != EACCES) throw DiskError{"cannot take the lock " + path, errno};
    const auto holder = trim(read_file(path).value_or(""));
    throw Error{{.what = "another run is under way",
                 .detail = holder.empty() ? "its name is not known yet" : printable(holder),
                 .hint = "wait for it to end, or look at it: hamn status",
                 .code = Exit::locked}};
  }
  const auto text = purpose + ", process " + std::to_string(::getpid()) + ", started by " +
                    login_name() + " at " + to_text(clock.wall()) + "\n";
  if (::ftruncate(file_.get(), 0) < 0 ||
      ::pwrite(file_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    throw DiskError{"cannot write the lock " + path, errno};
  }
}

std::optional<LockHolder> lock_holder(const std::string& path) {
  const Fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
  auto found = whole_file();
  const bool asked = file.is_open() && ::fcntl(file.get(), F_OFD_GETLK, &found) == 0;
  if (!asked || found.l_type == F_UNLCK) return std::nullopt;
  LockHolder holder{.pid = 0, .text = trim(read_file(path).value_or(""))};
  constexpr std::string_view before_pid = ", process ";
  const auto at = holder.text.find(before_pid);
  if (at == std::string::npos) return holder;
  const auto digits = holder.text.substr(at + before_pid.size());
  const auto pid = parse_unsigned(digits.substr(0, digits.find(',')));
  if (pid && *pid > 1) holder.pid = static_cast<long>(*pid);
  return holder;
}

}  // namespace hamn::base
