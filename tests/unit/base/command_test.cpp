#include "base/command.h"

#include <gtest/gtest.h>

namespace hamn::base {

TEST(CommandTest, IsShownAsAPersonWouldTypeIt) {
  EXPECT_EQ("systemctl stop xcatd", to_text(Command{.argv = {"systemctl", "stop", "xcatd"}}));
  EXPECT_EQ("cp 'a b' ''", to_text(Command{.argv = {"cp", "a b", ""}}));
  EXPECT_EQ("runuser -u postgres -- psql -c 'select 1'",
            to_text(Command{.argv = {"psql", "-c", "select 1"}, .user = "postgres"}));
}

TEST(CommandTest, IsShownWithoutItsSecrets) {
  const Command command{.argv = {"psql"},
                        .input = "secret input",
                        .environment = {{"PGPASSWORD", "secret value"}, {"LANG", "C"}},
                        .user = "postgres"};
  EXPECT_EQ("runuser -u postgres -- env LANG=… PGPASSWORD=… psql", to_text(command));
}

TEST(CommandTest, IsQuotedEvenIfItLooksLikeAnEnvironmentVariable) {
  EXPECT_EQ("echo '; reboot x=…'", to_text(Command{.argv = {"echo", "; reboot x=…"}}));
}

TEST(CommandTest, IsDescribedByHowItEnded) {
  const Command command{.argv = {"x"}, .time_limit = std::chrono::seconds{90}};
  struct Case {
    Outcome outcome;
    const char* text;
  };
  const std::vector<Case> cases{
      {{.exit_code = 0, .output = "fine\n", .error_output = ""}, "exited 0: fine"},
      {{.exit_code = 1, .output = "", .error_output = ""}, "exited 1"},
      {{.exit_code = 1, .output = "out", .error_output = "first\nlast \n\n"}, "exited 1: last"},
      {{.exit_code = 2, .output = "one\ntwo\n", .error_output = " \n"}, "exited 2: two"},
      {{.exit_code = 1, .output = "", .error_output = "\x1b[2Jx"}, "exited 1: \\x1b[2Jx"},
      {{.exit_code = 127, .output = "", .error_output = "no such program"},
       "is not installed or did not start: no such program"},
      {{.exit_code = 128, .output = "", .error_output = ""}, "exited 128"},
      {{.exit_code = 137, .output = "", .error_output = ""}, "was killed by signal 9"},
      {{.exit_code = 192, .output = "", .error_output = ""}, "was killed by signal 64"},
      {{.exit_code = 255, .output = "", .error_output = "lost"}, "exited 255: lost"},
      {{.exit_code = 137, .timed_out = true, .output = "", .error_output = "x"},
       "did not end within 1 min 30 s"}};
  for (const auto& each : cases) EXPECT_EQ(each.text, describe(each.outcome, command));
}

TEST(CommandTest, SucceedsOnlyWithExitCodeZeroInTime) {
  EXPECT_TRUE((Outcome{.output = {}, .error_output = {}}).succeeded());
  EXPECT_FALSE((Outcome{.exit_code = 1, .output = {}, .error_output = {}}).succeeded());
  EXPECT_FALSE((Outcome{.timed_out = true, .output = {}, .error_output = {}}).succeeded());
}

}  // namespace hamn::base
