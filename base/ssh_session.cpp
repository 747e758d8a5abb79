#include "base/ssh_session.h"

#include <fcntl.h>
#include <libssh2.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/libssh2_host.h"
#include "base/text.h"

namespace hamn::base {

namespace {

constexpr unsigned receive_window_bytes = 16U << 20U;

std::string reach_hint(const SshSettings& settings) {
  return "try: ssh -o UserKnownHostsFile=" + settings.known_hosts + " " + settings.user + "@" +
         settings.address + " true";
}

/// libssh2_init() is not thread-safe and must come once.
void initialise_library() {
  static const int result = libssh2_init(0);
  if (result != 0) {
    throw UnsupportedBySsh{{.what = "cannot use libssh2", .detail = "it does not initialise",
                            .hint = "set transport = \"openssh\" in [ssh]"}};
  }
}

/// Errors that another ssh implementation would perhaps not have.
bool is_lack_of_ability(long code) {
  switch (code) {
    case LIBSSH2_ERROR_KEX_FAILURE:
    case LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
    case LIBSSH2_ERROR_METHOD_NONE:
    case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
    case LIBSSH2_ERROR_HOSTKEY_INIT:
    case LIBSSH2_ERROR_FILE:
    case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
    case LIBSSH2_ERROR_AUTHENTICATION_FAILED: return true;
    default: return false;
  }
}

/// Key types in the order of preference, with libssh2's names for them.
struct HostKeyType {
  int bit;
  const char* method;
};
constexpr std::array<HostKeyType, 5> host_key_types{
    {{LIBSSH2_KNOWNHOST_KEY_ED25519, "ssh-ed25519"},
     {LIBSSH2_KNOWNHOST_KEY_ECDSA_256, "ecdsa-sha2-nistp256"},
     {LIBSSH2_KNOWNHOST_KEY_ECDSA_384, "ecdsa-sha2-nistp384"},
     {LIBSSH2_KNOWNHOST_KEY_ECDSA_521, "ecdsa-sha2-nistp521"},
     {LIBSSH2_KNOWNHOST_KEY_SSHRSA, "ssh-rsa"}}};

class KnownHosts {
 public:
  KnownHosts(_LIBSSH2_SESSION* session, const std::string& path)
      : hosts_(libssh2_knownhost_init(session)) {
    libssh2_knownhost_readfile(hosts_, path.c_str(), LIBSSH2_KNOWNHOST_FILE_OPENSSH);
  }
  KnownHosts(const KnownHosts&) = delete;
  KnownHosts& operator=(const KnownHosts&) = delete;
  ~KnownHosts() { libssh2_knownhost_free(hosts_); }

  int check(const SshSettings& to, const char* key, std::size_t size, int type_mask) {
    libssh2_knownhost* found = nullptr;
    const int port = to.port == 22 ? -1 : to.port;
    int result = libssh2_knownhost_checkp(hosts_, to.address.c_str(), port, key, size, type_mask,
                                          &found);
    if (result == LIBSSH2_KNOWNHOST_CHECK_NOTFOUND) {
      result = libssh2_knownhost_checkp(hosts_, to.name.c_str(), port, key, size, type_mask,
                                        &found);
    }
    return result;
  }

  /// The types that are pinned for this host, so that the server is asked for one of them. The
  /// check with an empty key answers "mismatch" where a key of that type is stored.
  std::string pinned_methods(const SshSettings& to) {
    std::vector<std::string> methods;
    for (const auto& type : host_key_types) {
      const int mask = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW | type.bit;
      if (check(to, "", 0, mask) == LIBSSH2_KNOWNHOST_CHECK_MISMATCH) {
        methods.emplace_back(type.method);
      }
    }
    return join(methods, ",");
  }

