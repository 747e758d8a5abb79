#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/site.h"
#include "cron/crontab_reader.h"

namespace hamn::cron {

/// A crontab and where it came from.
struct CrontabSource {
  std::string name;  ///< "/etc/cron.d/sync", "crontab of root"
  std::string text;
  CrontabForm form = CrontabForm::guess;
};

/// What the import may ask this host; plain functions, so that a test needs no files.
struct ImportContext {
  std::map<std::string, base::FileSetSettings> present;  ///< the sets that there are already
  std::set<std::string> other_host;  ///< names and addresses of the two management nodes
  std::string home = "/root";        ///< of root
  std::function<bool(const std::string&)> is_user;
  std::function<bool(const std::string&)> is_directory;
  std::function<std::optional<std::string>(const std::string&)> read;  ///< a small file
};

/// A file set that replaces one line.
struct ImportedSet {
  base::FileSetSettings settings;  ///< max_age 0: the default does
  base::Milliseconds every{0};
  std::string source;  ///< "crontab of root, line 4"
  std::string line;    ///< as it stands there

  friend bool operator==(const ImportedSet&, const ImportedSet&) = default;
};

/// One thing that a person should know about one line.
struct ImportRemark {
  enum class Kind {
    replaced,  ///< nothing to do: an existing file set holds it already
    differs,   ///< translated, but hamn does something otherwise
    left       ///< not translated: the line has to stay, or somebody has to think
  };
  Kind kind = Kind::left;
  std::string source;
  std::string line;
  std::string text;

  friend bool operator==(const ImportRemark&, const ImportRemark&) = default;
};

/// What came of an import: sets to add, and remarks about lines.
struct Import {
  std::vector<ImportedSet> sets;
  std::vector<ImportRemark> remarks;
  std::size_t lines = 0;  ///< lines with rsync that were found
};

/// Turns every line that runs rsync into a file set, or says why not: each such line gives a set or
/// a remark, often both. Lines without rsync are passed over. Pure but for the context.
[[nodiscard]] Import import_crontabs(const std::vector<CrontabSource>& sources,
                                     const ImportContext& context);

/// The import as TOML: sets, their intervals, and all remarks as comments. Pure.
[[nodiscard]] std::string to_toml(const Import& import);

/// The configuration `text` with the sets added at its end and their intervals in its [schedule].
/// Pure.
[[nodiscard]] std::string add_to_configuration(const std::string& text, const Import& import);

}  // namespace hamn::cron
