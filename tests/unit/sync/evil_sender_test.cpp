// What a sender that does not keep to the rules can do to a receiver: end its own pass.

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "base/role.h"
#include "base/worker.h"
#include "sync/block.h"
#include "sync/receiver.h"
#include "sync/wire.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unsynced_disk.h"

namespace hamn::sync {
namespace {

namespace fs = std::filesystem;

/// A standby with one set at target/data, and a sender that says whatever a test lets it say.
class EvilSender : public testing::Test {
 protected:
  EvilSender() {
    set_ = make_moved_set("test", root_ / "source/data", root_ / "target/data");
    set_.profile = Profile::faithful;
    fs::create_directories(root_ / "target/data");
    fs::create_directories(root_ / "outside");
    test::given_file(root_ / "outside/file", "untouched");
    base::write_role(
        disk_, root_ / "role.json",
        {.host = "mn2", .name = base::RoleName::standby, .epoch = 1, .since = {}, .run = "test"});
  }

  template <typename Message>
  void say(MessageType type, const Message& message) {
    said_.emplace_back(static_cast<std::uint8_t>(type), encode(message));
  }
  void enter(std::uint32_t number, const std::string& path) {
    Enter message{.number = number, .key = {.root = 0, .path = path}, .self = {}};
    if (!path.empty()) message.self = entry(name_of(message.key), Kind::directory);
    say(MessageType::enter, message);
  }
  void commit() {
    say(MessageType::commit,
        Commit{.batch = ++batch_, .final = false, .may_delete = false, .generation = 0});
  }
  static Entry entry(const std::string& name, Kind kind) {
    Entry made;
    made.name = name;
    made.kind = kind;
    made.mode = 0755;
    if (kind == Kind::symlink) made.target = "target";
    return made;
  }
  static File file(std::uint32_t directory, const std::string& name) {
    File message{.directory = directory, .entry = entry(name, Kind::file), .content = "evil"};
    message.entry.size_bytes = 4;
    message.entry.content = base::xxh128("evil");
    return message;
  }

  /// Sends Hello and what was said; the receiver's error, and its troubles as one text.
  std::string result() {
    auto [ours, theirs] = base::make_stream_pair();
    const ReceiverPolicy policy{.host = "mn2",
                                .sets = {set_},
                                .role_path = root_ / "role.json",
                                .state_directory = root_ / "state",
                                .run_directory = root_ / "run"};
    std::string error_text;
    base::Worker receiver{[&, stream = theirs.get()] {
      try {
        receive(*stream, policy, disk_, clock_);
      } catch (const base::Error& error) {
        error_text = error.what() + (": " + error.detail());
      }
      stream->close();
    }};
    Hello hello;
    hello.set = "test";
    hello.host = "mn1";
    hello.epoch = 1;
    hello.profile = set_.profile;
    hello.roots = set_.roots;
    BlockWriter writer{*ours, true, std::chrono::seconds{5}};
    BlockReader reader{*ours, std::chrono::seconds{5}};
    std::string troubles;
    try {
      writer.send(static_cast<std::uint8_t>(MessageType::hello), encode(hello));
      for (const auto& [type, payload] : said_) writer.send(type, payload);
      writer.flush();
      ours->close_write();
      Message message;
      while (reader.next(message)) {
        if (message.type == static_cast<std::uint8_t>(MessageType::trouble)) {
          const auto trouble = decode_trouble(message.payload);
          troubles += trouble.name + ": " + trouble.detail + "\n";
        }
      }
    } catch (const base::Error&) {
      // The receiver hung up: its own error tells why.
    }
    ours->close();
    receiver.join();
    return troubles + error_text;
  }

  void expect_outside_untouched() {
    EXPECT_EQ(test::content_of(root_ / "outside/file"), "untouched");
    EXPECT_EQ(std::distance(fs::directory_iterator{root_ / "outside"}, {}), 1);
  }

