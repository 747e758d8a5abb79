#include "tests/parity/pair.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>

namespace hamn::parity {

namespace fs = std::filesystem;

namespace {

/// rsync compares times by the second, and sets those of directories only if they differ: what was
/// made within this second gets a time of its own.
void make_older(const std::string& root, int pass) {
  const auto now = ::time(nullptr);
  auto paths = std::vector<std::string>{root};
  for (const auto& entry : fs::recursive_directory_iterator{root}) paths.push_back(entry.path());
  for (const auto& path : paths) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0 || found.st_mtim.tv_sec < now - 3600) continue;
    if (found.st_mtim.tv_sec > now + 3600) continue;
    const std::array<timespec, 2> times{
        {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
         {.tv_sec = found.st_mtim.tv_sec - 100'000 * pass, .tv_nsec = found.st_mtim.tv_nsec}}};
    ::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
  }
}

}  // namespace

Pair::Pair(std::vector<std::string> rsync_options, sync::Profile profile)
    : options(std::move(rsync_options)) {
  world.set.profile = profile;
  fs::create_directories(reference(""));
}

std::string Pair::reference(const std::string& path) const {
  return world.source("../reference/" + path);
}

void Pair::send() {
  ++passes_;
  make_older(world.source("data"), passes_);
  if (fs::exists(world.source("outside"))) make_older(world.source("outside"), passes_);
  result = world.pass();
  auto arguments = options;
  arguments.push_back(world.source("data"));
  arguments.push_back(reference(""));
  exit_code = rsync(arguments, output);
}

std::string Pair::compare(const Aspects& aspects) const {
  return differences(observe(world.target(""), aspects), observe(reference(""), aspects));
}

void Pair::forget_indexes() {
  fs::remove_all(world.source("../primary"));
  fs::remove_all(world.source("../standby/sync"));
}

}  // namespace hamn::parity
