#include "base/openssh_host.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/local_host.h"
#include "base/text.h"

namespace hamn::base {

namespace {

/// What ssh did not manage, from what it said when it answered 255.
Error connection_error(const SshSettings& settings, const std::string& error_output) {
  const auto says = [&](const char* text) { return error_output.find(text) != std::string::npos; };
  if (says("REMOTE HOST IDENTIFICATION HAS CHANGED")) return changed_host_key(settings);
  if (says("host key is known for")) return unknown_host_key(settings);
  return Error{{.what = "cannot reach " + settings.name + " by ssh",
                .detail = trim(error_output),
                .hint = reach_hint(settings)}};
}

Error not_installed(const std::string& error_output) {
  return Error{{.what = "cannot start ssh",
                .detail = trim(error_output),
                .hint = "install the OpenSSH client: apt-get install openssh-client"}};
}

bool is_not_installed(int exit_code, const std::string& error_output) {
  return exit_code == 127 && error_output.starts_with("cannot run ssh");
}

/// A remote program, too, may end with 255; ssh is told from it by its words.
bool sounds_like_ssh(const std::string& error_output) {
  constexpr std::array<const char*, 8> words{"ssh: ",
                                             "Connection ",
                                             "Host key verification failed",
                                             "Permission denied (",
                                             "kex_exchange_identification",
                                             "Timeout, server",
                                             "client_loop: ",
                                             "banner exchange"};
  return std::any_of(words.begin(), words.end(), [&](const char* each) {
    return error_output.find(each) != std::string::npos;
  });
}

/// An ssh child that says why it could not connect when its first byte is asked for.
class OpensshStream : public Stream {
 public:
  OpensshStream(std::unique_ptr<Stream> child, SshSettings settings)
      : child_(std::move(child)), settings_(std::move(settings)) {}

  [[nodiscard]] std::size_t read(char* buffer, std::size_t size, Milliseconds limit) override {
    const auto got = child_->read(buffer, size, limit);
    if (got == 0 && !connected_) {
      const auto ending = child_->finish(limit);
      if (is_not_installed(ending.exit_code, ending.error_output)) {
        throw not_installed(ending.error_output);
      }
      if (ending.exit_code == 255 && sounds_like_ssh(ending.error_output)) {
        throw connection_error(settings_, ending.error_output);
      }
    }
    connected_ = true;
    return got;
  }
  void write(std::string_view data, Milliseconds limit) override { child_->write(data, limit); }
  void close_write() override { child_->close_write(); }
  void close() noexcept override { child_->close(); }
  [[nodiscard]] Ending finish(Milliseconds limit) override { return child_->finish(limit); }

 private:
  std::unique_ptr<Stream> child_;
  SshSettings settings_;
  bool connected_ = false;
};

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

Outcome OpensshHost::run_line(const Line& line) {
  Command ssh = ssh_command(line.text);
  ssh.input = line.input;
  ssh.time_limit = line.time_limit;
  ssh.output_limit_bytes = line.output_limit_bytes;
  ssh.sees_to_its_end = line.sees_to_its_end;
  auto outcome = run_process(ssh, line.is_over);
  if (is_not_installed(outcome.exit_code, outcome.error_output)) {
    throw not_installed(outcome.error_output);
  }
  // The shell over there says something first, so silence means that it was never reached.
  if (outcome.exit_code == 255 && !outcome.timed_out && outcome.output.empty()) {
    throw connection_error(settings(), outcome.error_output);
  }
  return outcome;
}

std::unique_ptr<Stream> OpensshHost::open_line(const std::string& text) {
  return std::make_unique<OpensshStream>(open_process(ssh_command(text)), settings());
}

}  // namespace hamn::base
