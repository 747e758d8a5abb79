#include "tests/parity/observe.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "base/hash.h"
#include "base/local_host.h"
#include "base/text.h"
#include "tests/support/temporary_directory.h"

namespace hamn::parity {

namespace fs = std::filesystem;

namespace {

std::string attributes_of(const std::string& path) {
  std::string names(64U << 10U, '\0');
  const auto size = ::llistxattr(path.c_str(), names.data(), names.size());
  if (size <= 0) return {};
  names.resize(static_cast<std::size_t>(size));
  auto list = base::split(names, '\0');
  std::sort(list.begin(), list.end());
  std::string text;
  for (const auto& name : list) {
    if (name.empty() || name == "security.selinux") continue;
    std::string value(64U << 10U, '\0');
    const auto got = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (got < 0) continue;
    text += " " + name + "=" + base::hex(value.substr(0, static_cast<std::size_t>(got)));
  }
  return text;
}

std::string type_of(const struct stat& found, const std::string& path) {
  switch (found.st_mode & S_IFMT) {
    case S_IFREG:
      return "file " + std::to_string(found.st_size) + " " +
             base::xxh128(test::content_of(path)).digits();
    case S_IFDIR:
      return "directory";
    case S_IFLNK:
      return "link to " + fs::read_symlink(path).string();
    case S_IFIFO:
      return "fifo";
    case S_IFSOCK:
      return "socket";
    default:
      return (S_ISCHR(found.st_mode) ? "character " : "block ") +
             std::to_string(major(found.st_rdev)) + ":" + std::to_string(minor(found.st_rdev));
  }
}

void observe_below(const std::string& root, const std::string& path, const Aspects& aspects,
                   std::map<ino_t, std::string>& seen, std::map<std::string, std::string>& all) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator{root + path}) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    const auto its_path = path + "/" + name;
    struct stat found {};
    if (::lstat((root + its_path).c_str(), &found) != 0) throw std::runtime_error{"it vanished"};
    auto line = type_of(found, root + its_path) + " mode " + std::to_string(found.st_mode) +
                " owner " + std::to_string(found.st_uid) + ":" + std::to_string(found.st_gid) +
                " time " + std::to_string(found.st_mtim.tv_sec) + "." +
                std::to_string(found.st_mtim.tv_nsec);
    const bool is_directory = S_ISDIR(found.st_mode);
    if (aspects.links && !is_directory) {
      const auto first = seen.try_emplace(found.st_ino, its_path).first->second;
      line += " names " + std::to_string(found.st_nlink) + " same as " + first;
    }
    if (aspects.attributes) line += attributes_of(root + its_path);
    all[its_path] = line;
    if (is_directory) observe_below(root, its_path, aspects, seen, all);
  }
}

}  // namespace

std::map<std::string, std::string> observe(const std::string& root, const Aspects& aspects) {
  std::map<std::string, std::string> all;
  std::map<ino_t, std::string> seen;
  observe_below(root, "", aspects, seen, all);
  return all;
}

std::string differences(const std::map<std::string, std::string>& ours,
                        const std::map<std::string, std::string>& theirs) {
  std::string text;
  for (const auto& [path, line] : ours) {
    const auto found = theirs.find(path);
    if (found == theirs.end()) {
      text += "only hamn:  " + base::printable(path) + " " + line + "\n";
    } else if (found->second != line) {
      text += "hamn:  " + base::printable(path) + " " + line + "\nrsync: " + base::printable(path) +
              " " + found->second + "\n";
    }
  }
  for (const auto& [path, line] : theirs) {
    if (!ours.contains(path)) text += "only rsync: " + base::printable(path) + " " + line + "\n";
  }
  return text;
}

std::uint64_t space_of(const std::string& root) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator{root}) {
    struct stat found {};
    if (::lstat(entry.path().c_str(), &found) == 0 && S_ISREG(found.st_mode)) {
      bytes += static_cast<std::uint64_t>(found.st_blocks) * 512;
    }
  }
  return bytes;
}

int rsync(const std::vector<std::string>& arguments, std::string& output) {
  base::RealDisk disk;
  base::LocalHost host{"here", disk};
  std::vector<std::string> argv{"/usr/bin/rsync"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto outcome = host.run({.argv = argv});
  output = outcome.output + outcome.error_output;
  return outcome.exit_code;
}

}  // namespace hamn::parity
