#include "cli/forced_command.h"

#include <gtest/gtest.h>

namespace hamn::cli {
namespace {

const std::string key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeykeykeykeykeykeykeykey";
const std::vector<std::string> program{"/usr/bin/hamn"};
const std::string line = authorized_line(key, program, "hamn:mn1");

TEST(ForcedCommandTest, RecognisesWhatHamnItselfSends) {
  EXPECT_EQ(recognise("env LC_ALL=C hamn receive; exit $?", {"hamn"})->arguments,
            std::vector<std::string>{"receive"});
  const auto points = recognise(
      "echo hamn-start 0123456789abcdef $$; env LC_ALL=C hamn --config /x db points --json; "
      "hamn_code=$?; printf '\\nhamn-end 0123456789abcdef %d\\n' $hamn_code >&2; exit $hamn_code",
      {"hamn", "--config", "/x"});
  ASSERT_TRUE(points);
  EXPECT_EQ(points->tag, "0123456789abcdef");
  EXPECT_EQ(points->arguments, (std::vector<std::string>{"db", "points", "--json"}));
}

TEST(ForcedCommandTest, RefusesEverythingElse) {
  for (const std::string text :
       {"", "sh", "hamn receive", "env LC_ALL=C hamn receive",
        "env LC_ALL=C hamn receive; exit $? ", "env LC_ALL=C hamn receive --forced; exit $?",
        "env LC_ALL=C hamn failover; exit $?", "env LC_ALL=C hamn receive; id; exit $?",
        "env LC_ALL=C hamn receive; exit $?; id", "id; env LC_ALL=C hamn receive; exit $?",
        "echo hamn-start 0123456789abcde; $$; env LC_ALL=C hamn receive; exit $?",
        "echo hamn-start 0123456789abcdef $$; env LC_ALL=C hamn db accept; hamn_code=$?; printf "
        "'\\nhamn-end 0123456789abcdee %d\\n' $hamn_code >&2; exit $hamn_code",
        "echo hamn-start $(id)56789abcdef $$; env LC_ALL=C hamn db accept; exit $?",
        "env LC_ALL=C kill -KILL -- -1; exit $?"}) {
    EXPECT_FALSE(recognise(text, {"hamn"})) << text;
  }
}

TEST(AuthorizedKeysTest, FindsTheKeyOfALine) {
  EXPECT_EQ(key_of(key + " root@mn1"), key);
  EXPECT_EQ(key_of("  from=\"10.0.0.1\",command=\"echo \\\"a b\\\"\" " + key), key);
  EXPECT_EQ(key_of(line), key);
  for (const auto& text : {std::string{}, "# " + key, std::string{"ssh-ed25519"},
                           std::string{"ssh-ed25519 short"}, std::string{"PRIVATE KEY"}}) {
    EXPECT_FALSE(key_of(text)) << text;
  }
}

TEST(AuthorizedKeysTest, KeepsWhatIsThereAndAddsItsLineOnce) {
  const std::string others =
      "# people\nssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDotherotherother joe\n\n";
  const auto once = authorize(others, line, false);
  EXPECT_EQ(once, (AuthorizedKeys{.text = others + line + "\n", .other_line = {}}));
  EXPECT_EQ(authorize(once.text, line, false), once);
  const auto old = authorized_line(key, {"/opt/old/hamn"}, "hamn:mn1");
  EXPECT_EQ(authorize(old + "\n" + others, line, false).text, line + "\n" + others);
}

TEST(AuthorizedKeysTest, TellsALineThatLetsTheKeyDoMore) {
  const auto kept = authorize(key + " root@mn1\n", line, false);
  EXPECT_EQ(kept.other_line, key + " root@mn1");
  EXPECT_TRUE(kept.text.starts_with(key));
  EXPECT_EQ(authorize(key + " root@mn1\n" + key + " again\n", line, true).text, line + "\n");
}

TEST(AuthorizedKeysTest, QuotesTheCommandTwice) {
  const auto quoted = authorized_line(key, {"/opt/a \"b\"/hamn"}, "c");
  EXPECT_EQ(quoted, "restrict,command=\"'/opt/a \\\"b\\\"/hamn' receive --forced\" " + key + " c");
  EXPECT_EQ(key_of(quoted), key);
}

}  // namespace
}  // namespace hamn::cli
