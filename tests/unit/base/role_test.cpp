#include "base/role.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/forgetful_disk.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unsynced_disk.h"

namespace hamn::base {

using test::content_of;
using test::given_file;
using test::TemporaryDirectory;

namespace {

Role sample() {
  return {.host = "mn2",
          .name = RoleName::promoting,
          .epoch = 7,
          .since = parse_wall_time("2026-11-21T03:04:05.678Z").value(),
          .run = "20261121T030405Z-9f2c61"};
}

/// The text of the role file with one piece exchanged.
std::string with(const std::string& old_piece, const std::string& new_piece) {
  auto text = format_role(sample());
  const auto at = text.find(old_piece);
  EXPECT_NE(std::string::npos, at) << old_piece;
  return text.replace(at, old_piece.size(), new_piece);
}

std::string refusal_of(const std::string& text) {
  try {
    (void)parse_role(text, "/var/lib/hamn/role.json");
  } catch (const Error& error) {
    EXPECT_STREQ("cannot trust the role file /var/lib/hamn/role.json", error.what());
    EXPECT_NE(std::string::npos, error.hint().find("hamn init --role"));
    return error.detail();
  }
  return "";
}

}  // namespace

TEST(RoleTest, ReadsWhatItWrites) {
  for (const auto name :
       {RoleName::primary, RoleName::standby, RoleName::promoting, RoleName::deposed}) {
    auto role = sample();
    role.name = name;
    EXPECT_EQ(role, parse_role(format_role(role), "role"));
    EXPECT_EQ(name, parse_role_name(to_text(name)));
  }
  auto role = sample();
  role.epoch = largest_epoch;
  role.run = "";
  EXPECT_EQ(role, parse_role(format_role(role), "role"));
  role.epoch = largest_epoch + 1;
  EXPECT_THROW((void)parse_role(format_role(role), "role"), Error);
}

TEST(RoleTest, KnowsFourRoles) {
  EXPECT_EQ("primary", to_text(RoleName::primary));
  EXPECT_EQ("standby", to_text(RoleName::standby));
  EXPECT_EQ("promoting", to_text(RoleName::promoting));
  EXPECT_EQ("deposed", to_text(RoleName::deposed));
  for (const char* bad : {"", "Primary", "master", "primary "}) {
    EXPECT_EQ(std::nullopt, parse_role_name(bad)) << bad;
  }
}

TEST(RoleTest, TrustsNothingThatIsNotExactlyARole) {
  struct Case {
    std::string text;
    const char* detail;
  };
  const std::vector<Case> cases{
      {"", "it is not a JSON object"},
      {"[]", "it is not a JSON object"},
      {"not json", "it is not a JSON object"},
      {format_role(sample()) + "x", "it is not a JSON object"},
      {"{}", "its format is not 1"},
      {with("\"format\": 1", "\"format\": 2"), "its format is not 1"},
      {with("\"format\": 1", "\"format\": 1.0"), "its format is not 1"},
      {with("\"format\": 1", "\"format\": \"1\""), "its format is not 1"},
      {with("\"promoting\"", "\"boss\""), "unknown role \"boss\""},
      {with("\"promoting\"", "7"), "it has no \"role\""},
      {with("\"role\"", "\"rule\""), "it has no \"role\""},
      {with("2026-11-21T03:04:05.678Z", "yesterday"), "impossible time \"yesterday\""},
      {with("\"epoch\": 7", "\"epoch\": -7"), "it has no epoch"},
      {with("\"epoch\": 7", "\"epoch\": 7.5"), "it has no epoch"},
      {with("\"epoch\": 7", "\"epoch\": \"7\""), "it has no epoch"},
      {with("\"epoch\": 7", "\"epoch\": 18446744073709551616"), "it has no epoch"},
      {with("\"epoch\"", "\"apoch\""), "it has no epoch"},
      {with("\"mn2\"", "\"\""), "its host has no name"},
      {with("\"mn2\"", "null"), "it has no \"host\""},
      {with("\"run\"", "\"ran\""), "it has no \"run\""},
      {with("\"epoch\": 7", "\"epoch\": 7, \"epoch\": 8"),
       "it holds more than a role, or something twice"},
      {with("\"epoch\": 7", "\"epoch\": 7, \"more\": 8"),
       "it holds more than a role, or something twice"}};
  for (const auto& each : cases) EXPECT_EQ(each.detail, refusal_of(each.text)) << each.text;
}

TEST(RoleTest, TrustsNoPartOfARole) {
  const auto whole = format_role(sample());
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    EXPECT_NE("", refusal_of(whole.substr(0, size))) << size;
  }
}

TEST(RoleTest, IsNothingWhereHamnWasNeverSetUp) {
  const TemporaryDirectory directory;
  EXPECT_EQ(std::nullopt, read_role(directory / "role.json"));
}

TEST(RoleTest, IsKeptInAFileForItsOwnerOnly) {
  const TemporaryDirectory directory;
  test::UnsyncedDisk disk;
  const auto path = directory / "state/role.json";
  write_role(disk, path, sample());
  EXPECT_EQ(sample(), read_role(path));
  const auto root = disk.open_root(directory / "state");
  EXPECT_EQ(0600U, disk.status(root.get(), "role.json")->mode);
  given_file(path, "");
  EXPECT_THROW((void)read_role(path), Error) << "an empty file is no licence to start anew";
}

TEST(RoleTest, IsTheOldOrTheNewOneWhereverThePowerIsCut) {
  auto old = sample();
  old.name = RoleName::standby;
  old.epoch = 6;
  const test::CrashTest crash{
      .given =
          [&](const std::string& root) {
            test::UnsyncedDisk disk;
            write_role(disk, root + "/role.json", old);
          },
      .work = [](Disk& disk,
                 const std::string& root) { write_role(disk, root + "/role.json", sample()); },
      .check =
          [&](const std::string& root, bool finished) {
            const auto role = read_role(root + "/role.json");
            EXPECT_TRUE(role == sample() || (role == old && !finished));
          }};
  EXPECT_GE(test::cut_power_everywhere(crash), 30U);
}

}  // namespace hamn::base
