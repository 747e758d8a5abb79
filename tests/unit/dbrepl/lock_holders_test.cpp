#include "dbrepl/lock_holders.h"

#include <gtest/gtest.h>

namespace hamn::dbrepl {
namespace {

constexpr const char* locks =
    "1: POSIX  ADVISORY  WRITE 4711 fd:00:1234567 1073741824 1073742335\n"
    "1: -> POSIX  ADVISORY  READ 5000 fd:00:1234567 1073741824 1073741824\n"
    "2: POSIX  ADVISORY  READ 4712 fd:00:1234567 1073741826 1073742335\n"
    "2: POSIX  ADVISORY  READ 4711 fd:00:1234567 1073741826 1073742335\n"
    "3: FLOCK  ADVISORY  WRITE 900 00:1a:1234567 0 EOF\n"
    "4: FLOCK  ADVISORY  WRITE 901 fd:00:1234567 0 EOF\n"
    "5: POSIX  ADVISORY  WRITE 902 fd:00:12345678 0 EOF\n"
    "6: POSIX  ADVISORY  WRITE 903 fd:01:1234567 0 EOF\n"
    "7: POSIX  ADVISORY  WRITE 0 fd:00:1234567 0 EOF\n"
    "8: OFDLCK ADVISORY  WRITE -1 fd:00:1234567 0 EOF\n"
    "torn line\n";

TEST(LockHoldersTest, FindsThoseWhoHoldTheFile) {
  EXPECT_EQ(lock_owners(locks, 0xfd, 0, 1234567), (std::vector<std::int64_t>{4711, 4712}));
  EXPECT_EQ(lock_owners(locks, 0xfd, 1, 1234567), std::vector<std::int64_t>{903});
  EXPECT_TRUE(lock_owners(locks, 0xfd, 0, 7).empty());
  EXPECT_TRUE(lock_owners("", 0xfd, 0, 7).empty());
}

TEST(LockHoldersTest, SaysThatAFileIsGone) {
  EXPECT_EQ(describe_lock_holders("/nowhere/site.sqlite"), "the file is gone");
}

}  // namespace
}  // namespace hamn::dbrepl
