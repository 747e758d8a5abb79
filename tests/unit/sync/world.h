#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/role.h"
#include "base/stream.h"
#include "sync/receiver.h"
#include "sync/sender.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unsynced_disk.h"

namespace hamn::sync {

/// A primary and a standby in one process, each with a directory of its own, joined by a stream
/// pair that a test may wrap to cut it or to flip its bits.
class World {
 public:
  /// Wraps the sender's end of the stream.
  using Wrap = std::function<std::unique_ptr<base::Stream>(std::unique_ptr<base::Stream>)>;

  World();

  [[nodiscard]] std::string source(const std::string& path) const;
  [[nodiscard]] std::string target(const std::string& path) const;
  void given(const std::string& path, const std::string& content);
  void given_role(base::RoleName name, std::uint64_t epoch);

  /// One pass; throws what the sender threw. The receiver's error, if any, is in receiver_error.
  SendResult pass();
  SendResult pass(const Wrap& wrap);
  /// As pass(), with another disk on the receiving side.
  SendResult pass_with(base::Disk& disk, const Wrap& wrap);

  /// Paths (with type, mode, nanosecond mtime and content) below a directory, as text.
  [[nodiscard]] std::string source_tree() const;
  [[nodiscard]] std::string target_tree() const;

  FileSet set;
  std::uint64_t epoch = 1;
  bool accept_emptied = false;
  bool deletes = false;  ///< as `hamn sync run --delete`
  bool accept_deletions = false;
  std::string receiver_error;

 private:
  [[nodiscard]] ReceiverPolicy policy() const;

  test::TemporaryDirectory root_;
  test::UnsyncedDisk disk_;
  base::RealClock clock_;
};

/// `size` bytes that do not compress, the same for the same seed.
[[nodiscard]] std::string noise(std::size_t size, unsigned seed);

/// Everything below `root` as lines; hamn's staging directories show as such.
[[nodiscard]] std::string tree_of(const std::string& root);

}  // namespace hamn::sync
