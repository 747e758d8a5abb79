#include "sync/wire.h"

#include "base/text.h"
#include "sync/entry_bytes.h"

namespace hamn::sync {

namespace {

constexpr std::size_t longest_path = 64U << 10U;
constexpr std::size_t deepest_path = 512;
constexpr std::size_t longest_word = 256;
constexpr std::size_t longest_text = 4096;
constexpr std::size_t most_roots = 4096;
constexpr std::size_t largest_content = 1U << 20U;

/// A path below a root's parent: components, never upwards.
std::string read_path(ByteReader& in) {
  auto path = in.text(longest_path);
  if (path.empty()) return path;
  const auto parts = base::split(path, '/');
  if (parts.size() > deepest_path) damaged_message("a path is too deep");
  for (const auto& part : parts) {
    if (!is_component(part)) damaged_message("a path does not consist of plain components");
  }
  return path;
}

void write_wall_time(ByteWriter& out, base::WallTime time) {
  out.signed_number(time.time_since_epoch().count());
}

base::WallTime read_wall_time(ByteReader& in) {
  const base::WallTime time{base::Milliseconds{in.signed_number()}};
  if (time < base::WallTime{} || time > base::last_wall_time) {
    damaged_message("a time is out of range");
  }
  return time;
}

}  // namespace

std::string encode(const Hello& message) {
  ByteWriter out;
  out.number(message.protocol);
  out.text(message.set);
  out.text(message.host);
  out.text(message.run);
  out.number(message.epoch);
  out.number(message.generation);
  out.text(message.token);
  write_wall_time(out, message.as_of);
  out.byte(static_cast<std::uint8_t>(message.profile));
  write_flag(out, message.deletes);
  write_flag(out, message.accept_deletions);
  out.number(message.roots.size());
  for (const auto& root : message.roots) {
    out.text(root.destination_parent);
    out.text(root.pattern);
  }
  return out.take();
}

Hello decode_hello(std::string_view payload) {
  ByteReader in{payload};
  Hello message;
  message.protocol = static_cast<std::uint32_t>(in.number(UINT32_MAX));
  // The rest of another version's Hello is unknown; the receiver refuses it by its number.
  if (message.protocol != protocol_version) return message;
  message.set = in.text(longest_word);
  message.host = in.text(longest_word);
  message.run = in.text(longest_word);
  message.epoch = in.number();
  message.generation = in.number();
  message.token = in.text(longest_word);
  message.as_of = read_wall_time(in);
  message.profile = read_enumeration<Profile>(in, 2);
  message.deletes = read_flag(in);
  message.accept_deletions = read_flag(in);
  const auto count = in.number(most_roots);
  for (std::uint64_t i = 0; i < count; ++i) {
    Root root;
    root.destination_parent = in.text(longest_path);
    root.pattern = in.text(longest_name);
    message.roots.push_back(std::move(root));
  }
  in.expect_end();
  return message;
}

std::string encode(const Welcome& message) {
  ByteWriter out;
  out.byte(static_cast<std::uint8_t>(message.mode));
  out.number(message.generation);
  out.text(message.host);
  out.number(message.epoch);
  return out.take();
}

Welcome decode_welcome(std::string_view payload) {
  ByteReader in{payload};
  Welcome message;
  message.mode = read_enumeration<PassMode>(in, 3);
  message.generation = in.number();
  message.host = in.text(longest_word);
  message.epoch = in.number();
  in.expect_end();
  return message;
}

std::string encode(const Refusal& message) {
  ByteWriter out;
  out.byte(message.code);
  write_flag(out, message.deposed);
  out.number(message.epoch);
  out.text(message.what.substr(0, longest_text));
  out.text(message.detail.substr(0, longest_text));
  out.text(message.hint.substr(0, longest_text));
  return out.take();
}

Refusal decode_refusal(std::string_view payload) {
  ByteReader in{payload};
  Refusal message;
  message.code = in.byte();
  message.deposed = read_flag(in);
  message.epoch = in.number();
  message.what = in.text(longest_text);
  message.detail = in.text(longest_text);
  message.hint = in.text(longest_text);
  in.expect_end();
  return message;
}

std::string encode(const Names& message) {
  ByteWriter out;
  write_flag(out, message.is_group);
  out.number(message.id);
  out.text(message.name);
  return out.take();
}

Names decode_names(std::string_view payload) {
  ByteReader in{payload};
  Names message;
  message.is_group = read_flag(in);
  message.id = static_cast<std::uint32_t>(in.number(UINT32_MAX));
  message.name = in.text(longest_word);
  in.expect_end();
  return message;
}

std::string encode(const Enter& message) {
  ByteWriter out;
  out.number(message.number);
  out.number(message.key.root);
  out.text(message.key.path);
  if (!message.key.path.empty()) write_entry(out, message.self);
  return out.take();
}

Enter decode_enter(std::string_view payload) {
  ByteReader in{payload};
  Enter message;
  message.number = read_directory(in);
  message.key.root = static_cast<std::uint16_t>(in.number(UINT16_MAX));
  message.key.path = read_path(in);
  if (!message.key.path.empty()) {
    message.self = read_entry(in);
    if (message.self.kind != Kind::directory || message.self.name != name_of(message.key)) {
      damaged_message("a directory's attributes are those of something else");
    }
  }
  in.expect_end();
  return message;
}

std::string encode(const File& message) {
  ByteWriter out;
  out.number(message.directory);
  write_entry(out, message.entry);
  out.text(message.content);
  return out.take();
}

File decode_file(std::string_view payload) {
  ByteReader in{payload};
  File message;
  message.directory = read_directory(in);
  message.entry = read_entry(in);
  message.content = in.text(largest_content);
  in.expect_end();
  if (message.entry.kind != Kind::file || message.content.size() != message.entry.size_bytes) {
    damaged_message("a file's content does not have its size");
  }
  return message;
}

std::string encode(const Offer& message) {
  ByteWriter out;
  out.number(message.id);
  out.byte(static_cast<std::uint8_t>(message.kind));
  out.number(message.directory);
  write_entry(out, message.entry);
  return out.take();
}

Offer decode_offer(std::string_view payload) {
  ByteReader in{payload};
  Offer message;
  message.id = in.number();
  message.kind = read_enumeration<OfferKind>(in, 3);
  message.directory = read_directory(in);
  message.entry = read_entry(in);
  in.expect_end();
  if (message.entry.kind != Kind::file) damaged_message("only files are offered");
  return message;
}

std::string encode(const Begin& message) {
  ByteWriter out;
  out.number(message.id);
  write_flag(out, message.is_delta);
  out.number(message.directory);
  write_entry(out, message.entry);
  return out.take();
}

Begin decode_begin(std::string_view payload) {
  ByteReader in{payload};
  Begin message;
  message.id = in.number();
  message.is_delta = read_flag(in);
  message.directory = read_directory(in);
  message.entry = read_entry(in);
  in.expect_end();
  if (message.entry.kind != Kind::file) damaged_message("only files have content");
  return message;
}

std::string encode(const End& message) {
  ByteWriter out;
  write_flag(out, message.abandoned);
  out.number(message.size_bytes);
  write_time(out, message.modified);
  write_hash(out, message.content);
  return out.take();
}

End decode_end(std::string_view payload) {
  ByteReader in{payload};
  End message;
  message.abandoned = read_flag(in);
  message.size_bytes = in.number(largest_size);
  message.modified = read_time(in);
  message.content = read_hash(in);
  in.expect_end();
  return message;
}

std::string encode(const Gone& message) {
  ByteWriter out;
  out.number(message.directory);
  out.text(message.name);
  return out.take();
}

Gone decode_gone(std::string_view payload) {
  ByteReader in{payload};
  Gone message;
  message.directory = read_directory(in);
  message.name = read_name(in);
  in.expect_end();
  return message;
}

std::string encode(const Commit& message) {
  ByteWriter out;
  out.number(message.batch);
  write_flag(out, message.final);
  write_flag(out, message.may_delete);
  out.number(message.generation);
  return out.take();
}

Commit decode_commit(std::string_view payload) {
  ByteReader in{payload};
  Commit message;
  message.batch = in.number();
  message.final = read_flag(in);
  message.may_delete = read_flag(in);
  message.generation = in.number();
  in.expect_end();
  return message;
}

std::string encode(const Verdict& message) {
  ByteWriter out;
  out.number(message.id);
  out.byte(static_cast<std::uint8_t>(message.kind));
  write_hash(out, message.content);
  return out.take();
}

Verdict decode_verdict(std::string_view payload) {
  ByteReader in{payload};
  Verdict message;
  message.id = in.number();
  message.kind = read_enumeration<VerdictKind>(in, 4);
  message.content = read_hash(in);
  in.expect_end();
  return message;
}

std::string encode(const Signature& message) {
  ByteWriter out;
  out.number(message.id);
  write_flag(out, message.last);
  out.text(message.bytes);
  return out.take();
}

Signature decode_signature(std::string_view payload) {
  ByteReader in{payload};
  Signature message;
  message.id = in.number();
  message.last = read_flag(in);
  message.bytes = in.text(largest_content);
  in.expect_end();
  return message;
}

std::string encode(const Trouble& message) {
  ByteWriter out;
  out.number(message.directory);
  out.text(message.name);
  out.text(message.detail.substr(0, longest_text));
  return out.take();
}

Trouble decode_trouble(std::string_view payload) {
  ByteReader in{payload};
  Trouble message;
  message.directory = read_directory(in);
  message.name = in.text(longest_name);
  if (!message.name.empty() && !is_component(message.name)) damaged_message("an impossible name");
  message.detail = in.text(longest_text);
  in.expect_end();
  return message;
}

std::string encode(const Done& message) {
  ByteWriter out;
  out.number(message.batch);
  out.text(message.token);
  out.number(message.generation);
  return out.take();
}

Done decode_done(std::string_view payload) {
  ByteReader in{payload};
  Done message;
  message.batch = in.number();
  message.token = in.text(longest_word);
  message.generation = in.number();
  in.expect_end();
  return message;
}

}  // namespace hamn::sync