  test::TemporaryDirectory root_;
  test::UnsyncedDisk disk_;
  base::RealClock clock_;
  FileSet set_;
  std::vector<std::pair<std::uint8_t, std::string>> said_;
  std::uint64_t batch_ = 0;
};

TEST_F(EvilSender, CannotPutALinkIntoACompatSet) {
  set_.profile = Profile::compat;
  enter(1, "data");
  say(MessageType::node, Node{.directory = 1, .entry = entry("link", Kind::symlink)});
  commit();
  EXPECT_NE(result().find("holds plain files only"), std::string::npos);
  EXPECT_FALSE(fs::is_symlink(root_ / "target/data/link"));
}

TEST_F(EvilSender, CannotMakeADeviceInACompatSet) {
  set_.profile = Profile::compat;
  enter(1, "data");
  auto device = entry("sda", Kind::block_device);
  device.device_number = 8U << 20U;
  say(MessageType::node, Node{.directory = 1, .entry = device});
  commit();
  EXPECT_NE(result().find("holds plain files only"), std::string::npos);
  EXPECT_FALSE(test::exists(root_ / "target/data/sda"));
}

TEST_F(EvilSender, CannotSetExtendedAttributesInACompatSet) {
  set_.profile = Profile::compat;
  enter(1, "data");
  auto message = file(1, "tool");
  message.entry.attributes = {{.name = "security.capability", .value = "x"}};
  say(MessageType::file, message);
  commit();
  EXPECT_NE(result().find("holds plain files only"), std::string::npos);
}

TEST_F(EvilSender, CannotWriteThroughALinkThatItMadeItself) {
  auto link = entry("d", Kind::symlink);
  link.target = root_ / "outside";
  enter(1, "data");
  say(MessageType::node, Node{.directory = 1, .entry = link});
  commit();
  enter(2, "data/d");
  say(MessageType::file, file(2, "file"));
  commit();
  (void)result();
  expect_outside_untouched();
  EXPECT_EQ(test::content_of(root_ / "target/data/d/file"),
            "evil");  // a directory of the set's own
}

TEST_F(EvilSender, CannotMakeTheTopOfARootALink) {
  fs::remove(root_ / "target/data");
  auto link = entry("data", Kind::symlink);
  link.target = root_ / "outside";
  enter(1, "");
  say(MessageType::node, Node{.directory = 1, .entry = link});
  commit();
  EXPECT_NE(result().find("the top of a root cannot be a link"), std::string::npos);
  EXPECT_FALSE(fs::is_symlink(root_ / "target/data"));
}

TEST_F(EvilSender, CannotMakeTheTopOfARootALinkByAHardLink) {
  auto link = entry("l", Kind::symlink);
  link.target = root_ / "outside";
  enter(1, "");
  enter(2, "data");
  say(MessageType::node, Node{.directory = 2, .entry = link});
  commit();
  say(MessageType::link, Link{.directory = 1,
                              .entry = entry("data", Kind::file),
                              .leader_directory = 2,
                              .leader_name = "l"});
  commit();
  EXPECT_NE(result().find("is not as announced"), std::string::npos);
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(root_ / "target/data")));
}

TEST_F(EvilSender, CannotLinkToAFileThatDidNotComeFromIt) {
  test::given_file(root_ / "target/data/own", "of this host");
  enter(1, "data");
  auto second = entry("stolen", Kind::file);
  second.size_bytes = 12;
  say(MessageType::link,
      Link{.directory = 1, .entry = second, .leader_directory = 1, .leader_name = "own"});
  commit();
  EXPECT_NE(result().find("did not come"), std::string::npos);
  EXPECT_FALSE(test::exists(root_ / "target/data/stolen"));
}

TEST_F(EvilSender, CannotNameAnythingThatTheSetDoesNotHold) {
  enter(1, "other");
  commit();
  EXPECT_NE(result().find("does not hold"), std::string::npos);
  EXPECT_FALSE(test::exists(root_ / "target/other"));
}

}  // namespace
}  // namespace hamn::sync
