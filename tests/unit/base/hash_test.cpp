#include "base/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace hamn::base {

// The vectors are those of FIPS 180-2 and of xxHash's own test program (XXH3, seed 0).

TEST(HashTest, KnowsTheVectorsOfSha256) {
  EXPECT_EQ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", sha256(""));
  EXPECT_EQ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", sha256("abc"));
  EXPECT_EQ("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"));
  EXPECT_EQ("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            sha256(std::string(1'000'000, 'a')));
}

TEST(HashTest, KnowsTheVectorsOfXxh3) {
  EXPECT_EQ("99aa06d3014798d86001c324468d497f", xxh128("").digits());
  EXPECT_EQ(0x2d06800538d394c2ULL, xxh64(""));
}

TEST(HashTest, GivesTheSameInPiecesAsAtOnce) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i);
  for (const std::size_t piece : {1UL, 7UL, 64UL, 4096UL, text.size()}) {
    Sha256 slow;
    Xxh128 fast;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      slow.add(std::string_view{text}.substr(at, piece));
      fast.add(std::string_view{text}.substr(at, piece));
    }
    EXPECT_EQ(sha256(text), slow.digits());
    EXPECT_EQ(xxh128(text), fast.value());
  }
}

TEST(HashTest, CanBeMovedWhileItCounts) {
  Sha256 slow;
  Xxh128 fast;
  slow.add("ab");
  fast.add("ab");
  Sha256 other_slow = std::move(slow);
  Xxh128 other_fast = std::move(fast);
  other_slow.add("c");
  other_fast.add("c");
  EXPECT_EQ(sha256("abc"), other_slow.digits());
  EXPECT_EQ(xxh128("abc"), other_fast.value());
}

TEST(HashTest, ShowsTheHighWordFirst) {
  EXPECT_EQ("0123456789abcdef0000000000000001",
            (Hash128{.low = 1, .high = 0x0123456789abcdefULL}).digits());
  EXPECT_TRUE(Hash128{}.is_zero());
  EXPECT_FALSE((Hash128{.low = 0, .high = 1}).is_zero());
  EXPECT_FALSE((Hash128{.low = 1, .high = 0}).is_zero());
}

TEST(HashTest, DrawsRandomDigitsThatDiffer) {
  std::set<std::string> drawn;
  for (int i = 0; i < 100; ++i) drawn.insert(random_digits(8));
  EXPECT_EQ(100U, drawn.size());
  for (const auto& digits : drawn) {
    EXPECT_EQ(16U, digits.size());
    EXPECT_EQ(std::string::npos, digits.find_first_not_of("0123456789abcdef"));
  }
  EXPECT_EQ("", random_digits(0));
}

}  // namespace hamn::base