 private:
  LIBSSH2_KNOWNHOSTS* hosts_;
};

Fd connect_to(const addrinfo& address, Milliseconds limit) {
  Fd fd{::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd.is_open()) return fd;
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return fd;
  if (errno != EINPROGRESS) return Fd{};
  pollfd item{.fd = fd.get(), .events = POLLOUT, .revents = 0};
  if (::poll(&item, 1, static_cast<int>(limit.count())) <= 0) {
    errno = ETIMEDOUT;
    return Fd{};
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return fd;
  errno = error;
  return Fd{};
}

}  // namespace

SshSession::SshSession(const SshSettings& settings) {
  initialise_library();
  connect(settings);
  session_ = libssh2_session_init();
  if (session_ == nullptr) {
    throw UnsupportedBySsh{{.what = "cannot use libssh2", .detail = "no memory for a session",
                            .hint = "set transport = \"openssh\" in [ssh]"}};
  }
  libssh2_session_set_blocking(session_, 0);
  libssh2_keepalive_config(session_, 1, 5);
  handshake(settings);
  check_host_key(settings);
  authenticate(settings);
}

SshSession::~SshSession() {
  if (session_ != nullptr) libssh2_session_free(session_);
}

void SshSession::connect(const SshSettings& settings) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto port = std::to_string(settings.port);
  const int result = ::getaddrinfo(settings.address.c_str(), port.c_str(), &wanted, &found);
  if (result != 0) {
    throw Error{{.what = "cannot reach " + settings.name + " by ssh",
                 .detail = settings.address + ": " + ::gai_strerror(result),
                 .hint = "give its address as a number in [host." + settings.name + "]"}};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner{found, ::freeaddrinfo};
  for (const addrinfo* each = found; each != nullptr && !socket_.is_open(); each = each->ai_next) {
    socket_ = connect_to(*each, settings.connect_limit);
  }
  if (!socket_.is_open()) {
    throw system_error("cannot reach " + settings.name + " by ssh", errno, reach_hint(settings));
  }
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

template <typename Call>
long SshSession::until_done(const Call& call, Milliseconds limit, const std::string& what) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    stop_if_interrupted();
    long result = 0;
    {
      const std::lock_guard lock{mutex_};
      result = call();
    }
    if (result >= 0) return result;
    if (result != LIBSSH2_ERROR_EAGAIN) {
      ErrorText text{.what = what, .detail = last_error(),
                     .hint = "try transport = \"openssh\" in [ssh] of /etc/hamn/hamn.toml"};
      if (is_lack_of_ability(result)) throw UnsupportedBySsh{std::move(text)};
      throw Error{std::move(text)};
    }
    if (std::chrono::steady_clock::now() >= end) {
      throw Error{{.what = what, .detail = "the server was silent for " + human_duration(limit),
                   .hint = "check that the host is up and not overloaded"}};
    }
    wait(Milliseconds{100}, false);
  }
}

void SshSession::set_methods(const std::string& host_key_types_wanted) {
  const auto prefer = [&](int method, const char* names) {
    libssh2_session_method_pref(session_, method, names);
  };
  prefer(LIBSSH2_METHOD_HOSTKEY, host_key_types_wanted.c_str());
  for (const int method : {LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC}) {
    prefer(method, "aes128-ctr,aes256-ctr");
  }
  for (const int method : {LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC}) {
    prefer(method, "hmac-sha2-256,hmac-sha2-512");
  }
}

void SshSession::handshake(const SshSettings& settings) {
  const auto pinned = KnownHosts{session_, settings.known_hosts}.pinned_methods(settings);
  if (pinned.empty()) {
    throw Error{{.what = "cannot trust " + settings.name,
                 .detail = "its host key is not in " + settings.known_hosts,
                 .hint = "on its console read the fingerprint (ssh-keygen -lf "
                         "/etc/ssh/ssh_host_ed25519_key.pub), then pin it: hamn init --pin " +
                         settings.name}};
  }
  set_methods(pinned);
  until_done([&] { return libssh2_session_handshake(session_, socket_.get()); },
             settings.connect_limit, "cannot talk ssh with " + settings.name);
}

void SshSession::check_host_key(const SshSettings& settings) {
  std::size_t size = 0;
  int type = 0;
  const char* key = libssh2_session_hostkey(session_, &size, &type);
  constexpr int mask = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW;
  KnownHosts known{session_, settings.known_hosts};
  if (key != nullptr && known.check(settings, key, size, mask) == LIBSSH2_KNOWNHOST_CHECK_MATCH) {
    return;
  }
  throw Error{{.what = "refusing to talk to " + settings.name,
               .detail = "it shows another host key than the one pinned in " +
                         settings.known_hosts,
               .hint = "if the host was reinstalled, pin its new key: hamn init --pin " +
                       settings.name + "; if not, somebody else answers at " + settings.address,
               .code = Exit::refused}};
}

void SshSession::authenticate_with_agent(const SshSettings& settings) {
  const auto what = "cannot log in to " + settings.name + " as " + settings.user;
  const std::unique_ptr<LIBSSH2_AGENT, void (*)(LIBSSH2_AGENT*)> agent{
      libssh2_agent_init(session_), libssh2_agent_free};
  if (agent == nullptr || libssh2_agent_connect(agent.get()) != 0 ||
      libssh2_agent_list_identities(agent.get()) != 0) {
    throw UnsupportedBySsh{{.what = what, .detail = "there is no ssh agent to ask for a key",
                            .hint = "name a key file: key = \"/root/.ssh/id_ed25519\" in [ssh]"}};
  }
  libssh2_agent_publickey* each = nullptr;
  while (libssh2_agent_get_identity(agent.get(), &each, each) == 0) {
    const auto end = std::chrono::steady_clock::now() + settings.connect_limit;
    int result = LIBSSH2_ERROR_EAGAIN;
    while ((result = libssh2_agent_userauth(agent.get(), settings.user.c_str(), each)) ==
               LIBSSH2_ERROR_EAGAIN &&
           std::chrono::steady_clock::now() < end) {
      wait(Milliseconds{100}, false);
    }
    if (result == 0) return;
  }
  throw UnsupportedBySsh{{.what = what, .detail = "no key of the ssh agent is accepted",
                          .hint = "add the public key to authorized_keys over there"}};
}

void SshSession::authenticate(const SshSettings& settings) {
  if (settings.key_file.empty()) return authenticate_with_agent(settings);
  if (::access(settings.key_file.c_str(), R_OK) != 0) {
    throw system_error("cannot read the ssh key " + settings.key_file, errno,
                       "make one: ssh-keygen -t ed25519 -N '' -f " + settings.key_file);
  }
  until_done(
      [&] {
        return libssh2_userauth_publickey_fromfile_ex(
            session_, settings.user.c_str(), static_cast<unsigned>(settings.user.size()), nullptr,
            settings.key_file.c_str(), nullptr);
      },
      settings.connect_limit, "cannot log in to " + settings.name + " as " + settings.user);
}

LIBSSH2_CHANNEL* SshSession::start(const std::string& line, Milliseconds limit) {
  LIBSSH2_CHANNEL* channel = nullptr;
  constexpr std::string_view type = "session";
  until_done(
      [&]() -> long {
        channel = libssh2_channel_open_ex(session_, type.data(), type.size(), receive_window_bytes,
                                          LIBSSH2_CHANNEL_PACKET_DEFAULT, nullptr, 0);
        return channel != nullptr ? 0 : libssh2_session_last_errno(session_);
      },
      limit, "cannot open an ssh channel");
  constexpr std::string_view request = "exec";
  until_done(
      [&] {
        return libssh2_channel_process_startup(channel, request.data(), request.size(),
                                               line.data(), static_cast<unsigned>(line.size()));
      },
      limit, "cannot start a command over ssh");
  return channel;
}

void SshSession::free_channel(LIBSSH2_CHANNEL* channel) noexcept {
  const std::lock_guard lock{mutex_};
  // Closing is a courtesy: a few attempts, then the channel goes with its session.
  for (int i = 0; i < 20 && libssh2_channel_free(channel) == LIBSSH2_ERROR_EAGAIN; ++i) {
    pollfd item{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    ::poll(&item, 1, 10);
  }
}

long SshSession::try_read(LIBSSH2_CHANNEL* channel, int substream, char* buffer,
                          std::size_t size) {
  const std::lock_guard lock{mutex_};
  if (write_pending_) {
    unsigned long initial = 0;
    const auto left = libssh2_channel_window_read_ex(channel, nullptr, &initial);
    // Below this libssh2_channel_read() would send a window adjustment first.
    if (left < initial / 4 * 3 + size) return LIBSSH2_ERROR_EAGAIN;
  }
  return libssh2_channel_read_ex(channel, substream, buffer, size);
}

long SshSession::try_write(LIBSSH2_CHANNEL* channel, const char* data, std::size_t size) {
  const std::lock_guard lock{mutex_};
  const auto result = libssh2_channel_write_ex(channel, 0, data, size);
  write_pending_ = result == LIBSSH2_ERROR_EAGAIN &&
                   (libssh2_session_block_directions(session_) &
                    LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0;
  return result;
}

int SshSession::try_send_eof(LIBSSH2_CHANNEL* channel) {
  const std::lock_guard lock{mutex_};
  return libssh2_channel_send_eof(channel);
}

bool SshSession::at_end(LIBSSH2_CHANNEL* channel) {
  const std::lock_guard lock{mutex_};
  return libssh2_channel_eof(channel) != 0;
}

int SshSession::exit_code(LIBSSH2_CHANNEL* channel, Milliseconds limit) {
  until_done([&] { return libssh2_channel_close(channel); }, limit, "cannot close a command");
  until_done([&] { return libssh2_channel_wait_closed(channel); }, limit,
             "cannot learn how a command ended");
  const std::lock_guard lock{mutex_};
  char* signal = nullptr;
  libssh2_channel_get_exit_signal(channel, &signal, nullptr, nullptr, nullptr, nullptr, nullptr);
  const int code = signal != nullptr ? 128 + 9 : libssh2_channel_get_exit_status(channel);
  if (signal != nullptr) libssh2_free(session_, signal);
  return code;
}

void SshSession::wait(Milliseconds slice, bool wants_write) {
  short events = POLLIN;
  {
    const std::lock_guard lock{mutex_};
    const int directions = libssh2_session_block_directions(session_);
    if (wants_write || (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0) events |= POLLOUT;
    if (wants_write && (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) == 0) events = POLLIN;
    int next = 0;
    if (!write_pending_) libssh2_keepalive_send(session_, &next);
  }
  pollfd item{.fd = socket_.get(), .events = events, .revents = 0};
  ::poll(&item, 1, static_cast<int>(slice.count()));
}

void SshSession::abandon() noexcept { ::shutdown(socket_.get(), SHUT_RDWR); }

std::string SshSession::last_error() {
  const std::lock_guard lock{mutex_};
  char* text = nullptr;
  int size = 0;
  libssh2_session_last_error(session_, &text, &size, 0);
  return text != nullptr && size > 0 ? std::string{text, static_cast<std::size_t>(size)}
                                     : "the connection broke";
}

}  // namespace hamn::base
