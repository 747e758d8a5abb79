#include "base/hash.h"

#include <openssl/evp.h>
#include <sys/random.h>
#include <xxhash.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"

namespace hamn::base {

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (context_->evp == nullptr || EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) != 1) {
    throw Error{{.what = "cannot compute SHA-256",
                 .detail = "OpenSSL refused the digest",
                 .hint = "check the installation of libssl3"}};
  }
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view data) {
  EVP_DigestUpdate(context_->evp, data.data(), data.size());
}

std::string Sha256::digits() {
  std::string digest(32, '\0');
  unsigned int size = 0;
  EVP_DigestFinal_ex(context_->evp, reinterpret_cast<unsigned char*>(digest.data()), &size);
  return hex(digest);
}

std::string sha256(std::string_view data) {
  Sha256 hash;
  hash.add(data);
  return hash.digits();
}

std::string Hash128::digits() const {
  std::string bytes;
  for (const std::uint64_t word : {high, low}) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(word >> shift & 0xffU);
  }
  return hex(bytes);
}

Hash128 xxh128(std::string_view data) {
  const auto hash = XXH3_128bits(data.data(), data.size());
  return {.low = hash.low64, .high = hash.high64};
}

std::uint64_t xxh64(std::string_view data) {
  return XXH3_64bits(data.data(), data.size());
}

struct Xxh128::State {
  XXH3_state_t* xxh = XXH3_createState();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { XXH3_freeState(xxh); }
};

Xxh128::Xxh128() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(state_->xxh);
}
Xxh128::~Xxh128() = default;
Xxh128::Xxh128(Xxh128&&) noexcept = default;
Xxh128& Xxh128::operator=(Xxh128&&) noexcept = default;

void Xxh128::add(std::string_view data) {
  XXH3_128bits_update(state_->xxh, data.data(), data.size());
}

Hash128 Xxh128::value() const {
  const auto hash = XXH3_128bits_digest(state_->xxh);
  return {.low = hash.low64, .high = hash.high64};
}

std::string random_digits(std::size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  for (std::size_t have = 0; have < size_bytes;) {
    const auto got = ::getrandom(bytes.data() + have, size_bytes - have, 0);
    if (got < 0 && errno != EINTR) {
      throw system_error("cannot get random bytes", errno, "check that /dev/urandom exists");
    }
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  return hex(bytes);
}

}  // namespace hamn::base
