#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "sync/delta.h"
#include "sync/file_set.h"
#include "sync/safety.h"
#include "sync/tree.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/sync/world.h"

namespace hamn::sync {
namespace {

TEST(FileSetTest, MatchesNamesAsAShellDoes) {
  struct Case {
    const char* pattern;
    const char* name;
    bool expected;
  };
  const Case cases[] = {{"id*", "id_rsa", true},
                        {"id*", "id", true},
                        {"id*", "authorized_keys", false},
                        {"install", "install", true},
                        {"install", "installer", false},
                        {"a?c", "abc", true},
                        {"a?c", "ac", false},
                        {"*", ".hidden", false},
                        {".x*", ".xcat", true},
                        {"*a*b*", "xxaxxbxx", true},
                        {"*a*b*", "xxbxxa", false},
                        {"**", "x", true},
                        {"", "", true},
                        {"a*", "", false}};
  for (const auto& each : cases) {
    EXPECT_EQ(matches(each.pattern, each.name), each.expected) << each.pattern << " " << each.name;
  }
}

TEST(FileSetTest, SplitsAPathIntoParentAndName) {
  const auto set =
      make_file_set({.name = "s", .paths = {"/install", "/etc/xcat/ca", "/root/.ssh/id*"}});
  EXPECT_EQ(set.roots[0], (Root{"/", "/", "install"}));
  EXPECT_EQ(set.roots[1], (Root{"/etc/xcat", "/etc/xcat", "ca"}));
  EXPECT_EQ(set.roots[2], (Root{"/root/.ssh", "/root/.ssh", "id*"}));
}

TEST(SafetyTest, RefusesASourceThatLostEverything) {
  EXPECT_NO_THROW(refuse_emptied_source("install", "/install", 0, 0));
  EXPECT_NO_THROW(refuse_emptied_source("install", "/install", 5, 1));
  try {
    refuse_emptied_source("install", "/install", 20'311, 0);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(
        error.detail(),
        "/install is empty or gone, but held 20,311 names at the last pass; is its file system "
        "mounted?");
    EXPECT_EQ(error.code(), base::Exit::refused);
  }
}

TEST(SafetyTest, CallsManyDeletionsOfALargePartAMassDeletion) {
  EXPECT_FALSE(is_mass_deletion(100, 100));
  EXPECT_TRUE(is_mass_deletion(101, 400));
  EXPECT_FALSE(is_mass_deletion(101, 404));
  EXPECT_FALSE(is_mass_deletion(5000, 20'000));
  EXPECT_TRUE(is_mass_deletion(5001, 20'000));
}

/// delta(signature(old), now) applied to old, in pieces of the given size.
std::string through_a_delta(const std::string& old, const std::string& now, std::size_t piece) {
  const test::TemporaryDirectory root;
  test::given_file(root / "old", old);
  const base::Fd basis{::open((root / "old").c_str(), O_RDONLY)};
  std::string signature;
  make_signature(basis.get(), block_length_for(old.size()),
                 [&](std::string_view bytes) { signature += bytes; });
  DeltaMaker maker{signature};
  std::string delta;
  const auto collect = [&](std::string_view bytes) { delta += bytes; };
  for (std::size_t at = 0; at < now.size(); at += piece)
    maker.feed(std::string_view{now}.substr(at, piece), collect);
  maker.finish(collect);
  std::string result;
  Patcher patcher{basis.get(), now.size(), [&](std::string_view bytes) { result += bytes; }};
  for (std::size_t at = 0; at < delta.size(); at += piece)
    patcher.feed(std::string_view{delta}.substr(at, piece));
  patcher.finish();
  return result;
}

TEST(DeltaTest, RebuildsTheNewFileForEveryKindOfChange) {
  const auto old = noise(200'000, 1);
  auto inserted = old;
  inserted.insert(777, "something new");
  for (const auto& now : {old, inserted, old.substr(5000), old.substr(0, 100'000), old + old,
                          std::string{}, noise(150'000, 2), std::string(100'000, 'z')}) {
    for (const std::size_t piece : {std::size_t{1000}, std::size_t{65536}}) {
      EXPECT_EQ(through_a_delta(old, now, piece), now);
    }
  }
  EXPECT_EQ(through_a_delta("", "from nothing", 5), "from nothing");
}

TEST(DeltaTest, RefusesSignaturesThatLibrsyncShouldNotSee) {
  EXPECT_THROW(DeltaMaker{""}, base::Error);
  EXPECT_THROW(DeltaMaker{std::string(12, '\0')}, base::Error);
  EXPECT_THROW(DeltaMaker{std::string("rs\x01\x47\0\0\0\0\0\0\0\x10", 12)}, base::Error);
  EXPECT_THROW(DeltaMaker{std::string("rs\x01\x47\x7f\xff\xff\xff\0\0\0\x10", 12)}, base::Error);
}

TEST(DeltaTest, NeverWritesMoreThanWasAnnounced) {
  const test::TemporaryDirectory root;
  test::given_file(root / "old", noise(50'000, 1));
  const base::Fd basis{::open((root / "old").c_str(), O_RDONLY)};
  std::string signature;
  make_signature(basis.get(), 1024, [&](std::string_view bytes) { signature += bytes; });
  DeltaMaker maker{signature};
  std::string delta;
  const auto collect = [&](std::string_view bytes) { delta += bytes; };
  maker.feed(noise(40'000, 2), collect);
  maker.finish(collect);
  std::size_t written = 0;
  Patcher patcher{basis.get(), 100, [&](std::string_view bytes) { written += bytes.size(); }};
  EXPECT_THROW(
      {
        patcher.feed(delta);
        patcher.finish();
      },
      base::Error);
  EXPECT_LE(written, 100U);
}

TEST(DeltaTest, RefusesADeltaThatIsCutOrGarbled) {
  const test::TemporaryDirectory root;
  test::given_file(root / "old", noise(20'000, 1));
  const base::Fd basis{::open((root / "old").c_str(), O_RDONLY)};
  for (const auto& bad : std::vector<std::string>{
           std::string{}, std::string{"garbage"}, std::string("rs\x02\x36\x54\xff", 6),
           std::string("rs\x02\x36\x54\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 14)}) {
    Patcher patcher{basis.get(), 1'000'000, [](std::string_view) {}};
    EXPECT_THROW(
        {
          patcher.feed(bad);
          patcher.finish();
        },
        base::Error);
  }
}

TEST(TreeTest, ReadsASmallFileTogetherWithItsAttributes) {
  const test::TemporaryDirectory root;
  test::given_file(root / "f", "content");
  const auto directory = open_source(root.path());
  const auto file = read_small(*directory, "f", 1000);
  EXPECT_EQ(file.result, SmallFile::Result::read);
  EXPECT_EQ(file.content, "content");
  EXPECT_EQ(file.entry.content, base::xxh128("content"));
  EXPECT_EQ(read_small(*directory, "missing", 1000).result, SmallFile::Result::vanished);
}

TEST(TreeTest, NeverTakesAFileThatGrewBeyondTheLimitForASmallOne) {
  const test::TemporaryDirectory root;
  test::given_file(root / "f", std::string(5000, 'x'));
  const auto directory = open_source(root.path());
  EXPECT_EQ(read_small(*directory, "f", 1000).result, SmallFile::Result::unstable);
}

TEST(TreeTest, NotesDevicesAndFifosWithoutOpeningThem) {
  const test::TemporaryDirectory root;
  ASSERT_EQ(::mkfifo((root / "fifo").c_str(), 0600), 0);
  const auto directory = open_source(root.path());
  const auto listing = list_source(*directory, make_moved_set("s", root.path(), root.path()),
                                   {.root = 0, .path = "x"});
  EXPECT_TRUE(listing.entries.empty());
  ASSERT_EQ(listing.problems.size(), 1U);
  EXPECT_EQ(listing.problems[0].kind, ProblemKind::special);
}

TEST(TreeTest, AFileThatWasJustChangedIsRacy) {
  const test::TemporaryDirectory root;
  test::given_file(root / "f", "1");
  const auto directory = open_source(root.path());
  EXPECT_TRUE(is_racy(read_small(*directory, "f", 10).entry));
  Entry old;
  old.changed.seconds = 1'000'000;
  EXPECT_FALSE(is_racy(old));
}

}  // namespace
}  // namespace hamn::sync
