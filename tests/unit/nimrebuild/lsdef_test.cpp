#include "nimrebuild/lsdef.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/temporary_directory.h"

namespace hamn::nimrebuild {
namespace {

using Resources = std::map<std::string, std::vector<std::string>>;

std::string golden(const std::string& name) {
  return test::content_of(std::string{HAMN_SOURCE_DIRECTORY} + "/tests/golden/xcat/" + name);
}

TEST(ParseLsdefTest, ReadsTheNimImagesOfXcat) {
  const auto images = parse_lsdef(golden("lsdef_osimage_nim.txt"));
  ASSERT_EQ(images.size(), 3U);
  EXPECT_EQ(images[0].name, "71dskls");
  EXPECT_EQ(images[0].attributes.at("otherpkgs"), "openssh,R:vim*");
  EXPECT_EQ(images[0].attributes.size(), 16U);
  EXPECT_EQ(images[1].name, "71sn_mksysb");
  EXPECT_EQ(images[2].name, "71stand");
}

TEST(ParseLsdefTest, ReadsImagesOfAixAndLinuxSideBySide) {
  const auto images = parse_lsdef(golden("lsdef_osimage_l.txt"));
  ASSERT_EQ(images.size(), 3U);
  EXPECT_EQ(images[1].name, "rhels8.6-x86_64-install-compute");
  EXPECT_EQ(images[1].attributes.at("template"),
            "/opt/xcat/share/xcat/install/rh/compute.rhels8.tmpl");
}

TEST(ParseLsdefTest, KeepsEqualSignsWithinValues) {
  const auto images = parse_lsdef("Object name: a\n    addkcmdline=console=ttyS0 x=y\n");
  EXPECT_EQ(images.at(0).attributes.at("addkcmdline"), "console=ttyS0 x=y");
}

TEST(ParseLsdefTest, PassesOverBlankLinesAndMakesNothingOfNothing) {
  EXPECT_TRUE(parse_lsdef("").empty());
  EXPECT_EQ(parse_lsdef("\nObject name: a\n\n    x=1\n  \n").size(), 1U);
}

TEST(ParseLsdefTest, RefusesToGuessAndNamesTheLine) {
  for (const auto& [text, detail] : std::vector<std::pair<std::string, std::string>>{
           {"    x=1\n", "line 1:     x=1"},
           {"Object name: a\nx=1\n", "line 2: x=1"},
           {"Object name: a\n    nothing\n", "line 2:     nothing"},
           {"Could not find any object definitions to display.\n",
            "line 1: Could not find any object definitions to display."}}) {
    try {
      (void)parse_lsdef(text);
      ADD_FAILURE() << "it took " << text;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.detail(), detail);
      EXPECT_STREQ(error.what(), "cannot read the list of osimages");
      EXPECT_FALSE(error.hint().empty());
    }
  }
}

TEST(NimResourcesTest, NamesTheResourcesOfADisklessImage) {
  const auto images = parse_lsdef(golden("lsdef_osimage_nim.txt"));
  EXPECT_EQ(nim_resources(images[0]),
            (Resources{{"lpp_source", {"71dskls_lpp_source"}},
                       {"spot", {"71dskls"}},
                       {"root", {"71dskls_root"}},
                       {"dump", {"71dskls_dump"}},
                       {"paging", {"71dskls_paging"}},
                       {"resolv_conf", {"cluster_test_resolv_conf"}},
                       {"installp_bundle", {"xCATaixSN71", "IBMhpc_base"}}}));
}

TEST(NimResourcesTest, NamesTheResourcesOfAStandaloneImage) {
  const auto images = parse_lsdef(golden("lsdef_osimage_nim.txt"));
  EXPECT_EQ(nim_resources(images[2]), (Resources{{"lpp_source", {"71_lpp_source"}},
                                                 {"spot", {"71_spot"}},
                                                 {"script", {"71_script"}},
                                                 {"bosinst_data", {"71_bosinst_data"}},
                                                 {"installp_bundle", {"xCATaixCN71"}},
                                                 {"fb_script", {"71_fb"}},
                                                 {"image_data", {"71_image_data"}}}));
}

TEST(NimResourcesTest, FindsNoneInALinuxImage) {
  const auto images = parse_lsdef(golden("lsdef_osimage_l.txt"));
  EXPECT_EQ(nim_resources(images[0]).size(), 7U);
  EXPECT_TRUE(nim_resources(images[1]).empty());
}

TEST(NimResourcesTest, SplitsListsAndTrimsNames) {
  EXPECT_EQ(
      nim_resources({.name = "a", .attributes = {{"imagetype", "NIM"}, {"script", "a, b,,"}}}),
      (Resources{{"script", {"a", "b"}}}));
}

}  // namespace
}  // namespace hamn::nimrebuild
