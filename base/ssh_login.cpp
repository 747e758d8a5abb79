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
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/libssh2_host.h"
#include "base/ssh_agent.h"
#include "base/ssh_session.h"
#include "base/text.h"

// The part of SshSession that ends with being logged in.

namespace hamn::base {

namespace {

/// Bytes that the other kernel did not confirm for so long end the connection: a dead host is
/// noticed although nothing is expected from it.
constexpr unsigned unconfirmed_limit_ms = 20'000;

LIBSSH2_SESSION* of(SshLibrary* library) {
  return reinterpret_cast<LIBSSH2_SESSION*>(library);
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
    case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
      return true;
    default:
      return false;
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
  KnownHosts(LIBSSH2_SESSION* session, const std::string& path)
      : hosts_(libssh2_knownhost_init(session)) {
    libssh2_knownhost_readfile(hosts_, path.c_str(), LIBSSH2_KNOWNHOST_FILE_OPENSSH);
  }
  KnownHosts(const KnownHosts&) = delete;
  KnownHosts& operator=(const KnownHosts&) = delete;
  ~KnownHosts() { libssh2_knownhost_free(hosts_); }

  int check(const SshSettings& to, std::string_view key, int type_mask) {
    libssh2_knownhost* found = nullptr;
    const int port = to.port == 22 ? -1 : to.port;
    const auto look_up = [&](const std::string& name) {
      return libssh2_knownhost_checkp(hosts_, name.c_str(), port, key.data(), key.size(), type_mask,
                                      &found);
    };
    const int result = look_up(to.address);
    return result == LIBSSH2_KNOWNHOST_CHECK_NOTFOUND ? look_up(to.name) : result;
  }

  /// The types that are pinned for this host, so that the server is asked for one of them. A check
  /// with a key that nobody has answers "mismatch" where a key of that type is stored. (It must not
  /// be empty: libssh2 fails on that.)
  std::string pinned_methods(const SshSettings& to) {
    std::vector<std::string> methods;
    for (const auto& type : host_key_types) {
      const int mask = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW | type.bit;
      if (check(to, "nobody's key", mask) == LIBSSH2_KNOWNHOST_CHECK_MISMATCH) {
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

struct Signer {
  SshAgent& agent;
  const std::string& key;
};

/// What libssh2 calls when the server wants to see a signature; it frees what it is given.
int sign_with_agent(LIBSSH2_SESSION* /*session*/, unsigned char** signature, std::size_t* size,
                    const unsigned char* data, std::size_t data_size, void** abstract) {
  const auto* signer = static_cast<const Signer*>(*abstract);
  const auto made =
      signer->agent.sign(signer->key, {reinterpret_cast<const char*>(data), data_size});
  auto* copy = made ? static_cast<unsigned char*>(std::malloc(made->size())) : nullptr;  // NOLINT
  if (copy == nullptr) return -1;
  std::copy(made->begin(), made->end(), copy);
  *signature = copy;
  *size = made->size();
  return 0;
}

}  // namespace

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
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unconfirmed_limit_ms,
               sizeof unconfirmed_limit_ms);
}

void SshSession::log_in(const Call& call, Milliseconds limit, const std::string& what) {
  const long result = until_done(call, limit);
  if (result >= 0) return;
  if (result == LIBSSH2_ERROR_EAGAIN) {
    throw Error{{.what = what,
                 .detail = "the server was silent for " + human_duration(limit),
                 .hint = "check that the host is up and not overloaded"}};
  }
  ErrorText text{.what = what,
                 .detail = last_error(),
                 .hint = "try transport = \"openssh\" in [ssh] of /etc/hamn/hamn.toml"};
  if (is_lack_of_ability(result)) throw UnsupportedBySsh{std::move(text)};
  throw Error{std::move(text)};
}

void SshSession::set_methods(const std::string& host_key_types_wanted) {
  const auto prefer = [&](int method, const char* names) {
    libssh2_session_method_pref(of(library_), method, names);
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
  const auto pinned = KnownHosts{of(library_), settings.known_hosts}.pinned_methods(settings);
  if (pinned.empty()) throw unknown_host_key(settings);
  set_methods(pinned);
  log_in([&]() -> long { return libssh2_session_handshake(of(library_), socket_.get()); },
         settings.connect_limit, "cannot talk ssh with " + settings.name);
}

void SshSession::check_host_key(const SshSettings& settings) {
  std::size_t size = 0;
  int type = 0;
  const char* key = libssh2_session_hostkey(of(library_), &size, &type);
  constexpr int mask = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW;
  KnownHosts known{of(library_), settings.known_hosts};
  if (key == nullptr || known.check(settings, {key, size}, mask) != LIBSSH2_KNOWNHOST_CHECK_MATCH) {
    throw changed_host_key(settings);
  }
}

void SshSession::authenticate_with_agent(const SshSettings& settings) {
  const auto what = "cannot log in to " + settings.name + " as " + settings.user;
  const char* path = std::getenv("SSH_AUTH_SOCK");
  auto agent = SshAgent::connect(path == nullptr ? "" : path, settings.connect_limit);
  const auto keys = agent ? agent->keys() : std::nullopt;
  if (!keys) {
    throw UnsupportedBySsh{{.what = what,
                            .detail = "there is no ssh agent to ask for a key",
                            .hint = "name a key file: key = \"/root/.ssh/id_ed25519\" in [ssh]"}};
  }
  for (const auto& key : *keys) {
    Signer signer{*agent, key};
    void* abstract = &signer;
    const auto log_in_with = [&]() -> long {
      return libssh2_userauth_publickey(of(library_), settings.user.c_str(),
                                        reinterpret_cast<const unsigned char*>(key.data()),
                                        key.size(), &sign_with_agent, &abstract);
    };
    if (until_done(log_in_with, settings.connect_limit) == 0) return;
  }
  throw UnsupportedBySsh{{.what = what,
                          .detail = "no key of the ssh agent is accepted",
                          .hint = "add the public key to authorized_keys over there"}};
}

void SshSession::authenticate(const SshSettings& settings) {
  if (settings.key_file.empty()) return authenticate_with_agent(settings);
  if (::access(settings.key_file.c_str(), R_OK) != 0) {
    throw system_error("cannot read the ssh key " + settings.key_file, errno,
                       "make one: ssh-keygen -t ed25519 -N '' -f " + settings.key_file);
  }
  log_in(
      [&]() -> long {
        return libssh2_userauth_publickey_fromfile_ex(of(library_), settings.user.c_str(),
                                                      static_cast<unsigned>(settings.user.size()),
                                                      nullptr, settings.key_file.c_str(), nullptr);
      },
      settings.connect_limit, "cannot log in to " + settings.name + " as " + settings.user);
}

}  // namespace hamn::base
