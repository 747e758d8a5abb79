#pragma once

#include "base/disk.h"

namespace hamn::test {

/// The kernel's file systems without waiting for the disk: for tests that do not ask about syncing
/// and do a lot.
class UnsyncedDisk : public base::RealDisk {
 public:
  void sync_file(int /*file*/) override {}
  void sync_directory(int /*directory*/) override {}
  void sync_filesystem(int /*directory*/) override {}
};

}  // namespace hamn::test
