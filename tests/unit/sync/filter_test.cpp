#include "sync/filter.h"

#include <gtest/gtest.h>

#include "sync/file_set.h"
#include "sync/tree.h"
#include "tests/support/temporary_directory.h"

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

FileSet etc_set() {
  return make_file_set({.name = "etc", .paths = {"/etc"}, .include = {"*"}});
}

TEST(HostSpecificTest, LeavesOutWhatBelongsToOneHostWhateverTheConfigurationIncludes) {
  const auto set = etc_set();
  for (const std::string path :
       {"etc/machine-id", "etc/fstab", "etc/hostname", "etc/ssh/ssh_host_rsa_key",
        "etc/ssh/ssh_host_ed25519_key.pub", "etc/netplan/01.yaml", "etc/network/interfaces",
        "etc/NetworkManager/system-connections/eth0.nmconnection"}) {
    EXPECT_TRUE(is_left_out(set, 0, path, false)) << path;
  }
  EXPECT_TRUE(is_left_out(set, 0, "etc/netplan", true));
  for (const std::string path : {"etc/hosts", "etc/ssh/sshd_config", "etc/xcat/fstab"}) {
    EXPECT_FALSE(is_left_out(set, 0, path, false)) << path;
  }
  const auto itself = make_file_set({.name = "etc", .paths = {"/etc/fstab"}});
  EXPECT_TRUE(is_left_out(itself, 0, "fstab", false));
}

TEST(HostSpecificTest, ImagesHaveFilesOfTheseNamesLikeAnyOther) {
  const auto set = make_file_set({.name = "install", .paths = {"/install"}});
  EXPECT_FALSE(is_left_out(set, 0, "install/netboot/x/rootimg/etc/fstab", false));
}

TEST(HostSpecificTest, TheConfigurationMayAllowSome) {
  auto set = etc_set();
  set.allow_host_specific = {"/etc/ssh/ssh_host_*"};
  EXPECT_FALSE(is_left_out(set, 0, "etc/ssh/ssh_host_rsa_key", false));
  EXPECT_TRUE(is_left_out(set, 0, "etc/fstab", false));
  EXPECT_NE(fingerprint(set), fingerprint(etc_set()));
}

TEST(HostSpecificTest, IsNotedByTheSender) {
  const test::TemporaryDirectory root;
  test::given_file(root / "etc/fstab", "disks");
  test::given_file(root / "etc/hosts", "hosts");
  const auto set = make_moved_set("etc", root / "etc", "/etc");
  const auto directory = open_source(root / "etc");
  const auto listing = list_source(*directory, set, {.root = 0, .path = "etc"});
  ASSERT_EQ(listing.entries.size(), 1U);
  EXPECT_EQ(listing.entries[0].name, "hosts");
  ASSERT_EQ(listing.problems.size(), 1U);
  EXPECT_EQ(listing.problems[0].kind, ProblemKind::host_specific);
  EXPECT_TRUE(is_note(listing.problems[0].kind));
}

}  // namespace
}  // namespace hamn::sync
