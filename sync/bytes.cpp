#include "sync/bytes.h"

#include "base/error.h"

namespace hamn::sync {

void damaged_message(const std::string& why) {
  throw base::Error{{.what = "the peer sent a message that hamn does not accept",
                     .detail = why,
                     .hint = "check that both hosts run the same version: hamn --version"}};
}

void ByteWriter::number(std::uint64_t value) {
  while (value >= 0x80) {
    byte(static_cast<std::uint8_t>(value | 0x80U));
    value >>= 7U;
  }
  byte(static_cast<std::uint8_t>(value));
}

void ByteWriter::signed_number(std::int64_t value) {
  number((static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63));
}

void ByteWriter::fixed64(std::uint64_t value) {
  for (int i = 0; i < 8; ++i) {
    byte(static_cast<std::uint8_t>(value));
    value >>= 8U;
  }
}

void ByteWriter::text(std::string_view value) {
  number(value.size());
  bytes_ += value;
}

std::uint8_t ByteReader::byte() {
  if (rest_.empty()) damaged_message("it ends too early");
  const auto value = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return value;
}

std::uint64_t ByteReader::number(std::uint64_t largest) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint64_t part = byte();
    if (shift == 63 && part > 1) damaged_message("a number has more than 64 bits");
    value |= (part & 0x7fU) << shift;
    if ((part & 0x80U) == 0) break;
    if (shift == 63) damaged_message("a number has more than 64 bits");
  }
  if (value > largest) damaged_message("a number is out of range");
  return value;
}

std::int64_t ByteReader::signed_number() {
  const auto coded = number();
  return static_cast<std::int64_t>(coded >> 1U) ^ -static_cast<std::int64_t>(coded & 1U);
}

std::uint64_t ByteReader::fixed64() {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{byte()} << (8 * i);
  return value;
}

std::string ByteReader::text(std::size_t longest) {
  const auto size = number(longest);
  if (size > rest_.size()) damaged_message("a text is longer than its message");
  std::string value{rest_.substr(0, size)};
  rest_.remove_prefix(size);
  return value;
}

std::string_view ByteReader::rest() {
  const auto all = rest_;
  rest_ = {};
  return all;
}

void ByteReader::expect_end() const {
  if (!rest_.empty()) damaged_message("it is longer than it should be");
}

}  // namespace hamn::sync
