#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/stream.h"

namespace hamn::test {

/// Seen from the side that holds the stream.
enum class Direction { reading, writing };

/// A stream that breaks after so many bytes in one direction, in the middle of a read or a write
/// too: both sides lose it, as with a connection that was cut. What came before the cut arrives.
class CuttingStream : public base::Stream {
 public:
  explicit CuttingStream(std::unique_ptr<base::Stream> inner) : inner_(std::move(inner)) {}
  /// May be called once per direction. 0: nothing passes.
  void cut_after(Direction direction, std::uint64_t size_bytes);
  /// So many bytes passed.
  [[nodiscard]] std::uint64_t passed(Direction direction) const;

  [[nodiscard]] std::size_t read(char* buffer, std::size_t size, base::Milliseconds limit) override;
  void write(std::string_view data, base::Milliseconds limit) override;
  void close_write() override { inner_->close_write(); }
  void close() noexcept override { inner_->close(); }
  [[nodiscard]] base::Ending finish(base::Milliseconds limit) override {
    return inner_->finish(limit);
  }

 private:
  [[noreturn]] void break_off();

  std::unique_ptr<base::Stream> inner_;
  std::optional<std::uint64_t> read_limit_;
  std::optional<std::uint64_t> write_limit_;
  std::atomic<std::uint64_t> read_{0};
  std::atomic<std::uint64_t> written_{0};
};

/// A stream that turns over one bit in one direction. Bit n is bit n % 8 (from the least) of byte
/// n / 8 of everything that passes in that direction.
class BitFlippingStream : public base::Stream {
 public:
  explicit BitFlippingStream(std::unique_ptr<base::Stream> inner) : inner_(std::move(inner)) {}
  void flip_bit(Direction direction, std::uint64_t bit);
  /// True once the bit was turned over.
  [[nodiscard]] bool has_flipped() const { return flipped_; }

  [[nodiscard]] std::size_t read(char* buffer, std::size_t size, base::Milliseconds limit) override;
  void write(std::string_view data, base::Milliseconds limit) override;
  void close_write() override { inner_->close_write(); }
  void close() noexcept override { inner_->close(); }
  [[nodiscard]] base::Ending finish(base::Milliseconds limit) override {
    return inner_->finish(limit);
  }

 private:
  void flip(char* bytes, std::size_t size, std::uint64_t passed, std::optional<std::uint64_t> bit);

  std::unique_ptr<base::Stream> inner_;
  std::optional<std::uint64_t> read_bit_;
  std::optional<std::uint64_t> write_bit_;
  std::uint64_t read_ = 0;
  std::uint64_t written_ = 0;
  std::atomic<bool> flipped_{false};
};

}  // namespace hamn::test
