#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/host.h"
#include "base/remote_host.h"
#include "tests/support/ssh_server.h"

namespace hamn::test {

/// The hosts that one suite is run against: this machine, and this machine through both ssh
/// transports and a real sshd.
enum class HostKind { local, openssh, libssh2 };
[[nodiscard]] std::string to_text(HostKind kind);

/// The server that most tests share. Started at the first call; a test that cannot have it fails.
[[nodiscard]] SshServer& shared_server();

/// A host of this kind; the remote ones log in as `settings` says.
[[nodiscard]] std::unique_ptr<base::Host> make_host(HostKind kind,
                                                    const base::SshSettings& settings);
[[nodiscard]] std::unique_ptr<base::Host> make_host(HostKind kind);

/// `size` bytes that look random and are the same every time.
[[nodiscard]] std::string noise(std::size_t size);

}  // namespace hamn::test
