#include "tests/parity/trees.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"
#include "tests/unit/sync/world.h"

namespace hamn::parity {

namespace fs = std::filesystem;

TreeMaker::TreeMaker(std::string root, Ingredients ingredients, unsigned seed)
    : root_(std::move(root)), ingredients_(ingredients), random_(seed) {}

std::uint32_t TreeMaker::random(std::uint32_t below) {
  return static_cast<std::uint32_t>(random_() % below);
}

std::string TreeMaker::new_name() {
  static const std::array<std::string, 12> strange{
      "new\nline", "\xff\xfe", "-rf",     " leading", "trailing ", "*",
      "a\\b",      "[x]",      ".hidden", "~",        "quote\"'",  std::string(240, 'n')};
  const auto number = std::to_string(++names_);
  return random(5) == 0 ? strange[random(strange.size())] + number : "name" + number;
}

std::string TreeMaker::content() {
  switch (random(8)) {
    case 0:
      return "";
    case 1:
      return sync::noise(600'000 + random(200'000), random(1000));
    case 2: {
      std::string sparse(100'000 + random(900'000), '\0');
      sparse.replace(random(50'000), 5, "start");
      sparse.replace(90'000, 3, "end");
      return sparse;
    }
    case 3:
      return std::string(random(300'000), 'x');
    default:
      return sync::noise(random(5000), random(1000));
  }
}

void TreeMaker::make_file(const std::string& path) {
  const auto bytes = content();
  std::ofstream file{path, std::ios::binary | std::ios::trunc};
  if (bytes.size() > 100'000 && bytes[60'000] == '\0') {  // with holes
    file << bytes.substr(0, 60'000);
    file.seekp(90'000);
    file << bytes.substr(90'000, 3);
    file.close();
    fs::resize_file(path, bytes.size());
  } else {
    file << bytes;
  }
  files_.push_back(path);
}

void TreeMaker::make_link(const std::string& path) {
  switch (random(5)) {
    case 0:
      fs::create_symlink("nowhere/to/be/found", path);
      return;
    case 1:
      if (ingredients_.outside_links) return fs::create_symlink("/etc/hostname", path);
      return fs::create_symlink("../up", path);
    case 2:
      if (!files_.empty()) return fs::create_symlink(files_[random(files_.size())], path);
      return fs::create_symlink("x", path);
    default:
      if (files_.empty()) return fs::create_symlink("x", path);
      fs::create_symlink(fs::relative(files_[random(files_.size())], fs::path{path}.parent_path()),
                         path);
  }
}

void TreeMaker::make_special(const std::string& path) {
  switch (random(4)) {
    case 0:
      ::mkfifo(path.c_str(), 0644);
      return;
    case 1:
      ::mknod(path.c_str(), S_IFSOCK | 0600, 0);
      return;
    case 2:
      ::mknod(path.c_str(), S_IFCHR | 0666, makedev(1, random(600)));
      return;
    default:
      ::mknod(path.c_str(), S_IFBLK | 0660, makedev(7, random(600)));
  }
}

void TreeMaker::make_something(const std::string& directory, int depth) {
  const auto path = directory + "/" + new_name();
  const auto what = random(12);
  if (what < 2 && depth < 5) {
    fs::create_directory(path);
    directories_.push_back(path);
    for (auto count = random(7); count > 0; --count) make_something(path, depth + 1);
  } else if (what == 2 && ingredients_.symlinks) {
    make_link(path);
  } else if (what == 3 && ingredients_.specials) {
    make_special(path);
  } else if (what <= 5 && ingredients_.hard_links && !files_.empty()) {
    std::error_code ignored;
    fs::create_hard_link(files_[random(files_.size())], path, ignored);
  } else {
    make_file(path);
  }
}

void TreeMaker::give_acl(const std::string& path, bool is_directory) {
  // struct posix_acl_xattr: version 2, then tag:u16 permissions:u16 id:u32 (acl(5)).
  const auto entry = [](std::uint16_t tag, std::uint16_t permissions, std::uint32_t id) {
    std::string bytes;
    for (const std::uint32_t part : {std::uint32_t{tag} | (std::uint32_t{permissions} << 16U), id})
      for (unsigned shift = 0; shift < 32; shift += 8)
        bytes += static_cast<char>((part >> shift) & 0xffU);
    return bytes;
  };
  const auto bits = [&] { return static_cast<std::uint16_t>(random(8)); };
  constexpr std::uint32_t none = 0xffffffff;
  const auto acl = std::string{"\x02\0\0\0", 4} + entry(0x01, bits(), none) +
                   entry(0x02, bits(), 1000 + random(50)) + entry(0x04, bits(), none) +
                   entry(0x08, bits(), 2000) + entry(0x10, bits(), none) +
                   entry(0x20, bits(), none);
  const char* name =
      is_directory && random(2) == 0 ? "system.posix_acl_default" : "system.posix_acl_access";
  (void)::setxattr(path.c_str(), name, acl.data(), acl.size(), 0);
}

void TreeMaker::give_attributes(const std::string& path) {
  struct stat found {};
  ::lstat(path.c_str(), &found);
  const bool plain = S_ISREG(found.st_mode) || S_ISDIR(found.st_mode);
  const auto value = sync::noise(random(60), random(1000));
  (void)::lsetxattr(path.c_str(), "trusted.test", value.data(), value.size(), 0);
  if (!plain) return;
  (void)::setxattr(path.c_str(), "user.colour", value.data(), value.size(), 0);
  if (random(3) == 0) give_acl(path, S_ISDIR(found.st_mode));
  if (random(3) == 0 && S_ISREG(found.st_mode)) {
    // struct vfs_cap_data, version 2, effective: cap_net_raw (capability.h)
    const std::string capability{"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20};
    (void)::setxattr(path.c_str(), "security.capability", capability.data(), capability.size(), 0);
  }
}

void TreeMaker::decorate(const std::string& path) {
  static constexpr std::array<uid_t, 4> owners{0, 1, 65534, 54321};
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return;
  (void)!::lchown(path.c_str(), owners[random(4)], owners[random(4)]);
  if (!S_ISLNK(found.st_mode)) ::chmod(path.c_str(), random(010000));
  if (ingredients_.attributes && random(3) == 0) give_attributes(path);
  static constexpr std::array<time_t, 4> moments{-1000, 0, 1'700'000'000, 4'200'000'000};
  const std::array<timespec, 2> times{
      {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
       {.tv_sec = moments[random(4)] + random(100'000), .tv_nsec = random(1'000'000'000)}}};
  ::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

std::vector<std::string> TreeMaker::everything() const {
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator{root_}) {
    paths.push_back(entry.path().string());
  }
  // The order of a directory is the file system's own: not the same for the same seed.
  std::sort(paths.begin(), paths.end(), std::greater<>{});
  return paths;
}

void TreeMaker::make() {
  for (int i = 0; i < 12; ++i) make_something(root_, 0);
  for (const auto& path : everything()) decorate(path);
  decorate(root_);
}

void TreeMaker::change_one(const std::string& path, bool may_remove) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return;
  switch (random(may_remove ? 8 : 5)) {
    case 0:
    case 1:
      decorate(path);
      return;
    case 2:
      if (S_ISREG(found.st_mode)) make_file(path);
      return;
    case 3:
      if (S_ISDIR(found.st_mode)) make_something(path, 4);
      return;
    case 4:
      if (S_ISREG(found.st_mode)) {
        std::ofstream{path, std::ios::binary | std::ios::app} << "appended";
      }
      return;
    case 5:
      fs::remove_all(path);
      return;
    case 6: {
      std::error_code ignored;
      fs::rename(path, fs::path{path}.parent_path() / new_name(), ignored);
      return;
    }
    default:
      fs::remove_all(path);
      if (random(2) == 0 && ingredients_.symlinks) return fs::create_symlink("x", path);
      if (random(2) == 0) return make_file(path);
      fs::create_directory(path);
  }
}

void TreeMaker::change(bool may_remove) {
  for (const auto& path : everything()) {
    if (random(4) == 0) change_one(path, may_remove);
  }
  for (int i = 0; i < 3; ++i) make_something(root_, 3);
  std::erase_if(files_, [](const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode);
  });
}

}  // namespace hamn::parity
