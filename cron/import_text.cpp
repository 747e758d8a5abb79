#include <algorithm>

#include "base/site_reader.h"
#include "base/text.h"
#include "cron/import.h"

namespace hamn::cron {

namespace {

std::string quoted_list(const std::vector<std::string>& texts) {
  std::vector<std::string> all;
  all.reserve(texts.size());
  for (const auto& text : texts) all.push_back(base::toml_string(text));
  return "[" + base::join(all, ", ") + "]";
}

/// "10min", "1h30min", "2d": as the configuration has it.
std::string duration_text(base::Milliseconds duration) {
  auto minutes = std::chrono::duration_cast<std::chrono::minutes>(duration).count();
  std::string text;
  for (const auto& [size, unit] : {std::pair{24 * 60L, "d"}, {60L, "h"}, {1L, "min"}}) {
    if (minutes < size) continue;
    text += std::to_string(minutes / size) + unit;
    minutes %= size;
  }
  return base::toml_string(text.empty() ? "1min" : text);
}

std::string comment(const std::string& text) {
  return "# " + base::printable(text) + "\n";
}

std::string tables_of(const Import& import) {
  std::string text;
  for (const auto& set : import.sets) {
    text += "\n" + comment("From " + set.source + ": " + set.line) + "[sync.set." +
            set.settings.name + "]\npaths = " + quoted_list(set.settings.paths) + "\n";
    if (!set.settings.exclude.empty()) {
      text += "exclude = " + quoted_list(set.settings.exclude) + "\n";
    }
    if (set.settings.is_faithful) text += "profile = \"faithful\"\n";
    if (set.settings.deletes) text += "delete = true\n";
    if (set.settings.max_age.count() > 0) {
      text += "max_age = " + duration_text(set.settings.max_age) + "\n";
    }
  }
  return text;
}

std::string intervals_of(const Import& import) {
  std::string text;
  for (const auto& set : import.sets) {
    text += "sync-" + set.settings.name + " = " + duration_text(set.every) + "\n";
  }
  return text;
}

std::string remarks_of(const Import& import, ImportRemark::Kind kind, const std::string& title) {
  std::string text;
  std::string last;
  for (const auto& remark : import.remarks) {
    if (remark.kind != kind) continue;
    if (text.empty()) text += "\n" + comment(title);
    if (remark.source != last) text += comment("  " + remark.source + ": " + remark.line);
    last = remark.source;
    text += comment("    - " + remark.text);
  }
  return text;
}

}  // namespace

std::string to_toml(const Import& import) {
  using Kind = ImportRemark::Kind;
  auto text = tables_of(import);
  if (!import.sets.empty()) {
    text += "\n# These belong into the table [schedule] that is there already.\n[schedule]\n" +
            intervals_of(import);
  }
  text +=
      remarks_of(import, Kind::left, "Not translated; these lines have to stay, or need a look:");
  text += remarks_of(import, Kind::differs, "Translated, with a difference:");
  text += remarks_of(import, Kind::replaced, "Nothing to do:");
  if (import.lines == 0) text += "# No line runs rsync.\n";
  return text.starts_with("\n") ? text.substr(1) : text;
}

std::string add_to_configuration(const std::string& text, const Import& import) {
  if (import.sets.empty()) return text;
  auto lines = base::lines_of(text);
  const auto is_schedule = [](const std::string& line) {
    return base::trim(line.substr(0, line.find('#'))) == "[schedule]";
  };
  const auto schedule = std::find_if(lines.begin(), lines.end(), is_schedule);
  std::string result;
  for (const auto& line : lines) {
    result += line + "\n";
    if (schedule != lines.end() && &line == &*schedule) result += intervals_of(import);
  }
  result += tables_of(import);
  if (schedule == lines.end()) result += "\n[schedule]\n" + intervals_of(import);
  return result;
}

}  // namespace hamn::cron
