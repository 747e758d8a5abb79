// Messages of faithful sets and of deletion.

#include "sync/entry_bytes.h"
#include "sync/wire.h"

namespace hamn::sync {

namespace {

constexpr std::uint64_t most_names_at_once = 1U << 16U;

}  // namespace

std::string encode(const Node& message) {
  ByteWriter out;
  out.number(message.directory);
  write_entry(out, message.entry);
  return out.take();
}

Node decode_node(std::string_view payload) {
  ByteReader in{payload};
  Node message;
  message.directory = read_directory(in);
  message.entry = read_entry(in);
  in.expect_end();
  if (!is_node(message.entry.kind)) damaged_message("a file or directory in place of a node");
  return message;
}

std::string encode(const Link& message) {
  ByteWriter out;
  out.number(message.directory);
  write_entry(out, message.entry);
  out.number(message.leader_directory);
  out.text(message.leader_name);
  return out.take();
}

Link decode_link(std::string_view payload) {
  ByteReader in{payload};
  Link message;
  message.directory = read_directory(in);
  message.entry = read_entry(in);
  message.leader_directory = read_directory(in);
  message.leader_name = read_name(in);
  in.expect_end();
  if (message.entry.kind == Kind::directory) damaged_message("a second name of a directory");
  return message;
}

std::string encode(const Present& message) {
  ByteWriter out;
  out.number(message.directory);
  write_flag(out, message.last);
  out.number(message.names.size());
  for (const auto& name : message.names) out.text(name);
  return out.take();
}

Present decode_present(std::string_view payload) {
  ByteReader in{payload};
  Present message;
  message.directory = read_directory(in);
  message.last = read_flag(in);
  for (auto count = in.number(most_names_at_once); count > 0; --count) {
    message.names.push_back(read_name(in));
  }
  in.expect_end();
  return message;
}

std::string encode(const Deleted& message) {
  ByteWriter out;
  out.number(message.names);
  out.number(message.total);
  write_flag(out, message.held_back);
  return out.take();
}

Deleted decode_deleted(std::string_view payload) {
  ByteReader in{payload};
  Deleted message;
  message.names = in.number();
  message.total = in.number();
  message.held_back = read_flag(in);
  in.expect_end();
  return message;
}

}  // namespace hamn::sync
