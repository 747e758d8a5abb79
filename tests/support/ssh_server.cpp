#include "tests/support/ssh_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "base/disk.h"
#include "base/local_host.h"
#include "base/process.h"
#include "base/text.h"

namespace hamn::test {

namespace {

constexpr const char* program = "/usr/sbin/sshd";

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// Binds to `port` (0: any free one) and answers the one that it got.
std::uint16_t bind_to_loopback(int socket, std::uint16_t port) {
  auto address = loopback(port);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket, plain, size) < 0 || ::getsockname(socket, plain, &size) < 0) {
    throw std::runtime_error{"cannot bind to a port of 127.0.0.1"};
  }
  return ntohs(address.sin_port);
}

bool listens(std::uint16_t port) {
  const base::Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto address = loopback(port);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::string own_user() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : "root";
}

}  // namespace

std::uint16_t free_port() {
  const base::Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  return bind_to_loopback(socket.get(), 0);
}

SilentServer::SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  port_ = bind_to_loopback(socket_.get(), 0);
  if (::listen(socket_.get(), 16) < 0) throw std::runtime_error{"cannot listen on 127.0.0.1"};
}

SshServer::SshServer(const std::vector<std::string>& more_lines) : port_(free_port()) {
  if (!exists(program)) {
    throw std::runtime_error{"this test needs /usr/sbin/sshd: apt-get install openssh-server"};
  }
  ::mkdir("/run/sshd", 0755);  // sshd insists on it for its unprivileged part
  make_key("host", "ed25519");
  make_key("user", "ed25519");
  pin(directory_ / "known_hosts", "host");
  std::vector<std::string> lines{"Port " + std::to_string(port_),
                                 "ListenAddress 127.0.0.1",
                                 "HostKey " + directory_ / "host",
                                 "AuthorizedKeysFile " + directory_ / "authorized_keys",
                                 "PermitRootLogin prohibit-password",
                                 "PasswordAuthentication no",
                                 "KbdInteractiveAuthentication no",
                                 "StrictModes no",
                                 "UsePAM no",
                                 "UseDNS no",
                                 "PidFile none",
                                 "SetEnv HOME=" + directory_.path(),
                                 "MaxStartups 100"};
  lines.insert(lines.end(), more_lines.begin(), more_lines.end());
  given_file(directory_ / "sshd_config", base::join(lines, "\n") + "\n");
  given_file(directory_ / "authorized_keys", content_of(directory_ / "user.pub"));
  const base::Fd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  const base::Fd log{::open((directory_ / "log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
  pid_ = base::start_process({.argv = {program, "-D", "-e", "-f", directory_ / "sshd_config"}},
                             {.in = nothing.get(), .out = log.get(), .error = log.get()});
  wait_until_it_listens();
}

SshServer::~SshServer() {
  // Connections have processes of their own, outside of this group; they end with their clients.
  base::kill_process_group(pid_, std::chrono::seconds{2});
}

void SshServer::make_key(const std::string& name, const std::string& type) {
  const auto outcome = base::run_process(
      {.argv = {"ssh-keygen", "-q", "-t", type, "-N", "", "-C", name, "-f", directory_ / name}},
      {});
  if (!outcome.succeeded()) throw std::runtime_error{"ssh-keygen: " + outcome.error_output};
}

void SshServer::pin(const std::string& known_hosts, const std::string& key) const {
  const auto public_key = base::words_of(content_of(directory_ / (key + ".pub")));
  given_file(known_hosts, "[127.0.0.1]:" + std::to_string(port_) + " " + public_key.at(0) + " " +
                              public_key.at(1) + "\n");
}

void SshServer::wait_until_it_listens() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!listens(port_)) {
    if (std::chrono::steady_clock::now() > end || base::poll_process(pid_)) {
      base::kill_process_group(pid_, base::Milliseconds{0});
      throw std::runtime_error{"sshd does not start: " + log()};
    }
    std::this_thread::sleep_for(base::Milliseconds{10});
  }
}

base::SshSettings SshServer::settings() const {
  return {.name = "mn2",
          .address = "127.0.0.1",
          .port = port_,
          .user = own_user(),
          .key_file = directory_ / "user",
          .known_hosts = directory_ / "known_hosts"};
}

base::SshSettings SshServer::settings_with_rsa_key() {
  auto settings = this->settings();
  settings.key_file = directory_ / "rsa";
  if (!exists(settings.key_file)) {
    make_key("rsa", "rsa");
    given_file(directory_ / "authorized_keys",
               content_of(directory_ / "user.pub") + content_of(directory_ / "rsa.pub"));
  }
  return settings;
}

base::SshSettings SshServer::settings_with_wrong_key() {
  auto settings = this->settings();
  settings.key_file = directory_ / "stranger";
  if (!exists(settings.key_file)) make_key("stranger", "ed25519");
  return settings;
}

base::SshSettings SshServer::settings_with_unknown_host() const {
  auto settings = this->settings();
  settings.known_hosts = directory_ / "empty_known_hosts";
  given_file(settings.known_hosts, "");
  return settings;
}

base::SshSettings SshServer::settings_with_changed_host() {
  auto settings = this->settings();
  settings.known_hosts = directory_ / "old_known_hosts";
  if (!exists(directory_ / "old_host")) make_key("old_host", "ed25519");
  pin(settings.known_hosts, "old_host");
  return settings;
}

std::string SshServer::log() const {
  return content_of(directory_ / "log");
}

}  // namespace hamn::test
