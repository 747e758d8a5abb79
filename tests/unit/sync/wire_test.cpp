#include "sync/wire.h"

#include <gtest/gtest.h>

#include <thread>

#include <functional>

#include "base/error.h"
#include "base/worker.h"
#include "sync/block.h"
#include "sync/bytes.h"

namespace hamn::sync {
namespace {

Entry sample_entry(Kind kind) {
  return {.name = "name",
          .kind = kind,
          .mode = 04755,
          .uid = 12,
          .gid = 4'000'000'000U,
          .size_bytes = 5,
          .modified = {.seconds = -7, .nanoseconds = 999'999'999},
          .changed = {.seconds = 1'700'000'000, .nanoseconds = 1},
          .inode = 77,
          .content = base::xxh128("12345")};
}

Entry sample_node(Kind kind) {
  auto entry = sample_entry(kind);
  entry.size_bytes = 0;
  if (kind == Kind::symlink) entry.target = "../elsewhere";
  if (kind >= Kind::character_device) entry.device_number = (8U << 20U) + 17;
  entry.names = 3;
  entry.attributes = {{.name = "security.capability", .value = std::string(20, '\1')},
                      {.name = "user.note", .value = ""}};
  return entry;
}

/// One sample of every message, with its decoder as a function that throws or does not.
struct Sample {
  const char* name;
  std::string bytes;
  std::function<void(std::string_view)> decode;
};

std::vector<Sample> samples() {
  const Hello hello{
      .protocol = protocol_version,
      .set = "etc",
      .host = "mn1",
      .run = "run",
      .epoch = 3,
      .generation = 9,
      .token = "t",
      .as_of = {},
      .roots = {{.source_parent = "", .destination_parent = "/etc", .pattern = "h*"}}};
  const DirectoryKey key{.root = 1, .path = "a/name"};
  return {
      {"hello", encode(hello), [](auto b) { (void)decode_hello(b); }},
      {"welcome",
       encode(Welcome{.mode = PassMode::full, .generation = 1, .host = "mn2", .epoch = 1}),
       [](auto b) { (void)decode_welcome(b); }},
      {"refusal",
       encode(Refusal{
           .code = 5, .deposed = true, .epoch = 4, .what = "w", .detail = "d", .hint = "h"}),
       [](auto b) { (void)decode_refusal(b); }},
      {"names", encode(Names{.is_group = true, .id = 5, .name = "users"}),
       [](auto b) { (void)decode_names(b); }},
      {"enter", encode(Enter{.number = 1, .key = key, .self = sample_entry(Kind::directory)}),
       [](auto b) { (void)decode_enter(b); }},
      {"file", encode(File{.directory = 1, .entry = sample_entry(Kind::file), .content = "12345"}),
       [](auto b) { (void)decode_file(b); }},
      {"offer",
       encode(Offer{
           .id = 1, .kind = OfferKind::changed, .directory = 1, .entry = sample_entry(Kind::file)}),
       [](auto b) { (void)decode_offer(b); }},
      {"begin",
       encode(Begin{.id = 1, .is_delta = true, .directory = 1, .entry = sample_entry(Kind::file)}),
       [](auto b) { (void)decode_begin(b); }},
      {"end", encode(End{.abandoned = false, .size_bytes = 5, .modified = {}, .content = {}}),
       [](auto b) { (void)decode_end(b); }},
      {"gone", encode(Gone{.directory = 1, .name = "n"}), [](auto b) { (void)decode_gone(b); }},
      {"node", encode(Node{.directory = 1, .entry = sample_node(Kind::symlink)}),
       [](auto b) { (void)decode_node(b); }},
      {"link",
       encode(Link{.directory = 1,
                   .entry = sample_node(Kind::block_device),
                   .leader_directory = 2,
                   .leader_name = "leader"}),
       [](auto b) { (void)decode_link(b); }},
      {"present", encode(Present{.directory = 1, .last = true, .names = {"a", "b"}}),
       [](auto b) { (void)decode_present(b); }},
      {"deleted", encode(Deleted{.names = 1, .total = 5, .held_back = true}),
       [](auto b) { (void)decode_deleted(b); }},
      {"commit", encode(Commit{.batch = 1, .final = true, .may_delete = true, .generation = 2}),
       [](auto b) { (void)decode_commit(b); }},
      {"verdict", encode(Verdict{.id = 1, .kind = VerdictKind::want_delta, .content = {}}),
       [](auto b) { (void)decode_verdict(b); }},
      {"signature", encode(Signature{.id = 1, .last = true, .bytes = "sig"}),
       [](auto b) { (void)decode_signature(b); }},
      {"trouble", encode(Trouble{.directory = 1, .name = "n", .detail = "d"}),
       [](auto b) { (void)decode_trouble(b); }},
      {"done", encode(Done{.batch = 1, .token = "t", .generation = 3}),
       [](auto b) { (void)decode_done(b); }}};
}

TEST(WireTest, DecodesWhatItEncodes) {
  for (const auto& sample : samples()) EXPECT_NO_THROW(sample.decode(sample.bytes)) << sample.name;
  const auto enter = decode_enter(samples()[4].bytes);
  EXPECT_EQ(enter.self, sample_entry(Kind::directory));
  EXPECT_EQ(enter.key.path, "a/name");
  const auto file = decode_file(samples()[5].bytes);
  EXPECT_EQ(file.entry, sample_entry(Kind::file));
  EXPECT_EQ(file.content, "12345");
}

TEST(WireTest, RefusesEveryMessageThatIsCutOrTooLong) {
  for (const auto& sample : samples()) {
    for (std::size_t size = 0; size < sample.bytes.size(); ++size) {
      EXPECT_THROW(sample.decode(std::string_view{sample.bytes}.substr(0, size)), base::Error)
          << sample.name << " cut to " << size;
    }
    EXPECT_THROW(sample.decode(sample.bytes + "x"), base::Error) << sample.name << " with a tail";
  }
}

TEST(WireTest, AHelloOfAnotherVersionCanStillBeRefusedByItsNumber) {
  ByteWriter out;
  out.number(99);
  out.text("a future field");
  EXPECT_EQ(decode_hello(out.bytes()).protocol, 99U);
}

TEST(WireTest, AcceptsNoNameThatCouldLeadAnywhereElse) {
  for (const auto& bad : std::vector<std::string>{"", ".", "..", "a/b", "/", "/etc",
                                                  std::string("a\0b", 3), std::string(256, 'n')}) {
    EXPECT_FALSE(is_component(bad)) << bad;
    ByteWriter gone;
    gone.number(1);
    gone.text(bad);
    EXPECT_THROW((void)decode_gone(gone.bytes()), base::Error) << bad;
  }
  for (const std::string good : {"a", "...", "..a", "-rf", " ", "\n", "\xff"}) {
    EXPECT_TRUE(is_component(good)) << good;
  }
}

TEST(WireTest, AcceptsNoPathThatLeadsUpwardsOrHasEmptyParts) {
  for (const std::string bad : {"..", "a/../b", "/a", "a/", "a//b", "./a"}) {
    auto self = sample_entry(Kind::directory);
    ByteWriter out;
    out.number(1);
    out.number(0);
    out.text(bad);
    write_entry(out, self);
    EXPECT_THROW((void)decode_enter(out.bytes()), base::Error) << bad;
  }
}

TEST(WireTest, RefusesImpossibleAttributes) {
  const auto with = [](const std::function<void(Entry&)>& change) {
    auto entry = sample_entry(Kind::file);
    change(entry);
    return encode(Offer{.id = 1, .kind = OfferKind::check, .directory = 1, .entry = entry});
  };
  EXPECT_THROW((void)decode_offer(with([](Entry& e) { e.mode = 0100644; })), base::Error);
  EXPECT_THROW((void)decode_offer(with([](Entry& e) { e.modified.nanoseconds = 1'000'000'000; })),
               base::Error);
  EXPECT_THROW((void)decode_offer(with([](Entry& e) { e.size_bytes = UINT64_MAX; })), base::Error);
  EXPECT_THROW((void)decode_offer(with([](Entry& e) { e.kind = Kind::directory; })), base::Error);
  EXPECT_THROW((void)decode_file(encode(
                   File{.directory = 1, .entry = sample_entry(Kind::file), .content = "1234"})),
               base::Error);
}

TEST(WireTest, NodesOfEveryKindSurviveTheirCoding) {
  for (const auto kind :
       {Kind::symlink, Kind::fifo, Kind::socket, Kind::character_device, Kind::block_device}) {
    const auto sample = sample_node(kind);
    EXPECT_EQ(decode_node(encode(Node{.directory = 1, .entry = sample})).entry, sample);
  }
}

TEST(WireTest, RefusesImpossibleNodes) {
  const auto with = [](Kind kind, const std::function<void(Entry&)>& change) {
    auto entry = sample_node(kind);
    change(entry);
    return encode(Node{.directory = 1, .entry = entry});
  };
  const std::vector<std::string> bad{
      with(Kind::symlink, [](Entry& e) { e.target = ""; }),
      with(Kind::symlink, [](Entry& e) { e.target = std::string("a\0b", 3); }),
      with(Kind::symlink, [](Entry& e) { e.target = std::string(4096, 'x'); }),
      with(Kind::symlink, [](Entry& e) { e.size_bytes = 1; }),
      with(Kind::fifo, [](Entry& e) { e.names = 0; }),
      with(Kind::fifo, [](Entry& e) { e.kind = static_cast<Kind>(8); }),
      with(Kind::fifo, [](Entry& e) { e.kind = Kind::file; }),
      with(Kind::block_device, [](Entry& e) { e.device_number = 1ULL << 32U; }),
      with(Kind::fifo, [](Entry& e) { e.attributes[0].name = "system.other"; }),
      with(Kind::fifo, [](Entry& e) { e.attributes[0].name = "security.selinux"; }),
      with(Kind::fifo, [](Entry& e) { e.attributes[0].name = "user."; }),
      with(Kind::fifo, [](Entry& e) { e.attributes[0].name = "user.z"; }),  // out of order
      with(Kind::fifo, [](Entry& e) { e.attributes[1].name = "user." + std::string(300, 'x'); }),
      with(Kind::fifo, [](Entry& e) { e.attributes[0].value = std::string(70'000, 'x'); })};
  for (const auto& bytes : bad) EXPECT_THROW((void)decode_node(bytes), base::Error);
}

TEST(BytesTest, NumbersSurviveTheirCoding) {
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128},
                                    std::uint64_t{UINT32_MAX}, UINT64_MAX}) {
    ByteWriter out;
    out.number(value);
    out.signed_number(static_cast<std::int64_t>(value));
    out.fixed64(value);
    ByteReader in{out.bytes()};
    EXPECT_EQ(in.number(), value);
    EXPECT_EQ(in.signed_number(), static_cast<std::int64_t>(value));
    EXPECT_EQ(in.fixed64(), value);
    EXPECT_TRUE(in.at_end());
  }
}

TEST(BytesTest, RefusesNumbersOfMoreThanSixtyFourBits) {
  ByteReader endless{std::string_view{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}};
  EXPECT_THROW((void)endless.number(), base::Error);
  ByteReader too_large{std::string_view{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"}};
  EXPECT_THROW((void)too_large.number(), base::Error);
}

/// Everything that is written arrives, block by block, compressed or not.
void round_trip(bool compress) {
  auto [left, right] = base::make_stream_pair();
  std::vector<std::string> sent;
  for (int i = 0; i < 300; ++i)
    sent.push_back(std::string(static_cast<std::size_t>(i * 40), static_cast<char>('a' + i % 26)));
  base::Worker writing{[&, stream = left.get()] {
    BlockWriter writer{*stream, compress, std::chrono::seconds{5}};
    for (const auto& payload : sent) writer.send(7, payload);
    writer.flush();
    stream->close_write();
  }};
  BlockReader reader{*right, std::chrono::seconds{5}};
  Message message;
  for (const auto& payload : sent) {
    ASSERT_TRUE(reader.next(message));
    EXPECT_EQ(message.type, 7);
    EXPECT_EQ(message.payload, payload);
  }
  EXPECT_FALSE(reader.next(message));
  writing.join();
}

TEST(BlockTest, CarriesMessagesUncompressed) {
  round_trip(false);
}
TEST(BlockTest, CarriesMessagesCompressed) {
  round_trip(true);
}

TEST(BlockTest, RefusesABlockThatInflatesBeyondWhatItAnnounces) {
  auto [left, right] = base::make_stream_pair();
  {
    BlockWriter writer{*left, true, std::chrono::seconds{5}};
    writer.send(1, std::string(200'000, 'x'));
    writer.flush();
  }
  std::string block(1 << 16, '\0');
  const auto size = right->read(block.data(), block.size(), std::chrono::seconds{5});
  block.resize(size);
  // Announce less than comes out, with checks that fit.
  block[4] = 1;
  block[5] = block[6] = block[7] = 0;
  const auto check = static_cast<std::uint32_t>(base::xxh64(std::string_view{block}.substr(0, 8)));
  for (unsigned i = 0; i < 4; ++i) block[8 + i] = static_cast<char>(check >> (8 * i) & 0xffU);
  auto [to, from] = base::make_stream_pair();
  to->write(block, std::chrono::seconds{5});
  to->close_write();
  BlockReader reader{*from, std::chrono::seconds{5}};
  Message message;
  EXPECT_THROW((void)reader.next(message), base::Error);
}

TEST(BlockTest, RefusesImpossibleSizesBeforeItTakesMemory) {
  auto [to, from] = base::make_stream_pair();
  std::string head("\xff\xff\xff\x7f\0\0\0\0", 8);
  const auto check = static_cast<std::uint32_t>(base::xxh64(head));
  for (unsigned i = 0; i < 4; ++i) head += static_cast<char>(check >> (8 * i) & 0xffU);
  to->write(head + std::string(8, '\0'), std::chrono::seconds{5});
  BlockReader reader{*from, std::chrono::seconds{5}};
  Message message;
  EXPECT_THROW((void)reader.next(message), base::Error);
}

TEST(BlockTest, ASideThatWorksForLongIsNotTakenForDead) {
  auto [to, from] = base::make_stream_pair();
  BlockWriter writer{*to, false, std::chrono::seconds{5}};
  std::string heard;
  base::Worker reading{[&] {
    BlockReader reader{*from, std::chrono::milliseconds{300}};
    Message message;
    if (reader.next(message)) heard = message.payload;
  }};
  {
    const KeepAlive alive{writer, std::chrono::milliseconds{30}};
    std::this_thread::sleep_for(std::chrono::milliseconds{900});
    writer.send(9, "at last");
    writer.flush();
  }
  reading.join();
  EXPECT_EQ(heard, "at last");
}

}  // namespace
}  // namespace hamn::sync
