#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace hamn::base {

namespace {

Error sample() {
  return Error{{.what = "cannot promote database xcatdb on mn2",
                .detail = "HADR is REMOTE_CATCHUP_PENDING",
                .hint = "wait for the peer, then: hamn check",
                .code = Exit::refused}};
}

}  // namespace

TEST(ErrorTest, ShowsItsThreeSentencesOnThreeLines) {
  EXPECT_EQ(
      "hamn: cannot promote database xcatdb on mn2\n"
      "  detail: HADR is REMOTE_CATCHUP_PENDING\n"
      "  hint: wait for the peer, then: hamn check\n",
      to_lines(sample()));
}

TEST(ErrorTest, LeavesOutWhatItDoesNotKnow) {
  EXPECT_EQ("hamn: no\n", to_lines(Error{{.what = "no", .detail = "", .hint = ""}}));
}

TEST(ErrorTest, KeepsTheLinesOfADetailBelowEachOther) {
  EXPECT_EQ("hamn: two\n  detail: line 1\n          line 2\n  hint: a\n        b\n",
            to_lines(Error{{.what = "two", .detail = "line 1\nline 2\n", .hint = "a\nb"}}));
}

TEST(ErrorTest, LetsNobodyForgeALine) {
  const Error error{{.what = "a\nhamn: b", .detail = "\x1b[2J", .hint = "h\r"}};
  EXPECT_EQ("hamn: a\\x0ahamn: b\n  detail: \\x1b[2J\n  hint: h\\x0d\n", to_lines(error));
}

TEST(ErrorTest, TakesContextFromOneLayerFurtherOut) {
  const auto error = sample().within("step promote-database");
  EXPECT_STREQ("step promote-database: cannot promote database xcatdb on mn2", error.what());
  EXPECT_EQ("HADR is REMOTE_CATCHUP_PENDING", error.detail());
  EXPECT_EQ("wait for the peer, then: hamn check", error.hint());
  EXPECT_EQ(Exit::refused, error.code());
}

TEST(ErrorTest, PutsAnErrnoInWords) {
  const auto error = system_error("cannot read /etc/hamn/hamn.toml", EACCES, "run as root");
  EXPECT_STREQ("cannot read /etc/hamn/hamn.toml", error.what());
  EXPECT_EQ("Permission denied", error.detail());
  EXPECT_EQ("run as root", error.hint());
  EXPECT_EQ(Exit::failed, error.code());
}

TEST(ErrorTest, HasTheExitCodesThatAreDocumented) {
  EXPECT_EQ(0, static_cast<int>(Exit::done));
  EXPECT_EQ(1, static_cast<int>(Exit::failed));
  EXPECT_EQ(2, static_cast<int>(Exit::usage));
  EXPECT_EQ(3, static_cast<int>(Exit::locked));
  EXPECT_EQ(4, static_cast<int>(Exit::problems));
  EXPECT_EQ(5, static_cast<int>(Exit::refused));
  EXPECT_EQ(6, static_cast<int>(Exit::incomplete));
  EXPECT_EQ(130, static_cast<int>(Exit::interrupted));
}

}  // namespace hamn::base
