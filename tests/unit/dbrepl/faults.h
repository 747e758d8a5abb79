#pragma once

#include <string>

#include "base/disk.h"

namespace hamn::dbrepl::test {

/// What happens at one certain change to a disk, whether hamn or SQLite makes it.
enum class Fault {
  none,
  kill,  ///< the process is killed before the change
  full   ///< this and every later change that needs room fails with ENOSPC
};

/// Arms `fault` for the `nth` change from now on (1 is the next) and counts from there.
void arm(Fault fault, int nth);
/// Changes since arm().
int changes();

/// From now on SQLite's changes of this process count as well, and it waits for locks in no time.
/// Undone by restore_sqlite().
void watch_sqlite();
void restore_sqlite();

/// The kernel's file systems, counted.
class FaultyDisk : public base::RealDisk {
 public:
  void make_directory(int directory, const std::string& name, unsigned mode) override;
  base::Fd create_file(int directory, const std::string& name, unsigned mode) override;
  void write(int file, std::string_view data, std::uint64_t offset) override;
  void rename(int from, const std::string& old_name, int to, const std::string& new_name) override;
  void remove_file(int directory, const std::string& name) override;
  void remove_directory(int directory, const std::string& name) override;
  void sync_file(int file) override;
  void sync_directory(int directory) override;
};

}  // namespace hamn::dbrepl::test
