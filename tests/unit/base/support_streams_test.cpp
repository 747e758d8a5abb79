#include <gtest/gtest.h>

#include <array>

#include "base/error.h"
#include "tests/support/broken_streams.h"

namespace hamn::test {

using base::Milliseconds;

namespace {

constexpr Milliseconds soon{200};

/// Reads until the end or until it fails; what came, with "!" behind it if it failed.
std::string drain(base::Stream& stream) {
  std::string all;
  std::array<char, 7> buffer{};
  for (;;) {
    try {
      const auto got = stream.read(buffer.data(), buffer.size(), soon);
      if (got == 0) return all;
      all.append(buffer.data(), got);
    } catch (const base::Error&) {
      return all + "!";
    }
  }
}

}  // namespace

TEST(CuttingStreamTest, LetsEverythingPassUntilItIsToldToCut) {
  auto [left, right] = base::make_stream_pair();
  CuttingStream stream{std::move(left)};
  stream.write("hello", soon);
  stream.close_write();
  EXPECT_EQ("hello", drain(*right));
  right->write("back", soon);
  right->close();
  EXPECT_EQ("back", drain(stream));
  EXPECT_EQ(5U, stream.passed(Direction::writing));
  EXPECT_EQ(4U, stream.passed(Direction::reading));
}

TEST(CuttingStreamTest, CutsInTheMiddleOfAWrite) {
  const std::string message = "0123456789";
  for (std::uint64_t n = 0; n < message.size(); ++n) {
    auto [left, right] = base::make_stream_pair();
    CuttingStream stream{std::move(left)};
    stream.cut_after(Direction::writing, n);
    EXPECT_THROW(stream.write(message, soon), base::Error);
    EXPECT_EQ(message.substr(0, n), drain(*right)) << "what came before the cut arrives";
    EXPECT_EQ(n, stream.passed(Direction::writing));
    EXPECT_EQ("!", drain(stream)) << "the other direction is gone too";
  }
}

TEST(CuttingStreamTest, CutsBetweenTwoWrites) {
  auto [left, right] = base::make_stream_pair();
  CuttingStream stream{std::move(left)};
  stream.cut_after(Direction::writing, 10);
  stream.write("01234", soon);
  stream.write("56789", soon);
  EXPECT_THROW(stream.write("x", soon), base::Error);
  EXPECT_EQ("0123456789", drain(*right));
}

TEST(CuttingStreamTest, CutsInTheMiddleOfARead) {
  const std::string message = "0123456789";
  for (std::uint64_t n = 0; n < message.size(); ++n) {
    auto [left, right] = base::make_stream_pair();
    CuttingStream stream{std::move(left)};
    stream.cut_after(Direction::reading, n);
    right->write(message, soon);
    EXPECT_EQ(message.substr(0, n) + "!", drain(stream));
    EXPECT_THROW(right->write(message, soon), base::Error) << "the peer notices";
  }
}

TEST(BitFlippingStreamTest, TurnsOverExactlyOneBitOfWhatIsWritten) {
  const std::string message = "ab\x01";
  for (std::uint64_t bit = 0; bit < message.size() * 8; ++bit) {
    auto [left, right] = base::make_stream_pair();
    BitFlippingStream stream{std::move(left)};
    stream.flip_bit(Direction::writing, bit);
    stream.write(message.substr(0, 1), soon);
    stream.write(message.substr(1), soon);
    stream.close_write();
    auto wanted = message;
    wanted[bit / 8] = static_cast<char>(wanted[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(wanted, drain(*right));
    EXPECT_TRUE(stream.has_flipped());
  }
}

TEST(BitFlippingStreamTest, TurnsOverExactlyOneBitOfWhatIsRead) {
  const std::string message = "0123456789abcdef";  // more than one read of the test
  for (std::uint64_t bit = 0; bit < message.size() * 8; ++bit) {
    auto [left, right] = base::make_stream_pair();
    BitFlippingStream stream{std::move(left)};
    stream.flip_bit(Direction::reading, bit);
    right->write(message, soon);
    right->close_write();
    auto wanted = message;
    wanted[bit / 8] = static_cast<char>(wanted[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(wanted, drain(stream));
  }
}

TEST(BitFlippingStreamTest, ChangesNothingBeyondItsBit) {
  auto [left, right] = base::make_stream_pair();
  BitFlippingStream stream{std::move(left)};
  stream.flip_bit(Direction::writing, 8 * 3);
  stream.write("abc", soon);
  EXPECT_FALSE(stream.has_flipped());
  stream.close_write();
  EXPECT_EQ("abc", drain(*right));
}

}  // namespace hamn::test
