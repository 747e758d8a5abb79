#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/site.h"

namespace hamn::base {

/// `text` as a string of a TOML file. Pure.
[[nodiscard]] std::string toml_string(const std::string& text);

/// What was wrong with one key. Internal to the configuration reader.
struct SiteProblem {
  std::uint64_t line = 0;  ///< 0: not in the file
  std::string text;
};

/// One table of a TOML file, read key by key. Notes where each value came from, what is wrong, and
/// at the end which keys nobody asked for. Hides the TOML library from site.cpp.
class SiteTable {
 public:
  struct File;  ///< the parsed file with everything noted so far

  SiteTable(File& file, void* table, std::string prefix);
  [[nodiscard]] SiteTable table(const std::string& key);
  /// Subtables of this table: [host.mn1], [host.mn2].
  [[nodiscard]] std::vector<std::string> subtables(const std::string& key);
  /// Elements of an array of tables: [[fence]].
  [[nodiscard]] std::vector<SiteTable> array(const std::string& key);
  [[nodiscard]] bool has(const std::string& key) const;

  [[nodiscard]] std::string text(const std::string& key, const std::string& fallback);
  [[nodiscard]] std::string required(const std::string& key, const std::string& example);
  [[nodiscard]] std::string choice(const std::string& key, const std::string& fallback,
                                   const std::vector<std::string>& choices);
  [[nodiscard]] std::uint64_t number(const std::string& key, std::uint64_t fallback,
                                     std::uint64_t smallest, std::uint64_t largest);
  /// true or false.
  [[nodiscard]] bool flag(const std::string& key, bool fallback);
  [[nodiscard]] Milliseconds duration(const std::string& key, const std::string& fallback);
  /// A duration of a second or more: less would never do.
  [[nodiscard]] Milliseconds limit(const std::string& key, const std::string& fallback);
  [[nodiscard]] std::vector<std::string> list(const std::string& key,
                                              const std::vector<std::string>& fallback);
  /// Notes a problem at `key`, or at the table if the key is not there.
  void complain(const std::string& key, const std::string& text);
  /// Complains about every key that was not read.
  void expect_nothing_else();

 private:
  void know(const std::string& key);
  void note(const std::string& key, const std::string& value);
  void wrong_type(const std::string& key, const std::string& wanted);

  File& file_;
  void* table_;  ///< toml::table, null if the file does not have this table
  std::string prefix_;
  std::vector<std::string> known_;
};

/// Owner of a parsed file.
class SiteFile {
 public:
  /// Throws Error (Exit::usage) with line and column if it is not TOML.
  SiteFile(const std::string& text, const std::string& path);
  SiteFile(const SiteFile&) = delete;
  SiteFile& operator=(const SiteFile&) = delete;
  ~SiteFile();
  [[nodiscard]] SiteTable root();
  [[nodiscard]] const std::vector<SiteProblem>& problems() const;
  [[nodiscard]] const std::vector<SettingOrigin>& settings() const;

 private:
  std::unique_ptr<SiteTable::File> file_;
};

}  // namespace hamn::base
