#include "base/openssh_host.h"

#include "base/disk.h"
#include "base/error.h"
#include "base/local_host.h"
#include "base/text.h"

namespace hamn::base {

namespace {

/// ssh itself answers 255 when it could not connect; a remote command may do so too, but then ssh
/// has nothing of its own to say.
bool is_connection_failure(const Outcome& outcome) {
  if (outcome.exit_code != 255 || !outcome.output.empty()) return false;
  for (const char* sign : {"ssh: ", "Connection ", "Host key verification failed",
                           "Permission denied", "kex_exchange_identification", "No ED25519",
                           "Timeout, server", "Load key"}) {
    if (outcome.error_output.find(sign) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Command OpensshHost::ssh_command(const std::string& line) const {
  const auto& how = settings();
  Command ssh;
  ssh.argv = {"ssh", "-T", "-F", "none", "-p", std::to_string(how.port)};
  const auto option = [&](const std::string& text) {
    ssh.argv.emplace_back("-o");
    ssh.argv.push_back(text);
  };
  option("BatchMode=yes");
  option("StrictHostKeyChecking=yes");
  option("UserKnownHostsFile=" + how.known_hosts);
  option("GlobalKnownHostsFile=/dev/null");
  option("UpdateHostKeys=no");
  option("Compression=no");
  option("LogLevel=ERROR");
  option("ServerAliveInterval=5");
  option("ServerAliveCountMax=3");
  option("ConnectTimeout=" +
         std::to_string(std::chrono::ceil<std::chrono::seconds>(how.connect_limit).count()));
  if (!how.key_file.empty()) {
    option("IdentitiesOnly=yes");
    ssh.argv.insert(ssh.argv.end(), {"-i", how.key_file});
  }
  ssh.argv.insert(ssh.argv.end(), {"-l", how.user, "--", how.address, line});
  return ssh;
}

Outcome OpensshHost::run_line(const std::string& line, const Command& command) {
  RealDisk disk;
  Command ssh = ssh_command(line);
  ssh.input = command.input;
  ssh.time_limit = command.time_limit;
  ssh.output_limit_bytes = command.output_limit_bytes;
  auto outcome = LocalHost{"localhost", disk}.run(ssh);
  if (outcome.exit_code == 127 && outcome.error_output.starts_with("cannot run ssh")) {
    throw Error{{.what = "cannot start ssh", .detail = trim(outcome.error_output),
                 .hint = "apt-get install openssh-client"}};
  }
  if (is_connection_failure(outcome)) {
    throw Error{{.what = "cannot reach " + name() + " by ssh",
                 .detail = trim(outcome.error_output),
                 .hint = "try: ssh -o UserKnownHostsFile=" + settings().known_hosts + " " +
                         settings().user + "@" + settings().address + " true"}};
  }
  return outcome;
}

std::unique_ptr<Stream> OpensshHost::open(const Command& command) {
  return open_process(ssh_command(remote_line(command)));
}

}  // namespace hamn::base
