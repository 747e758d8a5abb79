#include "sync/sparse.h"

#include <algorithm>
#include <cstring>

namespace hamn::sync {

namespace {

constexpr std::uint64_t block_bytes = 4096;

bool is_zero(std::string_view bytes) {
  return bytes.front() == '\0' &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace

void SparseWriter::write(std::string_view bytes) {
  std::size_t data_from = 0;  // bytes that are not written yet begin here
  std::size_t at = 0;
  const auto put = [&](std::size_t until) {
    if (until <= data_from) return;
    disk_->write(file_, bytes.substr(data_from, until - data_from), offset_ + data_from);
    end_of_data_ = offset_ + until;
  };
  while (at < bytes.size()) {
    const auto in_block = (offset_ + at) % block_bytes;
    const auto size = std::min<std::size_t>(block_bytes - in_block, bytes.size() - at);
    if (size == block_bytes && is_zero(bytes.substr(at, size))) {
      put(at);
      data_from = at + size;
    }
    at += size;
  }
  put(bytes.size());
  offset_ += bytes.size();
}

void SparseWriter::finish() {
  if (end_of_data_ < offset_) disk_->truncate(file_, offset_);
}

}  // namespace hamn::sync
