#include "base/text.h"

#include <gtest/gtest.h>

#include "base/disk.h"
#include "base/local_host.h"

namespace hamn::base {

using std::chrono::milliseconds;
using Words = std::vector<std::string>;

TEST(TextTest, TrimsBlanksAtBothEndsOnly) {
  EXPECT_EQ("", trim(""));
  EXPECT_EQ("", trim(" \t\r\n\v\f"));
  EXPECT_EQ("a b", trim("\n a b\t"));
  EXPECT_EQ("x", trim("x"));
}

TEST(TextTest, SplitsIntoAllPartsTheEmptyOnesToo) {
  EXPECT_EQ((Words{""}), split("", ','));
  EXPECT_EQ((Words{"a"}), split("a", ','));
  EXPECT_EQ((Words{"", "a", "", "b", ""}), split(",a,,b,", ','));
}

TEST(TextTest, SplitsIntoLinesWithOrWithoutTheLastNewline) {
  EXPECT_EQ((Words{}), lines_of(""));
  EXPECT_EQ((Words{""}), lines_of("\n"));
  EXPECT_EQ((Words{"a", "b"}), lines_of("a\nb"));
  EXPECT_EQ((Words{"a", "b"}), lines_of("a\nb\n"));
  EXPECT_EQ((Words{"a", "", "b"}), lines_of("a\n\nb"));
}

TEST(TextTest, SplitsIntoWordsAtRunsOfBlanks) {
  EXPECT_EQ((Words{}), words_of(" \t "));
  EXPECT_EQ((Words{"a", "bc", "d"}), words_of("  a\tbc \n d "));
}

TEST(TextTest, JoinsWithTheSeparatorBetweenParts) {
  EXPECT_EQ("", join({}, ", "));
  EXPECT_EQ("a", join({"a"}, ", "));
  EXPECT_EQ("a, , a", join({"a", "", "a"}, ", "));
}

TEST(TextTest, EscapesWhateverCouldWriteToATerminal) {
  struct Case {
    std::string text;
    const char* shown;
  };
  const std::vector<Case> cases{{"plain ünïcode €, 𝄞", "plain ünïcode €, 𝄞"},
                                {"\x1b[31mred", "\\x1b[31mred"},
                                {"two\nlines\r", "two\\x0alines\\x0d"},
                                {std::string{"nul\0", 4}, "nul\\x00"},
                                {"del\x7f", "del\\x7f"},
                                {"csi\xc2\x9b", "csi\\xc2\\x9b"},  // C1 in UTF-8
                                {"\xc2\x80\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9f\xc2\xa0"},
                                {"\x9b", "\\x9b"},  // C1 as a single byte
                                {"torn \xe2\x82", "torn \\xe2\\x82"},
                                {"overlong \xc0\xaf", "overlong \\xc0\\xaf"},
                                {"overlong \xe0\x80\xaf", "overlong \\xe0\\x80\\xaf"},
                                {"overlong \xf0\x80\x80\x80", "overlong \\xf0\\x80\\x80\\x80"},
                                {"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
                                {"beyond \xf4\x90\x80\x80", "beyond \\xf4\\x90\\x80\\x80"},
                                {"highest \xf4\x8f\xbf\xbf", "highest \xf4\x8f\xbf\xbf"},
                                {"latin \xe4rger", "latin \\xe4rger"},
                                {"\xff\xfe", "\\xff\\xfe"}};
  for (const auto& each : cases) EXPECT_EQ(each.shown, printable(each.text)) << each.shown;
}

TEST(TextTest, IndentsTheLinesAfterTheFirstAndEscapesTheRest) {
  EXPECT_EQ("", indent_following_lines("", 2));
  EXPECT_EQ("one", indent_following_lines("one\n", 2));
  EXPECT_EQ("one\n    two\\x1b\n    three", indent_following_lines("one\ntwo\x1b\nthree", 4));
}

TEST(TextTest, QuotesWordsOnlyWhereAShellNeedsIt) {
  EXPECT_EQ("''", shell_word(""));
  EXPECT_EQ("/etc/hosts", shell_word("/etc/hosts"));
  EXPECT_EQ("a=b,c:%d@e+f_g-h", shell_word("a=b,c:%d@e+f_g-h"));
  EXPECT_EQ("'a b'", shell_word("a b"));
  EXPECT_EQ("'$HOME'", shell_word("$HOME"));
  EXPECT_EQ("'it'\\''s'", shell_word("it's"));
  EXPECT_EQ("'~root'", shell_word("~root"));
  EXPECT_EQ("cp 'a b' c", shell_line({"cp", "a b", "c"}));
}

TEST(TextTest, QuotesEveryByteSoThatAShellGivesItBack) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  const Words words{all, "", "'", "''", "-n", "a\nb", "\\", "~", "#x", "{a,b}", "*"};
  RealDisk disk;
  LocalHost host{"here", disk};
  for (const char* shell : {"/bin/sh", "/bin/bash"}) {
    for (const auto& word : words) {
      const auto line = "printf %s " + shell_word(word);
      const auto outcome = host.run({.argv = {shell, "-c", line}});
      EXPECT_EQ(word, outcome.output) << shell << ": " << line;
      EXPECT_EQ("", outcome.error_output);
    }
  }
}

TEST(TextTest, FindsTheCandidateThatWasProbablyMeant) {
  const Words keys{"address", "interface", "hostname", "style"};
  EXPECT_EQ("address", nearest("adress", keys));
  EXPECT_EQ("address", nearest("addresses", keys));
  EXPECT_EQ("hostname", nearest("host_name", keys));
  EXPECT_EQ("interface", nearest("inteface", keys));
  EXPECT_EQ("style", nearest("style", keys));
  EXPECT_EQ(std::nullopt, nearest("gateway", keys));
  EXPECT_EQ(std::nullopt, nearest("", keys));
  EXPECT_EQ(std::nullopt, nearest("address", {}));
}

TEST(TextTest, PrefersTheNearerOfTwoCandidates) {
  EXPECT_EQ("keep_points", nearest("keep_point", {"keep_pints", "keep_points"}));
}

TEST(TextTest, WritesSizesForPeople) {
  struct Case {
    std::uint64_t size_bytes;
    const char* text;
  };
  const std::vector<Case> cases{{0, "0 B"},
                                {1023, "1023 B"},
                                {1024, "1.0 KiB"},
                                {1536, "1.5 KiB"},
                                {10188, "9.9 KiB"},
                                {10200, "10 KiB"},
                                {1048063, "1023 KiB"},
                                {1048575, "1.0 MiB"},
                                {1ULL << 30U, "1.0 GiB"},
                                {3ULL << 40U, "3.0 TiB"},
                                {UINT64_MAX, "16 EiB"}};
  for (const auto& each : cases) EXPECT_EQ(each.text, human_size(each.size_bytes));
}

TEST(TextTest, WritesDurationsForPeople) {
  struct Case {
    milliseconds duration;
    const char* text;
  };
  const std::vector<Case> cases{{milliseconds{0}, "0 ms"},
                                {milliseconds{85}, "85 ms"},
                                {milliseconds{999}, "999 ms"},
                                {milliseconds{1000}, "1.00 s"},
                                {milliseconds{1424}, "1.42 s"},
                                {milliseconds{9994}, "9.99 s"},
                                {milliseconds{9996}, "10.0 s"},
                                {milliseconds{59949}, "59.9 s"},
                                {milliseconds{59951}, "1 min"},
                                {milliseconds{125'000}, "2 min 5 s"},
                                {milliseconds{3'600'000}, "1 h"},
                                {milliseconds{3'605'000}, "1 h"},
                                {milliseconds{5'400'000}, "1 h 30 min"},
                                {milliseconds{273'600'000}, "3 d 4 h"},
                                {milliseconds{-1500}, "-1.50 s"}};
  for (const auto& each : cases) EXPECT_EQ(each.text, human_duration(each.duration));
  EXPECT_EQ("1.00 s", human_duration(std::chrono::nanoseconds{999'700'000}));
  EXPECT_EQ("0 ms", human_duration(std::chrono::nanoseconds{1}));
  // More than the 292 years that 64 bits of nanoseconds hold.
  EXPECT_EQ("2932896 d 23 h", human_duration(milliseconds{253'402'300'799'999}));
}

TEST(TextTest, WritesCountsInGroupsOfThree) {
  EXPECT_EQ("0", human_count(0));
  EXPECT_EQ("999", human_count(999));
  EXPECT_EQ("1,000", human_count(1000));
  EXPECT_EQ("1,234,567", human_count(1234567));
  EXPECT_EQ("18,446,744,073,709,551,615", human_count(UINT64_MAX));
}

TEST(TextTest, ReadsUnsignedNumbersStrictly) {
  EXPECT_EQ(0U, parse_unsigned("0"));
  EXPECT_EQ(7U, parse_unsigned("007"));
  EXPECT_EQ(UINT64_MAX, parse_unsigned("18446744073709551615"));
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "18446744073709551616", "a"}) {
    EXPECT_EQ(std::nullopt, parse_unsigned(bad)) << bad;
  }
}

TEST(TextTest, ReadsDurations) {
  struct Case {
    const char* text;
    milliseconds duration;
  };
  const std::vector<Case> cases{{"0s", milliseconds{0}},
                                {"250ms", milliseconds{250}},
                                {"90s", milliseconds{90'000}},
                                {"5min", milliseconds{300'000}},
                                {"2h", milliseconds{7'200'000}},
                                {"1d", milliseconds{86'400'000}},
                                {"2w", milliseconds{1'209'600'000}},
                                {"1h30min", milliseconds{5'400'000}},
                                {"1h 30min 1s", milliseconds{5'401'000}},
                                {"1000d", milliseconds{86'400'000'000}}};
  for (const auto& each : cases) EXPECT_EQ(each.duration, parse_duration(each.text)) << each.text;
}

TEST(TextTest, RefusesWhatIsNotADuration) {
  for (const char* bad : {"", "5", "s", "5m", "5 min", "-5s", "+5s", "1.5h", "5S", "1h ", " 1h",
                          "1h  30min", "1h30", "99999999999999999999s", "1000000000d", "5sec"}) {
    EXPECT_EQ(std::nullopt, parse_duration(bad)) << bad;
  }
}

TEST(TextTest, HexAndUnhexAreInverse) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ("00ff10", hex(std::string{"\x00\xff\x10", 3}));
  EXPECT_EQ(all, unhex(hex(all)));
  EXPECT_EQ("", unhex(""));
  for (const char* bad : {"0", "0g", "AB", " 00", "0x00"}) EXPECT_EQ(std::nullopt, unhex(bad));
}

}  // namespace hamn::base
