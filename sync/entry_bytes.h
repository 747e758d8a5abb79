#pragma once

#include "base/hash.h"
#include "sync/bytes.h"
#include "sync/entry.h"

namespace hamn::sync {

/// Parts that several messages and the index share. Writing and reading belong together; reading
/// throws Error for anything that an honest peer would not send. Internal to the wire. Pure.

constexpr std::size_t longest_name = 255;
constexpr std::uint64_t largest_size = 1ULL << 62U;
/// Of a symbolic link: what the kernel takes [bytes].
constexpr std::size_t longest_target = 4095;
/// Of all extended attributes of one file together: a message has to hold them beside a small
/// file's content [bytes].
constexpr std::size_t most_attribute_bytes = 256U << 10U;

/// 0 or 1.
void write_flag(ByteWriter& out, bool flag);
/// As write_flag() wrote it.
[[nodiscard]] bool read_flag(ByteReader& in);
/// Sixteen bytes.
void write_hash(ByteWriter& out, const base::Hash128& hash);
/// As write_hash() wrote it.
[[nodiscard]] base::Hash128 read_hash(ByteReader& in);
/// Seconds and nanoseconds.
void write_time(ByteWriter& out, const base::FileTime& time);
/// As write_time() wrote it; nanoseconds below a second.
[[nodiscard]] base::FileTime read_time(ByteReader& in);
/// One component of a path.
[[nodiscard]] std::string read_name(ByteReader& in);
/// The number of a directory that was declared before.
[[nodiscard]] std::uint32_t read_directory(ByteReader& in);

/// A value of an enumeration that counts from 1 to `largest`.
template <typename Enumeration>
[[nodiscard]] Enumeration read_enumeration(ByteReader& in, std::uint8_t largest) {
  const auto value = in.byte();
  if (value == 0 || value > largest) damaged_message("an unknown kind");
  return static_cast<Enumeration>(value);
}

/// True for the extended attributes that a faithful set carries: those of users and of trusted
/// programs, security.* but for the labels that a host's own policy gives, and access control
/// lists.
[[nodiscard]] bool is_carried_attribute(std::string_view name);

}  // namespace hamn::sync
