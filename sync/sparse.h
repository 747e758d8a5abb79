#pragma once

#include <cstdint>
#include <string_view>

#include "base/disk.h"

namespace hamn::sync {

/// Writes a new file from its beginning and leaves blocks of zeros out: they become holes, which
/// read as zeros and take no space. A file system without holes writes the zeros itself.
class SparseWriter {
 public:
  /// `file` is empty. `disk` outlives the writer.
  SparseWriter(base::Disk& disk, int file) : disk_(&disk), file_(file) {}
  /// The next bytes of the file. Throws DiskError.
  void write(std::string_view bytes);
  /// Gives the file its size, if it ends with a hole. Throws DiskError.
  void finish();
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return offset_; }

 private:
  base::Disk* disk_;
  int file_;
  std::uint64_t offset_ = 0;
  std::uint64_t end_of_data_ = 0;
};

}  // namespace hamn::sync
