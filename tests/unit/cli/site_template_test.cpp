#include "cli/site_template.h"

#include <gtest/gtest.h>

#include "base/site.h"
#include "base/text.h"
#include "tests/support/temporary_directory.h"

namespace hamn::cli {
namespace {

using Row = std::vector<std::string>;

std::string golden(const std::string& name) {
  return test::content_of(std::string{HAMN_SOURCE_DIRECTORY} + "/tests/golden/xcat/" + name);
}

FoundSite found_site(const std::string& style) {
  const bool alias = style == "alias";
  return {.cluster = "my \"odd\" \\ cluster",
          .own_name = "mn1",
          .own_address = "10.77.0.11",
          .interface = "eth0",
          .peer_name = "mn2",
          .peer_address = "10.77.0.12",
          .style = style,
          .service = {.address = alias ? "10.77.0.10" : "10.77.0.11", .prefix_length = 16},
          .hostname = alias ? "" : "mn1",
          .install_directory = "/install",
          .tftp_directory = "/tftpboot",
          .key_file = "/root/.ssh/id_ed25519",
          .notes = {"xCAT 2.19", "an odd\nnote"}};
}

TEST(RenderSiteTest, WritesAConfigurationThatHamnAccepts) {
  for (const auto* style : {"take", "alias"}) {
    const auto found = found_site(style);
    const auto site = base::parse_site(render_site(found), "/etc/hamn/hamn.toml");
    EXPECT_EQ(site.cluster, found.cluster);
    EXPECT_EQ(site.service.address, found.service);
    EXPECT_EQ(site.service.hostname, found.hostname);
    EXPECT_EQ(site.service.style == base::IdentityStyle::alias, std::string{style} == "alias");
    EXPECT_EQ(site.host("mn2").address, "10.77.0.12");
    EXPECT_EQ(site.ssh.key_file, found.key_file);
    EXPECT_TRUE(site.fences.empty());
    EXPECT_EQ(site.schedule.every.size(), 4U);
  }
}

TEST(RenderSiteTest, HasAnExampleOfAFenceThatHamnAccepts) {
  std::string text;
  bool example = false;
  for (const auto& line : base::lines_of(render_site(found_site("take")))) {
    example = example || line == "# [[fence]]";
    text += (example ? line.substr(2) : line) + "\n";
  }
  const auto site = base::parse_site(text, "/etc/hamn/hamn.toml");
  ASSERT_EQ(site.fences.size(), 1U);
  EXPECT_EQ(site.fences[0].off_when, "Chassis Power is off");
}

TEST(ParseTabdumpTest, ReadsTheSiteTableOfXcat) {
  const auto rows = parse_tabdump(golden("tabdump_site.txt"));
  EXPECT_EQ(rows.size(), 37U);
  EXPECT_EQ(rows[1], (Row{"domain", "cluster.test", "", ""}));
}

TEST(ParseTabdumpTest, KeepsEmptyCells) {
  const auto rows = parse_tabdump(golden("tabdump_nimimage.txt"));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].size(), 24U);
  EXPECT_EQ(rows[0][0], "71shroot");
  EXPECT_EQ(rows[0][4], "");
  EXPECT_EQ(rows[0][18], "71_shared_root");
}

TEST(ParseTabdumpTest, UnderstandsQuotesCommasAndNumberSigns) {
  EXPECT_EQ(parse_tabdump("#key,value\n\"a,b\",\"say \"\"yes\"\"\",\n\n\"#no comment\",x\n"),
            (std::vector<Row>{{"a,b", "say \"yes\"", ""}, {"#no comment", "x"}}));
  EXPECT_TRUE(parse_tabdump("").empty());
}

}  // namespace
}  // namespace hamn::cli
