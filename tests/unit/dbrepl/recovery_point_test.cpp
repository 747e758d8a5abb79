#include "dbrepl/recovery_point.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/hash.h"
#include "tests/support/temporary_directory.h"

namespace hamn::dbrepl {
namespace {

TablePoint table(const std::string& name, std::uint64_t rows, char content) {
  return {.name = name,
          .file = name + ".sqlite",
          .size_bytes = 12288,
          .sha256 = base::sha256(name),
          .rows = rows,
          .content = std::string(32, content),
          .position = "p"};
}

RecoveryPoint sample() {
  return {.id = "p0003-00000042",
          .generation = 42,
          .engine = "sqlite",
          .host = "mn1",
          .epoch = 3,
          .taken = base::parse_wall_time("2026-11-21T03:04:05.678Z").value(),
          .source_directory = "/etc/xcat",
          .position = "8e",
          .tables = {table("nodelist", 1003, 'a'), table("site", 41, 'b')}};
}

std::string problem_of(const RecoveryPoint& point) {
  try {
    (void)format_manifest(point);
  } catch (const base::Error& error) {
    EXPECT_FALSE(error.hint().empty());
    return error.detail();
  }
  return "none";
}

TEST(PointIdTest, SortsByEpochAndGeneration) {
  EXPECT_EQ(point_id(3, 42), "p0003-00000042");
  EXPECT_EQ(point_id(12345, 123456789), "p12345-123456789");
  EXPECT_EQ(parse_point_id("p0003-00000042"), (PointNumber{.epoch = 3, .generation = 42}));
  EXPECT_EQ(parse_point_id("p12345-123456789")->generation, 123456789U);
  EXPECT_LT((PointNumber{.epoch = 2, .generation = 99}),
            (PointNumber{.epoch = 3, .generation = 1}));
}

TEST(PointIdTest, TakesNothingElse) {
  for (const char* id : {"", "p", "p-", "p3-42", "p0003-42", "p00003-00000042", "x0003-00000042",
                         "p0003-00000042.new", "p0003-00000042 ", "p0003--0000042", "../p0003",
                         "p99999999999999999999-00000001"}) {
    EXPECT_FALSE(parse_point_id(id)) << id;
  }
}

TEST(ManifestTest, ReadsWhatItWrote) {
  const auto point = sample();
  EXPECT_EQ(parse_manifest(format_manifest(point), "m"), point);
}

TEST(ManifestTest, ReadsTheExampleInItsDocumentation) {
  const auto page = hamn::test::content_of(HAMN_SOURCE_DIRECTORY "/docs/formats/recovery-point.md");
  const auto begin = page.find("{\n \"engine\"");
  ASSERT_NE(begin, std::string::npos);
  const auto reading = read_manifest(page.substr(begin, page.find("```", begin) - begin));
  ASSERT_TRUE(reading.point) << reading.problem;
  EXPECT_EQ(reading.point->id, "p0003-00000042");
}

TEST(ManifestTest, AllowsNoTablesForWhatASwapReplaced) {
  auto point = sample();
  point.tables.clear();
  EXPECT_EQ(parse_manifest(format_manifest(point), "m"), point);
}

TEST(ManifestTest, FindsEveryTruncation) {
  const auto text = format_manifest(sample());
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto reading = read_manifest(text.substr(0, size));
    ASSERT_FALSE(reading.point) << size;
    ASSERT_FALSE(reading.problem.empty()) << size;
  }
}

TEST(ManifestTest, FindsEveryFlippedBit) {
  const auto text = format_manifest(sample());
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto damaged = text;
      damaged[i] = static_cast<char>(static_cast<unsigned char>(damaged[i]) ^ (1U << bit));
      ASSERT_FALSE(read_manifest(damaged).point) << "byte " << i << ", bit " << bit;
    }
  }
}

TEST(ManifestTest, RefusesOtherWordsForTheSame) {
  const auto text = format_manifest(sample());
  auto with_more = text;
  with_more.insert(with_more.find('{') + 1, "\n \"aaa\": 1,");
  EXPECT_FALSE(read_manifest(with_more).point);
  EXPECT_FALSE(read_manifest(text + " ").point);
}

