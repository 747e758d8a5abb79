#include "sync/entry_bytes.h"

#include "sync/wire.h"

namespace hamn::sync {

namespace {

constexpr std::uint8_t has_extras = 0x80;
constexpr std::uint64_t most_names = 1U << 30U;
constexpr std::uint64_t most_attributes = 1000;
constexpr std::size_t longest_value = 64U << 10U;

void write_attributes(ByteWriter& out, const std::vector<Attribute>& attributes) {
  out.number(attributes.size());
  for (const auto& attribute : attributes) {
    out.text(attribute.name);
    out.text(attribute.value);
  }
}

std::vector<Attribute> read_attributes(ByteReader& in) {
  std::vector<Attribute> attributes;
  std::size_t bytes = 0;
  for (auto count = in.number(most_attributes); count > 0; --count) {
    Attribute attribute;
    attribute.name = in.text(longest_name);
    attribute.value = in.text(longest_value);
    bytes += attribute.name.size() + attribute.value.size();
    if (!is_carried_attribute(attribute.name) || attribute.name.find('\0') != std::string::npos) {
      damaged_message("an extended attribute that is not carried");
    }
    if (!attributes.empty() && attributes.back().name >= attribute.name) {
      damaged_message("extended attributes are out of order");
    }
    if (bytes > most_attribute_bytes) damaged_message("too many extended attributes");
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

std::string read_target(ByteReader& in) {
  auto target = in.text(longest_target);
  if (target.empty() || target.find('\0') != std::string::npos) {
    damaged_message("a link without a target");
  }
  return target;
}

bool is_device(Kind kind) {
  return kind == Kind::character_device || kind == Kind::block_device;
}

}  // namespace

void write_hash(ByteWriter& out, const base::Hash128& hash) {
  out.fixed64(hash.low);
  out.fixed64(hash.high);
}

base::Hash128 read_hash(ByteReader& in) {
  const auto low = in.fixed64();
  return {.low = low, .high = in.fixed64()};
}

void write_time(ByteWriter& out, const base::FileTime& time) {
  out.signed_number(time.seconds);
  out.number(time.nanoseconds);
}

base::FileTime read_time(ByteReader& in) {
  const auto seconds = in.signed_number();
  return {.seconds = seconds, .nanoseconds = static_cast<std::uint32_t>(in.number(999'999'999))};
}

std::string read_name(ByteReader& in) {
  auto name = in.text(longest_name);
  if (!is_component(name)) damaged_message("a name is not a single component of a path");
  return name;
}

std::uint32_t read_directory(ByteReader& in) {
  return static_cast<std::uint32_t>(in.number(UINT32_MAX));
}

void write_flag(ByteWriter& out, bool flag) {
  out.byte(flag ? 1 : 0);
}

bool read_flag(ByteReader& in) {
  const auto value = in.byte();
  if (value > 1) damaged_message("a flag is neither 0 nor 1");
  return value == 1;
}

bool is_carried_attribute(std::string_view name) {
  if (name == "system.posix_acl_access" || name == "system.posix_acl_default") return true;
  if (name == "security.selinux" || name == "security.ima" || name == "security.evm") return false;
  for (const std::string_view space : {"user.", "trusted.", "security."}) {
    if (name.starts_with(space) && name.size() > space.size()) return true;
  }
  return false;
}

bool is_component(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

void write_entry(ByteWriter& out, const Entry& entry) {
  const bool extras = entry.names > 1 || !entry.attributes.empty();
  out.text(entry.name);
  out.byte(static_cast<std::uint8_t>(static_cast<std::uint8_t>(entry.kind) |
                                     (extras ? has_extras : 0U)));
  out.number(entry.mode);
  out.number(entry.uid);
  out.number(entry.gid);
  out.number(entry.size_bytes);
  write_time(out, entry.modified);
  write_time(out, entry.changed);
  out.number(entry.inode);
  write_hash(out, entry.content);
  if (entry.kind == Kind::symlink) out.text(entry.target);
  if (is_device(entry.kind)) out.number(entry.device_number);
  if (!extras) return;
  out.number(entry.names);
  write_attributes(out, entry.attributes);
}

Entry read_entry(ByteReader& in) {
  Entry entry;
  entry.name = read_name(in);
  const auto kind = in.byte();
  entry.kind = static_cast<Kind>(kind & 0x7fU);
  if (entry.kind < Kind::file || entry.kind > Kind::block_device) {
    damaged_message("an unknown kind");
  }
  entry.mode = static_cast<std::uint32_t>(in.number(07777));
  entry.uid = static_cast<std::uint32_t>(in.number(UINT32_MAX));
  entry.gid = static_cast<std::uint32_t>(in.number(UINT32_MAX));
  entry.size_bytes = in.number(largest_size);
  entry.modified = read_time(in);
  entry.changed = read_time(in);
  entry.inode = in.number();
  entry.content = read_hash(in);
  if (is_node(entry.kind) && entry.size_bytes != 0) damaged_message("something empty has a size");
  if (entry.kind == Kind::symlink) entry.target = read_target(in);
  if (is_device(entry.kind)) entry.device_number = in.number(UINT32_MAX);
  if ((kind & has_extras) == 0) return entry;
  entry.names = in.number(most_names);
  if (entry.names == 0) damaged_message("a file without a name");
  entry.attributes = read_attributes(in);
  return entry;
}

}  // namespace hamn::sync
