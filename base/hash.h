#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace hamn::base {

/// SHA-256 as 64 hexadecimal digits: where a reader must not be able to forge (journal chain, plan
/// digests, manifests of recovery points).
[[nodiscard]] std::string sha256(std::string_view data);

/// SHA-256 of something that comes in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void add(std::string_view data);
  /// Digits of all that was added. Nothing can be added after it.
  [[nodiscard]] std::string digits();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// 128 bits of XXH3: against accidents, not against forgery. File contents travel inside ssh, whose
/// MAC keeps forgers out; at 10 GB/s and more XXH3 costs a tenth of SHA-256.
struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
  [[nodiscard]] bool is_zero() const noexcept { return low == 0 && high == 0; }
  [[nodiscard]] std::string digits() const;
};

/// XXH3 of a text that is there as a whole, in 128 or 64 bits.
[[nodiscard]] Hash128 xxh128(std::string_view data);
[[nodiscard]] std::uint64_t xxh64(std::string_view data);

/// XXH3-128 of something that comes in pieces.
class Xxh128 {
 public:
  Xxh128();
  ~Xxh128();
  Xxh128(Xxh128&&) noexcept;
  Xxh128& operator=(Xxh128&&) noexcept;
  void add(std::string_view data);
  [[nodiscard]] Hash128 value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `size` bytes from the kernel's random generator, as hexadecimal digits.
[[nodiscard]] std::string random_digits(std::size_t size_bytes);

}  // namespace hamn::base