TEST(ManifestTest, NamesThePathAndTheProblem) {
  try {
    (void)parse_manifest("[]", "/var/lib/hamn/database/incoming/manifest.json");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_STREQ(error.what(), "cannot trust /var/lib/hamn/database/incoming/manifest.json");
    EXPECT_EQ(error.detail(), "it is not a JSON object");
  }
}

TEST(ManifestTest, RefusesNamesThatLeaveTheDirectory) {
  for (const char* name : {"../passwd", "a/b", "", ".", "..", ".hidden", "a b", "a\nb", "ä"}) {
    auto point = sample();
    point.tables = {table(name, 1, 'a')};
    EXPECT_EQ(problem_of(point), "a table name is not a plain file name") << name;
  }
}

TEST(ManifestTest, RefusesAnyFileForATableButItsOwn) {
  auto point = sample();
  point.tables[0].file = "cfgloc";
  EXPECT_EQ(problem_of(point), "the file name of nodelist is impossible");
  point.engine = "postgresql";
  point.tables[0].file = "manifest.json";
  EXPECT_EQ(problem_of(point), "the file name of nodelist is impossible");
  point.tables[0].file = "xcatdb.fc";
  EXPECT_EQ(problem_of(point), "none");
}

TEST(ManifestTest, RefusesImpossibleValues) {
  const auto with = [](auto change) {
    auto point = sample();
    change(point);
    return problem_of(point);
  };
  using Point = RecoveryPoint&;
  EXPECT_EQ(with([](Point p) { p.id = "p0003-00000041"; }), "its id does not fit its number");
  EXPECT_EQ(with([](Point p) { p.host = ""; }), "its host is not plain text");
  EXPECT_EQ(with([](Point p) { p.host = "a\x1b[2J"; }), "its host is not plain text");
  EXPECT_EQ(with([](Point p) { p.host = "\xff"; }), "its host is not plain text");
  EXPECT_EQ(with([](Point p) { p.engine = "sq/lite"; }), "its engine is not a plain word");
  EXPECT_EQ(with([](Point p) { p.source_directory = std::string(5000, 'x'); }),
            "its source directory is not plain text");
  EXPECT_EQ(with([](Point p) { p.tables[0].size_bytes = 1ULL << 50U; }),
            "nodelist is impossibly large");
  EXPECT_EQ(with([](Point p) { p.tables[0].rows = ~0ULL; }), "nodelist has impossibly many rows");
  EXPECT_EQ(with([](Point p) { p.tables[0].sha256 = "00"; }), "the SHA-256 of nodelist is not one");
  EXPECT_EQ(with([](Point p) { p.tables[0].content = "xyz"; }),
            "the content hash of nodelist is not one");
  EXPECT_EQ(with([](Point p) { std::swap(p.tables[0], p.tables[1]); }),
            "its tables are not sorted, or one is there twice");
  EXPECT_EQ(with([](Point p) { p.tables[1] = p.tables[0]; }),
            "its tables are not sorted, or one is there twice");
  EXPECT_EQ(with([](Point p) {
              p.generation = 1ULL << 60U;
              p.id = point_id(p.epoch, p.generation);
            }),
            "its number is impossibly high");
}

TEST(DifferencesTest, NamesEveryTableThatDiffers) {
  const std::vector<TablePoint> wanted{table("a", 1003, 'a'), table("b", 2, 'a'),
                                       table("c", 3, 'a'), table("d", 4, 'a')};
  const std::vector<TablePoint> found{table("a", 1002, 'a'), table("b", 2, 'b'), table("d", 4, 'a'),
                                      table("e", 5, 'a')};
  EXPECT_EQ(
      differences(wanted, found),
      (std::vector<std::string>{"a: 1,002 rows instead of 1,003", "b: other content in its 2 rows",
                                "c: is missing", "e: should not be there"}));
  EXPECT_TRUE(differences(wanted, wanted).empty());
}

TEST(ContentDigestTest, FollowsNamesRowsAndContent) {
  const std::vector<TablePoint> tables{table("a", 1, 'a'), table("b", 2, 'b')};
  auto other = tables;
  other[0].sha256 = base::sha256("other pages");
  other[0].position = "elsewhere";
  EXPECT_EQ(content_digest(tables), content_digest(other));
  other[0].content = std::string(32, 'c');
  EXPECT_NE(content_digest(tables), content_digest(other));
}

}  // namespace
}  // namespace hamn::dbrepl
