#include "sync/page_hashes.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/disk.h"
#include "base/error.h"
#include "sync/bytes.h"

namespace hamn::sync {

namespace {

constexpr std::uint64_t format_mark = 0x31736567'61706d68;  // "hmpages1"
constexpr std::uint32_t smallest_page = 4096;
constexpr std::uint64_t most_pages = 1U << 20U;
constexpr std::size_t header_bytes = 5 * 8;
constexpr std::uint64_t samples = 256;
constexpr std::uint64_t samples_at_end = 3;
constexpr char literal_4 = 0x43;  // librsync's delta commands: length of 4 bytes, content
constexpr char copy_8_8 = 0x54;   // position and length of 8 bytes
constexpr std::uint32_t delta_mark = 0x72730236;
constexpr std::size_t most_literal_bytes = 256U << 10U;

std::string big_endian(std::uint64_t value, unsigned size) {
  std::string bytes;
  for (unsigned i = size; i-- > 0;) bytes += static_cast<char>(value >> (8 * i) & 0xffU);
  return bytes;
}

/// Calls `take` with each whole page in what was left over and `content`; keeps the rest.
template <typename Take>
void cut_pages(std::string& partial, std::string_view content, std::size_t page_bytes,
               const Take& take) {
  if (!partial.empty()) {
    const auto missing = std::min(page_bytes - partial.size(), content.size());
    partial += content.substr(0, missing);
    content.remove_prefix(missing);
    if (partial.size() < page_bytes) return;
    take(std::string_view{partial});
    partial.clear();
  }
  while (content.size() >= page_bytes) {
    take(content.substr(0, page_bytes));
    content.remove_prefix(page_bytes);
  }
  partial = content;
}

}  // namespace

std::uint32_t page_bytes_for(std::uint64_t file_bytes) {
  std::uint32_t page = smallest_page;
  while (file_bytes / page > most_pages && page < (1U << 30U)) page *= 2;
  return page;
}

PageHasher::PageHasher(std::uint64_t file_bytes)
    : hashes_{.page_bytes = page_bytes_for(file_bytes),
              .file_bytes = file_bytes,
              .content = {},
              .pages = {}} {
  hashes_.pages.reserve(file_bytes / hashes_.page_bytes + 1);
}

void PageHasher::feed(std::string_view content) {
  cut_pages(partial_, content, hashes_.page_bytes, [this](std::string_view page) { add(page); });
}

PageHashes PageHasher::finish(const base::Hash128& content) {
  if (!partial_.empty()) add(partial_);
  hashes_.content = content;
  return std::move(hashes_);
}

PageDelta::PageDelta(const PageHashes& before, std::uint64_t file_bytes)
    : before_(before),
      now_{.page_bytes = before.page_bytes, .file_bytes = file_bytes, .content = {}, .pages = {}} {
  now_.pages.reserve(file_bytes / before.page_bytes + 1);
}

void PageDelta::begin(const Sink& sink) {
  if (!has_begun_) sink(big_endian(delta_mark, 4));
  has_begun_ = true;
}

void PageDelta::put_copy(const Sink& sink) {
  if (copy_bytes_ == 0) return;
  begin(sink);
  sink(copy_8_8 + big_endian(copy_at_, 8) + big_endian(copy_bytes_, 8));
  copy_bytes_ = 0;
}

void PageDelta::put_literal(const Sink& sink) {
  if (literal_.empty()) return;
  begin(sink);
  sink(literal_4 + big_endian(literal_.size(), 4));
  sink(literal_);
  literal_.clear();
}

void PageDelta::take_page(std::string_view page, const Sink& sink) {
  const auto hash = base::xxh64(page);
  const auto number = now_.pages.size();
  now_.pages.push_back(hash);
  const auto whole_before = std::min<std::uint64_t>(
      before_.page_bytes, before_.file_bytes - std::min(before_.file_bytes, offset_));
  if (number < before_.pages.size() && before_.pages[number] == hash &&
      page.size() == whole_before) {
    put_literal(sink);
    if (copy_bytes_ == 0) copy_at_ = offset_;
    copy_bytes_ += page.size();
  } else {
    put_copy(sink);
    literal_ += page;
    if (literal_.size() >= most_literal_bytes) put_literal(sink);
  }
  offset_ += page.size();
}

void PageDelta::feed(std::string_view content, const Sink& sink) {
  cut_pages(partial_, content, before_.page_bytes,
            [&](std::string_view page) { take_page(page, sink); });
}

void PageDelta::finish(const Sink& sink) {
  if (!partial_.empty()) take_page(partial_, sink);
  partial_.clear();
  const bool is_all_there = offset_ == before_.file_bytes;
  if (!has_begun_ && literal_.empty() && is_all_there) return;
  put_literal(sink);
  put_copy(sink);
  begin(sink);
  sink(std::string(1, '\0'));
}

PageHashes PageDelta::take_hashes(const base::Hash128& content) {
  now_.content = content;
  return std::move(now_);
}

bool pages_line_up(int file, std::uint64_t file_bytes, const PageHashes& before) {
  const auto pages = std::min(file_bytes, before.file_bytes) / before.page_bytes;
  if (page_bytes_for(file_bytes) != before.page_bytes || pages < samples) return false;
  std::string page(before.page_bytes, '\0');
  std::uint64_t equal = 0;
  std::uint64_t equal_at_end = 0;
  for (std::uint64_t i = 0; i < samples; ++i) {
    const auto number = (pages - 1) * i / (samples - 1);
    const auto offset = static_cast<off_t>(number * before.page_bytes);
    if (::pread(file, page.data(), page.size(), offset) != static_cast<ssize_t>(page.size())) {
      return false;
    }
    if (before.pages[number] != base::xxh64(page)) continue;
    ++equal;
    if (i >= samples - samples_at_end) ++equal_at_end;
  }
  return equal * 10 >= samples * 9 && equal_at_end > 0;
}

std::string encode(const PageHashes& hashes) {
  ByteWriter out;
  out.fixed64(format_mark);
  out.fixed64(hashes.page_bytes);
  out.fixed64(hashes.file_bytes);
  out.fixed64(hashes.content.low);
  out.fixed64(hashes.content.high);
  for (const auto page : hashes.pages) out.fixed64(page);
  out.fixed64(base::xxh64(out.bytes()));
  return out.take();
}

std::optional<PageHashes> decode_page_hashes(std::string_view bytes) {
  if (bytes.size() < header_bytes + 8 || bytes.size() % 8 != 0) return std::nullopt;
  const auto body = bytes.substr(0, bytes.size() - 8);
  ByteReader checksum{bytes.substr(body.size())};
  ByteReader in{body};
  if (checksum.fixed64() != base::xxh64(body) || in.fixed64() != format_mark) return std::nullopt;
  PageHashes hashes;
  const auto page_bytes = in.fixed64();
  hashes.file_bytes = in.fixed64();
  hashes.content.low = in.fixed64();
  hashes.content.high = in.fixed64();
  if (page_bytes < smallest_page || page_bytes > (1U << 30U)) return std::nullopt;
  hashes.page_bytes = static_cast<std::uint32_t>(page_bytes);
  const auto pages = (body.size() - header_bytes) / 8;
  if (pages != (hashes.file_bytes + page_bytes - 1) / page_bytes) return std::nullopt;
  hashes.pages.resize(pages);
  for (auto& page : hashes.pages) page = in.fixed64();
  return hashes;
}

std::string PageStore::path_of(const DirectoryKey& directory, const std::string& name) const {
  const auto key = std::to_string(directory.root) + "/" + directory.path + "/" + name;
  return directory_ + "/" + base::xxh128(key).digits();
}

std::optional<PageHashes> PageStore::find(const DirectoryKey& directory, const std::string& name,
                                          const base::Hash128& content) const {
  if (content.is_zero()) return std::nullopt;
  for (const char* state : {"", ".old"}) {
    try {
      const auto bytes = base::read_file(path_of(directory, name) + state, most_pages * 16);
      auto hashes = bytes ? decode_page_hashes(*bytes) : std::nullopt;
      if (hashes && hashes->content == content) return hashes;
    } catch (const base::Error&) {
      continue;
    }
  }
  return std::nullopt;
}

void PageStore::keep(const DirectoryKey& directory, const std::string& name,
                     const PageHashes& hashes) const noexcept {
  try {
    base::make_directories(directory_, 0700);
    const auto path = path_of(directory, name);
    const auto before = path + ".old";
    (void)std::rename(path.c_str(), before.c_str());
    base::RealDisk disk;
    base::replace_file(disk, {.path = path, .content = encode(hashes), .mode = 0600});
  } catch (const base::Error&) {
    forget(directory, name);
  }
}

void PageStore::forget(const DirectoryKey& directory, const std::string& name) const noexcept {
  const auto path = path_of(directory, name);
  for (const char* state : {"", ".old"}) (void)std::remove((path + state).c_str());
}

}  // namespace hamn::sync
