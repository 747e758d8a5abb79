#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "sync/delta.h"
#include "sync/entry.h"

namespace hamn::sync {

/// What the sender remembers of a large file that the receiver has: a hash of every page. With it
/// the sender alone finds the pages that changed, in one reading of the file; nothing is asked of
/// the receiver and nothing is searched for. docs/formats/pages.md.
///
/// It is a hint and never trusted: the receiver checks the hash of the whole new file, and asks for
/// all of it if that does not fit.
struct PageHashes {
  std::uint32_t page_bytes = 0;
  std::uint64_t file_bytes = 0;
  base::Hash128 content;             ///< of the whole file, as the index holds it
  std::vector<std::uint64_t> pages;  ///< XXH3-64; the last page may be short
};

/// From this size on a file's page hashes are kept [bytes].
constexpr std::uint64_t smallest_paged_file = 16U << 20U;

/// 4 KiB up to files of 4 GiB, then doubled: at most 8 MiB of hashes per file. Pure.
[[nodiscard]] std::uint32_t page_bytes_for(std::uint64_t file_bytes);

/// Hashes pages of content that comes in pieces.
class PageHasher {
 public:
  explicit PageHasher(std::uint64_t file_bytes);
  void feed(std::string_view content);
  /// Everything was fed.
  [[nodiscard]] PageHashes finish(const base::Hash128& content);

 private:
  void add(std::string_view page) { hashes_.pages.push_back(base::xxh64(page)); }

  PageHashes hashes_;
  std::string partial_;
};

/// Makes a delta in librsync's format out of pages that differ from what they were.
class PageDelta {
 public:
  /// `before` outlives the delta.
  PageDelta(const PageHashes& before, std::uint64_t file_bytes);
  /// Takes the next piece of the new file. Gives out nothing while everything is as it was.
  void feed(std::string_view content, const Sink& sink);
  void finish(const Sink& sink);
  /// True if a page was different. Before that, nothing was given out.
  [[nodiscard]] bool has_begun() const noexcept { return has_begun_; }
  [[nodiscard]] PageHashes take_hashes(const base::Hash128& content);

 private:
  void take_page(std::string_view page, const Sink& sink);
  void put_copy(const Sink& sink);
  void put_literal(const Sink& sink);
  void begin(const Sink& sink);

  const PageHashes& before_;
  PageHashes now_;
  std::string partial_;
  std::uint64_t offset_ = 0;
  std::uint64_t copy_at_ = 0;
  std::uint64_t copy_bytes_ = 0;
  std::string literal_;
  bool has_begun_ = false;
};

/// True if the open file still looks like what the hashes describe, page by page: nearly all of
/// some pages spread over it are as they were, up to the end. If bytes were inserted, pages no
/// longer line up, and librsync finds more.
[[nodiscard]] bool pages_line_up(int file, std::uint64_t file_bytes, const PageHashes& before);

/// The page hashes of a set's files: one file each in a directory beside the index, the last two
/// states of it, because the receiver may have either. All functions do without what they cannot
/// read or write. Threads: any, for different files.
class PageStore {
 public:
  explicit PageStore(std::string directory) : directory_(std::move(directory)) {}
  /// The hashes of the state with that content, if they are kept.
  [[nodiscard]] std::optional<PageHashes> find(const DirectoryKey& directory,
                                               const std::string& name,
                                               const base::Hash128& content) const;
  void keep(const DirectoryKey& directory, const std::string& name,
            const PageHashes& hashes) const noexcept;
  void forget(const DirectoryKey& directory, const std::string& name) const noexcept;

 private:
  [[nodiscard]] std::string path_of(const DirectoryKey& directory, const std::string& name) const;

  std::string directory_;
};

/// Hashes as the bytes of a file; nothing for bytes that are damaged or of another format. Pure.
[[nodiscard]] std::string encode(const PageHashes& hashes);
[[nodiscard]] std::optional<PageHashes> decode_page_hashes(std::string_view bytes);

}  // namespace hamn::sync
