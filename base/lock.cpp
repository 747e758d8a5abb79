#include "base/lock.h"

#include <fcntl.h>
#include <sys/file.h>
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

}  // namespace

Lock::Lock(const std::string& path, const std::string& purpose, const Clock& clock) {
  make_directories(path.substr(0, path.rfind('/')), 0755);
  file_ = Fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!file_.is_open()) throw DiskError{"cannot open the lock " + path, errno};
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK) throw DiskError{"cannot take the lock " + path, errno};
    const auto holder = trim(read_file(path).value_or(""));
    throw Error{{.what = "another run is under way",
                 .detail = holder.empty() ? "its name is not known yet" : printable(holder),
                 .hint = "wait for it to end, or look at it: hamn status", .code = Exit::locked}};
  }
  const auto text = purpose + ", process " + std::to_string(::getpid()) + ", started by " +
                    login_name() + " at " + to_text(clock.wall()) + "\n";
  if (::ftruncate(file_.get(), 0) < 0 ||
      ::pwrite(file_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    throw DiskError{"cannot write the lock " + path, errno};
  }
}

}  // namespace hamn::base
