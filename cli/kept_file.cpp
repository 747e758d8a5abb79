#include "cli/kept_file.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "base/disk.h"
#include "base/error.h"

namespace hamn::cli {

namespace {

/// The names of owner and group; an id without a name cannot be given back by name.
std::string owner_of(const struct stat& status, const std::string& path) {
  const passwd* user = ::getpwuid(status.st_uid);
  const struct group* its_group = ::getgrgid(status.st_gid);
  if (user != nullptr && its_group != nullptr) {
    return std::string{user->pw_name} + ":" + its_group->gr_name;
  }
  throw base::Error{{.what = "cannot keep the owner of " + path,
                     .detail = "user or group " + std::to_string(status.st_uid) + ":" +
                               std::to_string(status.st_gid) + " has no name",
                     .hint = "chown root:root " + path}};
}

/// Links are followed, since writing replaces a file as a whole.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> found{::realpath(path.c_str(), nullptr),
                                                          &std::free};
  return found != nullptr ? found.get() : path;
}

}  // namespace

base::FileWrite kept_file(const std::string& given, unsigned mode) {
  const auto path = real_path(given);
  base::FileWrite file{.path = path, .content = {}, .mode = mode};
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return file;
    throw base::system_error("cannot look at " + path, errno, "look at it: ls -l " + path);
  }
  file.mode = status.st_mode & 07777U;
  file.owner = owner_of(status, path);
  file.content = base::read_file(path).value_or("");
  return file;
}

}  // namespace hamn::cli
