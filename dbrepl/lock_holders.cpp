#include "dbrepl/lock_holders.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/disk.h"
#include "base/text.h"

namespace hamn::dbrepl {

namespace {

constexpr std::uint64_t proc_limit_bytes = 4ULL << 20U;

std::string command_of(std::int64_t process) {
  auto text = base::read_file("/proc/" + std::to_string(process) + "/cmdline", proc_limit_bytes)
                  .value_or("");
  std::replace(text.begin(), text.end(), '\0', ' ');
  const auto command = base::printable(base::trim(text));
  return command.empty() ? "a process that has ended since" : command;
}

}  // namespace

std::vector<std::int64_t> lock_owners(std::string_view proc_locks, std::uint32_t device_major,
                                      std::uint32_t device_minor, std::uint64_t inode) {
  std::array<char, 64> wanted{};
  (void)std::snprintf(wanted.data(), wanted.size(), "%02x:%02x:%llu", device_major, device_minor,
                      static_cast<unsigned long long>(inode));
  std::vector<std::int64_t> owners;
  for (const auto& line : base::lines_of(proc_locks)) {
    // "23: POSIX  ADVISORY  WRITE 4711 fd:00:1234567 1073741824 1073742335"; "->" marks a waiter.
    const auto words = base::words_of(line);
    if (words.size() < 6 || words[1] != "POSIX" || words[5] != wanted.data()) continue;
    const auto process = base::parse_unsigned(words[4]);
    if (!process || *process == 0) continue;
    const auto owner = static_cast<std::int64_t>(*process);
    if (std::find(owners.begin(), owners.end(), owner) == owners.end()) owners.push_back(owner);
  }
  return owners;
}

std::string describe_lock_holders(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) < 0) return "the file is gone";
  const auto locks = base::read_file("/proc/locks", proc_limit_bytes).value_or("");
  std::vector<std::string> holders;
  for (const auto process :
       lock_owners(locks, major(found.st_dev), minor(found.st_dev), found.st_ino)) {
    if (process == ::getpid()) continue;
    holders.push_back(command_of(process) + " (process " + std::to_string(process) + ")");
  }
  return holders.empty() ? "nobody whom /proc/locks names" : base::join(holders, ", ");
}

}  // namespace hamn::dbrepl
