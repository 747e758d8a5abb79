// What filters let through, against the decisions of a real rsync.

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "base/text.h"
#include "tests/parity/pair.h"

namespace hamn::parity {
namespace {

/// A tree of few short names, so that random patterns meet them.
void given_tree(sync::World& world) {
  for (const std::string a : {"a", "b", "ab", "a.o", "[x]", "new\nline"}) {
    world.given(a + ".d/" + a, "1");
    for (const std::string b : {"a", "b", "c.o", ".h"}) {
      world.given("d/" + b + ".d/" + a, "2");
      world.given(a + ".d/" + b + ".d/x/" + b, "3");
    }
  }
}

class RandomRules {
 public:
  explicit RandomRules(unsigned seed) : random_(seed) {}
  std::vector<std::string> rules() {
    std::vector<std::string> all;
    for (auto count = 1 + below(4); count > 0; --count) {
      all.push_back((below(2) == 0 ? "+ " : "- ") + pattern());
    }
    if (below(3) == 0) all.insert(all.begin(), "+ */");
    if (below(3) == 0) all.emplace_back("- *");
    return all;
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  std::string pattern() {
    static const std::array<std::string, 18> parts{
        "a",    "b",     "x", "*",   "**",          "?",        "a.d", "*.d", "*.o",
        "[ab]", "[!a]*", "d", "***", "[[:lower:]]", "\\[x\\]*", ".h*", "a*",  "c.o"};
    std::string text;
    if (below(4) == 0) text = "/";  // the root of the transfer
    for (auto count = 1 + below(3); count > 0; --count) {
      text += parts[below(parts.size())];
      if (count > 1 && below(4) != 0) text += "/";
    }
    if (below(5) == 0) text += "/";
    return text;
  }
  std::mt19937 random_;
};

TEST(FilterParityTest, RandomRulesLetThroughWhatRsyncLetsThrough) {
  std::size_t left_out = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    Pair pair{{}};
    given_tree(pair.world);
    const auto rules = RandomRules{seed}.rules();
    const auto root = pair.world.source("data");
    ASSERT_EQ(root.find_first_of("*?["), std::string::npos);
    // With --relative, paths are whole ones in rsync as they are in hamn.
    std::vector<std::string> anchored;
    std::vector<std::string> options{"-rptgo", "--relative"};
    // rsync judges what it was told to send, too; hamn does not.
    for (auto end = root.find('/', 1);; end = root.find('/', end + 1)) {
      options.push_back("--filter=+ " + root.substr(0, end));
      if (end == std::string::npos) break;
    }
    for (const auto& rule : rules) {
      const bool is_anchored = rule.at(2) == '/';
      anchored.push_back(is_anchored ? rule.substr(0, 2) + root + rule.substr(2) : rule);
      options.push_back("--filter=" + anchored.back());
    }
    pair.options = options;
    pair.world.set.filter = sync::make_filter({}, anchored);
    pair.send();
    const auto ours = observe(pair.world.target("data"), {});
    const auto theirs = observe(pair.reference(root), {});
    left_out += observe(root, {}).size() - ours.size();
    EXPECT_EQ(differences(ours, theirs), "") << "seed " << seed << ": " << base::join(rules, " ; ");
  }
  EXPECT_GT(left_out, 1000U);
}

}  // namespace
}  // namespace hamn::parity
