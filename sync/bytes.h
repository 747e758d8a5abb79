#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hamn::sync {

/// Builds a message: little-endian fixed numbers, LEB128 variable ones, length-prefixed texts.
class ByteWriter {
 public:
  void byte(std::uint8_t value) { bytes_ += static_cast<char>(value); }
  void number(std::uint64_t value);
  /// Zigzag-coded, for seconds before 1970.
  void signed_number(std::int64_t value);
  void fixed64(std::uint64_t value);
  void text(std::string_view value);
  [[nodiscard]] std::string take() { return std::move(bytes_); }
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

/// Takes a message apart. Every step checks what is left; a message that is too short, too long or
/// out of range throws Error ("the peer sent a damaged message").
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  [[nodiscard]] std::uint8_t byte();
  /// Throws beyond `largest`.
  [[nodiscard]] std::uint64_t number(std::uint64_t largest = UINT64_MAX);
  [[nodiscard]] std::int64_t signed_number();
  [[nodiscard]] std::uint64_t fixed64();
  [[nodiscard]] std::string text(std::size_t longest);
  /// Everything that is left.
  [[nodiscard]] std::string_view rest();
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  void expect_end() const;

 private:
  std::string_view rest_;
};

/// Throws the Error for a message that breaks the rules; `why` names the rule.
[[noreturn]] void damaged_message(const std::string& why);

}  // namespace hamn::sync
