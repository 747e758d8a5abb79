#include "sync/listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "sync/bytes.h"
#include "sync/wire.h"

namespace hamn::sync {

namespace {

constexpr std::size_t buffer_bytes = 256U << 10U;
constexpr unsigned wanted = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_SIZE |
                            STATX_MTIME | STATX_CTIME | STATX_INO;

base::FileTime to_file_time(const statx_timestamp& time) {
  return {.seconds = time.tv_sec, .nanoseconds = time.tv_nsec};
}

bool is_same_file(const Entry& before, const struct statx& now) {
  return S_ISREG(now.stx_mode) && before.inode == now.stx_ino &&
         before.size_bytes == now.stx_size && before.changed == to_file_time(now.stx_ctime) &&
         before.modified == to_file_time(now.stx_mtime) && before.mode == (now.stx_mode & 07777U) &&
         before.uid == now.stx_uid && before.gid == now.stx_gid;
}

Entry directory_entry(const Entry& before, const struct statx& now) {
  Entry entry;
  entry.name = before.name;
  entry.kind = Kind::directory;
  entry.mode = now.stx_mode & 07777U;
  entry.uid = now.stx_uid;
  entry.gid = now.stx_gid;
  entry.modified = to_file_time(now.stx_mtime);
  entry.changed = to_file_time(now.stx_ctime);
  entry.inode = now.stx_ino;
  return entry;
}

}  // namespace

QuickComparison::QuickComparison() : buffer_(buffer_bytes) {}

std::string_view QuickComparison::text_of(const Name& name) const {
  return std::string_view{names_}.substr(name.at, name.size);
}

bool QuickComparison::add_name(const char* name, std::uint8_t type, const FileSet& set,
                               const DirectoryKey& key) {
  name_ = name;
  if (name_ == "." || name_ == "..") return true;
  if (type != DT_REG && type != DT_DIR) return false;
  path_.resize(key.path.size() + 1);
  path_ += name_;
  if (is_left_out(set, key.root, path_, type == DT_DIR)) {
    return !is_protected(set, key.root, path_, type == DT_DIR);  // which is to be told
  }
  order_.push_back({.at = static_cast<std::uint32_t>(names_.size()),
                    .size = static_cast<std::uint16_t>(name_.size()),
                    .type = type});
  names_.append(name_.c_str(), name_.size() + 1);
  return true;
}

bool QuickComparison::read_names(const FoundDirectory& found, const FileSet& set) {
  names_.clear();
  order_.clear();
  path_ = found.key.path + "/";
  for (;;) {
    const auto got = ::getdents64(found.directory.fd.get(), buffer_.data(), buffer_.size());
    if (got < 0) {
      throw base::DiskError{"cannot list " + base::printable(found.directory.path), errno};
    }
    if (got == 0) break;
    for (ssize_t at = 0; at < got;) {
      const auto* each = reinterpret_cast<const dirent64*>(buffer_.data() + at);
      if (!add_name(each->d_name, each->d_type, set, found.key)) return false;
      at += each->d_reclen;
    }
  }
  std::sort(order_.begin(), order_.end(),
            [this](const Name& a, const Name& b) { return text_of(a) < text_of(b); });
  return true;
}

bool QuickComparison::compare(int directory, const Name& name, const Entry& before,
                              Result& result) const {
  const auto kind = name.type == DT_DIR ? Kind::directory : Kind::file;
  if (before.kind != kind || text_of(name) != before.name) return false;
  struct statx now {};
  if (::statx(directory, names_.c_str() + name.at, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, wanted,
              &now) < 0) {
    return false;
  }
  if (kind == Kind::directory) {
    if (!S_ISDIR(now.stx_mode)) return false;
    result.children.push_back(compare_child(&before, directory_entry(before, now)));
    return true;
  }
  if (!is_same_file(before, now)) return false;
  ++result.files;
  result.bytes += before.size_bytes;
  return true;
}

bool QuickComparison::is_unchanged(FoundDirectory& found, const FileSet& set,
                                   std::string_view row) {
  ByteReader in{row};
  const auto count = in.number(row.size());
  if (!read_names(found, set) || order_.size() != count) return false;
  Result result;
  for (const auto& name : order_) {
    if (!compare(found.directory.fd.get(), name, read_entry(in), result)) return false;
  }
  found.children = std::move(result.children);
  found.files = result.files;
  found.bytes = result.bytes;
  return true;
}

}  // namespace hamn::sync
