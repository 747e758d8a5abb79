#include "tests/support/broken_streams.h"

#include <algorithm>

#include "base/error.h"

namespace hamn::test {

void CuttingStream::cut_after(Direction direction, std::uint64_t size_bytes) {
  (direction == Direction::reading ? read_limit_ : write_limit_) = size_bytes;
}

std::uint64_t CuttingStream::passed(Direction direction) const {
  return direction == Direction::reading ? read_ : written_;
}

void CuttingStream::break_off() {
  inner_->close();
  throw base::Error{{.what = "the connection was cut",
                     .detail = "the test said so",
                     .hint = "look at CuttingStream::cut_after()"}};
}

std::size_t CuttingStream::read(char* buffer, std::size_t size, base::Milliseconds limit) {
  if (read_limit_) {
    const auto left = *read_limit_ - std::min(*read_limit_, read_.load());
    if (left == 0) break_off();
    size = std::min<std::uint64_t>(size, left);
  }
  const auto got = inner_->read(buffer, size, limit);
  read_ += got;
  return got;
}

void CuttingStream::write(std::string_view data, base::Milliseconds limit) {
  const auto left = write_limit_.value_or(written_ + data.size() + 1) - written_;
  const auto part = data.substr(0, std::min<std::uint64_t>(data.size(), left));
  inner_->write(part, limit);
  written_ += part.size();
  if (part.size() < data.size()) break_off();
}

void BitFlippingStream::flip_bit(Direction direction, std::uint64_t bit) {
  (direction == Direction::reading ? read_bit_ : write_bit_) = bit;
}

void BitFlippingStream::flip(char* bytes, std::size_t size, std::uint64_t passed,
                             std::optional<std::uint64_t> bit) {
  if (!bit || *bit / 8 < passed || *bit / 8 >= passed + size) return;
  char& byte = bytes[*bit / 8 - passed];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << (*bit % 8)));
  flipped_ = true;
}

std::size_t BitFlippingStream::read(char* buffer, std::size_t size, base::Milliseconds limit) {
  const auto got = inner_->read(buffer, size, limit);
  flip(buffer, got, read_, read_bit_);
  read_ += got;
  return got;
}

void BitFlippingStream::write(std::string_view data, base::Milliseconds limit) {
  std::string copy{data};
  flip(copy.data(), copy.size(), written_, write_bit_);
  written_ += copy.size();
  inner_->write(copy, limit);
}

}  // namespace hamn::test
