#include <gtest/gtest.h>

#include "base/disk.h"
#include "base/error.h"
#include "base/local_host.h"
#include "base/remote_host.h"

namespace hamn::base {

TEST(RemoteLineTest, QuotesEveryWord) {
  EXPECT_EQ("env LC_ALL=C cp 'a b' '$x' ''", remote_line({.argv = {"cp", "a b", "$x", ""}}));
}

TEST(RemoteLineTest, RunsAsAnotherUserWithinTheSameProcessGroup) {
  EXPECT_EQ(
      "runuser -s /bin/sh '--session-command=env LC_ALL=C psql -c '\\''select 1'\\''' -- postgres",
      remote_line({.argv = {"psql", "-c", "select 1"}, .user = "postgres"}));
}

TEST(RemoteLineTest, RefusesACommandWithoutWords) {
  EXPECT_THROW((void)remote_line({.argv = {}}), Error);
}

TEST(RemoteLineTest, ShowsNoValueOfAnEnvironmentVariable) {
  EXPECT_EQ("env LC_ALL=C psql",
            remote_line({.argv = {"psql"}, .environment = {{"PGPASSWORD", "secret"}}}));
}

TEST(RemoteLineTest, MeansTheSameToEveryShellThatIsHere) {
  RealDisk disk;
  LocalHost host{"here", disk};
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  const auto line = remote_line({.argv = {"printf", "%s", all}, .user = "nobody"});
  for (const char* shell : {"/bin/sh", "/bin/bash"}) {
    EXPECT_EQ(all, host.run({.argv = {shell, "-c", line}}).output) << shell;
  }
}

}  // namespace hamn::base
