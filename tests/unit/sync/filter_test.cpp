#include "sync/filter.h"

#include <gtest/gtest.h>

namespace hamn::sync {
namespace {

TEST(FilterTest, FitsAsTheManualOfRsyncSays) {
  struct Case {
    const char* pattern;
    const char* path;
    bool is_directory;
    bool expected;
  };
  const Case cases[] = {
      {"foo", "/a/foo", false, true},       {"foo", "/foo/a", false, false},
      {"/foo", "/foo", false, true},        {"/foo", "/a/foo", false, false},
      {"/a/foo", "/a/foo", false, true},    {"a/foo", "/x/a/foo", false, true},
      {"a/foo", "/xa/foo", false, false},   {"foo/", "/a/foo", true, true},
      {"foo/", "/a/foo", false, false},     {"*.o", "/a/b.o", false, true},
      {"*.o", "/a/.o", false, true},        {"a*b", "/a/b", false, false},
      {"/a/*/c", "/a/b/c", false, true},    {"/a/*/c", "/a/b/b/c", false, false},
      {"/a/**/c", "/a/b/b/c", false, true}, {"**/c", "/c", false, true},
      {"**/c", "/a/b/c", false, true},      {"a**c", "/x/a/b/c", false, true},
      {"a?c", "/a/c", false, false},        {"a?c", "/abc", false, true},
      {"[a-c]x", "/bx", false, true},       {"[!a-c]x", "/bx", false, false},
      {"[^a-c]x", "/dx", false, true},      {"[]x]y", "/]y", false, true},
      {"[[:digit:]]x", "/7x", false, true}, {"[a", "/[a", false, false},
      {"a\\*b", "/a*b", false, true},       {"a\\*b", "/axb", false, false},
      {"a\\b", "/a\\b", false, true},       {"/a/***", "/a", true, true},
      {"/a/***", "/a/b/c", false, true},    {"/a/***", "/a", false, false},
      {"/a/**", "/a", true, false},         {"new\nline", "/new\nline", false, true}};
  for (const auto& each : cases) {
    EXPECT_EQ(fits(each.pattern, each.path, each.is_directory), each.expected)
        << each.pattern << " " << each.path;
  }
}

TEST(FilterTest, TheFirstRuleThatFitsDecides) {
  const auto rules = make_filter({"*/", "*.rpm"}, {"*"});
  EXPECT_FALSE(leaves_out(rules, "/install/a", true));
  EXPECT_FALSE(leaves_out(rules, "/install/a/x.rpm", false));
  EXPECT_TRUE(leaves_out(rules, "/install/a/x.txt", false));
  EXPECT_FALSE(leaves_out({}, "/anything", false));
}

TEST(FilterTest, AnElementMayNameItsOwnSide) {
  const auto rules = make_filter({}, {"+ keep.tmp", "*.tmp", "- other"});
  EXPECT_EQ(rules,
            (std::vector<FilterRule>{{true, "keep.tmp"}, {false, "*.tmp"}, {false, "other"}}));
  EXPECT_FALSE(leaves_out(rules, "/a/keep.tmp", false));
  EXPECT_TRUE(leaves_out(rules, "/a/b.tmp", false));
}

}  // namespace
}  // namespace hamn::sync
