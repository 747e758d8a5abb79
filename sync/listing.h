#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sync/walker.h"

namespace hamn::sync {

/// Tells for one directory after the other whether its files are what the index says, without
/// making a listing: names in big pieces from getdents64(2), one statx(2) each, compared with the
/// row while it is taken apart. Memory is kept from directory to directory.
///
/// It answers only what is certain. A new or missing name, a link, a device, a file system that
/// does not tell types: "no", and the caller lists the directory in full. Threads: one.
class QuickComparison {
 public:
  QuickComparison();
  /// True: no file changed, and found.children, files and bytes are filled in. False: `found` is as
  /// it was. Throws DiskError if the directory cannot be read.
  [[nodiscard]] bool is_unchanged(FoundDirectory& found, const FileSet& set, std::string_view row);

 private:
  struct Name {
    std::uint32_t at;  ///< in names_, with a NUL behind it
    std::uint16_t size;
    std::uint8_t type;
  };

  struct Result {
    std::vector<FoundDirectory::Child> children;
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] bool compare(int directory, const Name& name, const Entry& before,
                             Result& result) const;
  [[nodiscard]] bool read_names(const FoundDirectory& found, const FileSet& set);
  [[nodiscard]] bool add_name(const char* name, std::uint8_t type, const FileSet& set,
                              const DirectoryKey& key);
  [[nodiscard]] std::string_view text_of(const Name& name) const;

  std::vector<char> buffer_;
  std::string names_;
  std::vector<Name> order_;
  std::string name_;
  std::string path_;
};

}  // namespace hamn::sync
