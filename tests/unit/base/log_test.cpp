#include "base/log.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace hamn::base {

using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

class LogTest : public testing::Test {
 protected:
  LogTest() { ::unsetenv("JOURNAL_STREAM"); }
  ~LogTest() override {
    set_quiet(false);
    ::unsetenv("JOURNAL_STREAM");
  }

  static std::string logged(Level level, const std::string& message) {
    CaptureStderr();
    log(level, message);
    return GetCapturedStderr();
  }
};

TEST_F(LogTest, WritesOneLineToStandardError) {
  EXPECT_EQ("hamn: warning: low on space\n", logged(Level::warning, "low on space"));
  EXPECT_EQ("hamn: pass 3 begins\n", logged(Level::notice, "pass 3 begins"));
  EXPECT_EQ("hamn: 5 files\n", logged(Level::info, "5 files"));
}

TEST_F(LogTest, EscapesControlCharacters) {
  EXPECT_EQ("hamn: a\\x0a\\x1b[2J\n", logged(Level::info, "a\n\x1b[2J"));
}

TEST_F(LogTest, SaysOnlyWarningsWhenQuiet) {
  set_quiet(true);
  EXPECT_EQ("hamn: warning: w\n", logged(Level::warning, "w"));
  EXPECT_EQ("", logged(Level::notice, "n"));
  EXPECT_EQ("", logged(Level::info, "i"));
}

TEST_F(LogTest, PutsThePriorityInFrontUnderSystemd) {
  ::setenv("JOURNAL_STREAM", "8:12345", 1);
  EXPECT_EQ("<4>hamn: warning: w\n", logged(Level::warning, "w"));
  EXPECT_EQ("<5>hamn: n\n", logged(Level::notice, "n"));
  EXPECT_EQ("<6>hamn: i\n", logged(Level::info, "i"));
}

}  // namespace hamn::base
