#include "base/ssh_agent.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>

namespace hamn::base {

namespace {

constexpr std::uint8_t request_identities = 11;
constexpr std::uint8_t identities_answer = 12;
constexpr std::uint8_t sign_request = 13;
constexpr std::uint8_t sign_response = 14;
constexpr std::size_t largest_answer_bytes = 256U << 10U;
constexpr std::uint32_t most_keys = 100;

std::string number(std::uint32_t value) {
  std::string text;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    text.push_back(static_cast<char>((value >> shift) & 0xffU));
  }
  return text;
}

std::string block(std::string_view bytes) {
  return number(static_cast<std::uint32_t>(bytes.size())) + std::string{bytes};
}

/// Takes numbers and blocks from the front of an answer.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::uint32_t> take_number() {
    if (rest_.size() < 4) return std::nullopt;
    std::uint32_t value = 0;
    for (const char c : rest_.substr(0, 4)) value = value << 8U | static_cast<unsigned char>(c);
    rest_.remove_prefix(4);
    return value;
  }

  std::optional<std::string> take_block() {
    const auto size = take_number();
    if (!size || *size > rest_.size()) return std::nullopt;
    std::string bytes{rest_.substr(0, *size)};
    rest_.remove_prefix(*size);
    return bytes;
  }

 private:
  std::string_view rest_;
};

/// False when the time is up or waiting is impossible.
bool wait_until(std::chrono::steady_clock::time_point end, int socket, short event) {
  const auto left =
      std::chrono::duration_cast<Milliseconds>(end - std::chrono::steady_clock::now());
  if (left <= Milliseconds{0}) return false;
  pollfd wait{.fd = socket, .events = event, .revents = 0};
  return ::poll(&wait, 1, static_cast<int>(left.count())) >= 0 || errno == EINTR;
}

}  // namespace

std::optional<SshAgent> SshAgent::connect(const std::string& path, Milliseconds limit) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
  path.copy(address.sun_path, path.size());
  Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (socket.get() < 0 ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return std::nullopt;
  }
  return SshAgent{std::move(socket), limit};
}

bool SshAgent::move_bytes(char* bytes, std::size_t size, bool outwards) {
  const auto end = std::chrono::steady_clock::now() + limit_;
  while (size > 0) {
    const auto moved = outwards ? ::send(socket_.get(), bytes, size, MSG_NOSIGNAL)
                                : ::recv(socket_.get(), bytes, size, 0);
    if (moved > 0) {
      bytes += moved;
      size -= static_cast<std::size_t>(moved);
      continue;
    }
    if (moved == 0 || (errno != EAGAIN && errno != EINTR)) return false;
    if (!wait_until(end, socket_.get(), outwards ? POLLOUT : POLLIN)) return false;
  }
  return true;
}

std::optional<std::string> SshAgent::ask(std::string_view request) {
  auto framed = block(request);
  std::array<char, 4> head{};
  if (!move_bytes(framed.data(), framed.size(), true) ||
      !move_bytes(head.data(), head.size(), false)) {
    return std::nullopt;
  }
  const auto size = Reader{{head.data(), head.size()}}.take_number();
  if (!size || *size == 0 || *size > largest_answer_bytes) return std::nullopt;
  std::string answer(*size, '\0');
  if (!move_bytes(answer.data(), answer.size(), false)) return std::nullopt;
  return answer;
}

std::optional<std::vector<std::string>> SshAgent::keys() {
  const auto answer = ask(std::string(1, static_cast<char>(request_identities)));
  if (!answer || answer->front() != static_cast<char>(identities_answer)) return std::nullopt;
  Reader reader{std::string_view{*answer}.substr(1)};
  const auto count = reader.take_number();
  if (!count || *count > most_keys) return std::nullopt;
  std::vector<std::string> keys;
  for (std::uint32_t i = 0; i < *count; ++i) {
    auto key = reader.take_block();
    if (!key || !reader.take_block()) return std::nullopt;  // the second one is a comment
    keys.push_back(std::move(*key));
  }
  return keys;
}

std::optional<std::string> SshAgent::sign(std::string_view key, std::string_view data) {
  const auto answer =
      ask(std::string(1, static_cast<char>(sign_request)) + block(key) + block(data) + number(0));
  if (!answer || answer->front() != static_cast<char>(sign_response)) return std::nullopt;
  const auto signature = Reader{std::string_view{*answer}.substr(1)}.take_block();
  if (!signature) return std::nullopt;
  Reader parts{*signature};
  if (!parts.take_block()) return std::nullopt;  // name of the algorithm
  return parts.take_block();
}

}  // namespace hamn::base
