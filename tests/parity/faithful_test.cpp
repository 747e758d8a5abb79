// hamn's profile "faithful" against a real `rsync -aHAXS --numeric-ids`.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "tests/parity/pair.h"

namespace hamn::parity {
namespace {

namespace fs = std::filesystem;

constexpr unsigned seeds = 30;
constexpr Aspects everything{.links = true, .attributes = true};
constexpr Ingredients all_kinds{
    .hard_links = true, .specials = true, .attributes = true, .outside_links = true};

Pair faithful_pair(bool deletes = false) {
  std::vector<std::string> options{"-aHAXS", "--numeric-ids"};
  if (deletes) options.emplace_back("--delete");
  return Pair{options, sync::Profile::faithful};
}

TEST(FaithfulParityTest, GeneratedTreesArriveAsRsyncBringsThem) {
  std::string seen;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    auto pair = faithful_pair();
    TreeMaker maker{pair.world.source("data"), all_kinds, seed};
    maker.make();
    for (int pass = 0; pass < 3; ++pass) {
      pair.send();
      EXPECT_EQ(pair.exit_code, 0) << pair.output;
      EXPECT_EQ(pair.result.problem_count, 0U);
      EXPECT_EQ(pair.compare(everything), "") << "pass " << pass;
      if (pass == 0) {
        for (const auto& [path, line] : observe(pair.world.target(""), everything)) seen += line;
      }
      maker.change(false);
    }
  }
  for (const std::string part :
       {"link to", "fifo", "socket", "character", "block", "names 3", "user.colour", "trusted.test",
        "posix_acl_access", "posix_acl_default", "security.capability"}) {
    EXPECT_NE(seen.find(part), std::string::npos) << "no tree had: " << part;
  }
}

TEST(FaithfulParityTest, ACopyMadeWithLinksFollowedBecomesAFaithfulOneWhereNothingStandsInTheWay) {
  Pair pair{{"-Lprgotz"}, sync::Profile::compat};
  pair.world.given("real/file", "content");
  fs::create_symlink("real/file", pair.world.source("data/link"));
  pair.send();
  pair.options = {"-aHAXS", "--numeric-ids"};
  pair.world.set.profile = sync::Profile::faithful;
  pair.send();
  EXPECT_EQ(pair.compare(everything), "");
  EXPECT_TRUE(fs::is_symlink(pair.world.target("data/link")));
}

TEST(FaithfulParityTest, BlocksOfZerosTakeNoSpaceOnEitherSide) {
  auto pair = faithful_pair();
  std::string content(8U << 20U, '\0');
  content.replace(5U << 20U, 4, "data");
  pair.world.given("sparse", content);
  pair.send();
  EXPECT_EQ(pair.compare(everything), "");
  EXPECT_LE(space_of(pair.world.target("data")), space_of(pair.reference("data")));
}

TEST(FaithfulParityTest, AnUnchangedTreeIsNotSentAgain) {
  auto pair = faithful_pair();
  TreeMaker maker{pair.world.source("data"), all_kinds, 7};
  maker.make();
  pair.send();
  ::usleep(60'000);
  pair.result = pair.world.pass();
  const auto again = pair.world.pass();
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.files_sent, 0U);
  EXPECT_LT(again.wire_bytes, 500U);
}

// The differences, in the order of docs/rsync-differences.md.

TEST(FaithfulDifferenceTest, OneLabelsOfAHostsOwnPolicyStay) {
  auto pair = faithful_pair();
  pair.world.given("file", "content");
  const std::string label = "system_u:object_r:etc_t:s0";
  ASSERT_EQ(::setxattr(pair.world.source("data/file").c_str(), "security.ima", label.data(),
                       label.size(), 0),
            0);
  pair.send();
  std::array<char, 100> value{};
  EXPECT_LT(::getxattr(pair.world.target("data/file").c_str(), "security.ima", value.data(),
                       value.size()),
            0);
  EXPECT_GT(
      ::getxattr(pair.reference("data/file").c_str(), "security.ima", value.data(), value.size()),
      0);
}

TEST(FaithfulDifferenceTest, TwoARootThatIsALinkIsFollowed) {
  auto pair = faithful_pair();
  test::given_file(pair.world.source("real/file"), "content");
  fs::remove(pair.world.source("data"));
  fs::create_directory_symlink("real", pair.world.source("data"));
  pair.send();
  EXPECT_EQ(test::content_of(pair.world.target("data/file")), "content");
  EXPECT_FALSE(fs::is_symlink(pair.world.target("data")));
  EXPECT_TRUE(fs::is_symlink(pair.reference("data")));
}

TEST(FaithfulDifferenceTest, ThreeAFileWithANameTooManyIsMadeAnew) {
  auto pair = faithful_pair();
  pair.world.given("file", "content");
  pair.send();
  for (const auto& place : {pair.world.target("data"), pair.reference("data")}) {
    fs::create_hard_link(place + "/file", place + "/another");
  }
  ::chmod(pair.world.source("data/file").c_str(), 0600);
  pair.send();
  EXPECT_EQ(fs::hard_link_count(pair.world.target("data/file")), 1U);
  EXPECT_EQ(fs::hard_link_count(pair.reference("data/file")), 2U);
}

}  // namespace
}  // namespace hamn::parity
