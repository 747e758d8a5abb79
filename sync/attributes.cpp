#include "sync/attributes.h"

#include <algorithm>
#include <cerrno>

#include "sync/entry_bytes.h"

namespace hamn::sync {

std::vector<Attribute> read_attributes(base::Disk& disk, int file) {
  std::vector<Attribute> attributes;
  std::size_t bytes = 0;
  for (const auto& name : disk.attribute_names(file)) {
    if (!is_carried_attribute(name)) continue;
    auto value = disk.attribute(file, name);
    if (!value) continue;  // removed meanwhile
    bytes += name.size() + value->size();
    if (bytes > most_attribute_bytes) {
      throw base::DiskError{"cannot carry so many extended attributes", E2BIG};
    }
    attributes.push_back({.name = name, .value = std::move(*value)});
  }
  return attributes;
}

void write_attributes(base::Disk& disk, int file, const std::vector<Attribute>& wanted) {
  for (const auto& name : disk.attribute_names(file)) {
    const bool stays = std::any_of(wanted.begin(), wanted.end(),
                                   [&](const Attribute& each) { return each.name == name; });
    if (!stays && is_carried_attribute(name)) disk.remove_attribute(file, name);
  }
  for (const auto& attribute : wanted) {
    if (disk.attribute(file, attribute.name) == attribute.value) continue;
    disk.set_attribute(file, attribute.name, attribute.value);
  }
}

base::FileType to_type(Kind kind) {
  switch (kind) {
    case Kind::file:
      return base::FileType::regular;
    case Kind::directory:
      return base::FileType::directory;
    case Kind::symlink:
      return base::FileType::symlink;
    case Kind::fifo:
      return base::FileType::fifo;
    case Kind::socket:
      return base::FileType::socket;
    case Kind::character_device:
      return base::FileType::character_device;
    case Kind::block_device:
      return base::FileType::block_device;
  }
  return base::FileType::other;
}

std::optional<Kind> to_kind(base::FileType type) {
  for (auto kind = Kind::file; kind <= Kind::block_device;
       kind = static_cast<Kind>(static_cast<int>(kind) + 1)) {
    if (to_type(kind) == type) return kind;
  }
  return std::nullopt;
}

}  // namespace hamn::sync
