#include "tests/contract/host_kinds.h"

#include <random>

#include "base/local_host.h"

namespace hamn::test {

std::string to_text(HostKind kind) {
  switch (kind) {
    case HostKind::local:
      return "local";
    case HostKind::openssh:
      return "openssh";
    case HostKind::libssh2:
      return "libssh2";
  }
  return "";
}

SshServer& shared_server() {
  static SshServer server;
  return server;
}

std::unique_ptr<base::Host> make_host(HostKind kind, const base::SshSettings& settings) {
  static base::RealDisk disk;
  if (kind == HostKind::local) return std::make_unique<base::LocalHost>("mn2", disk);
  return base::make_ssh_host(settings, to_text(kind));
}

std::unique_ptr<base::Host> make_host(HostKind kind) {
  if (kind == HostKind::local) return make_host(kind, {});
  return make_host(kind, shared_server().settings());
}

std::string noise(std::size_t size) {
  std::mt19937_64 random{size};
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; i += sizeof(std::uint64_t)) {
    const auto word = random();
    bytes.replace(i, std::min(sizeof word, size - i), reinterpret_cast<const char*>(&word),
                  std::min(sizeof word, size - i));
  }
  return bytes;
}

}  // namespace hamn::test
