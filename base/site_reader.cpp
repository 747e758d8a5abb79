#include "base/site_reader.h"

#include <algorithm>
#include <memory>
#include <set>
#include <sstream>

#include <toml++/toml.h>

#include "base/error.h"
#include "base/text.h"

namespace hamn::base {

struct SiteTable::File {
  std::string path;
  toml::table root;
  std::vector<SiteProblem> problems;
  std::set<std::string> mistyped;  ///< keys of the wrong type: whatever else is said is noise
  std::vector<SettingOrigin> settings;
};

namespace {

toml::table* as_table(void* table) {
  return static_cast<toml::table*>(table);
}

std::string quoted(const std::string& text) {
  const toml::value<std::string> value{text};
  std::ostringstream out;
  out << toml::toml_formatter{value, toml::format_flags::allow_unicode_strings};
  return out.str();
}

}  // namespace

SiteTable::SiteTable(File& file, void* table, std::string prefix)
    : file_(file), table_(table), prefix_(std::move(prefix)) {}

bool SiteTable::has(const std::string& key) const {
  return table_ != nullptr && as_table(table_)->contains(key);
}

void SiteTable::know(const std::string& key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
}

void SiteTable::note(const std::string& key, const std::string& value) {
  std::string origin = "default";
  if (has(key)) {
    origin = file_.path + ":" + std::to_string(as_table(table_)->get(key)->source().begin.line);
  }
  file_.settings.push_back({.key = prefix_ + key, .value = value, .origin = origin});
}

void SiteTable::complain(const std::string& key, const std::string& text) {
  if (file_.mistyped.contains(prefix_ + key)) return;
  std::uint64_t line = 0;
  if (has(key)) {
    line = as_table(table_)->get(key)->source().begin.line;
  } else if (table_ != nullptr) {
    line = as_table(table_)->source().begin.line;
  }
  file_.problems.push_back({.line = line, .text = printable(prefix_ + key) + ": " + text});
}

void SiteTable::wrong_type(const std::string& key, const std::string& wanted) {
  complain(key, "must be " + wanted);
  file_.mistyped.insert(prefix_ + key);
}

SiteTable SiteTable::table(const std::string& key) {
  know(key);
  toml::table* found = has(key) ? as_table(table_)->get(key)->as_table() : nullptr;
  if (has(key) && found == nullptr) wrong_type(key, "a table: [" + prefix_ + key + "]");
  return {file_, found, prefix_ + key + "."};
}

std::vector<std::string> SiteTable::subtables(const std::string& key) {
  know(key);
  std::vector<std::string> names;
  if (!has(key)) return names;
  const auto* found = as_table(table_)->get(key)->as_table();
  if (found == nullptr) {
    wrong_type(key, "a table of tables: [" + prefix_ + key + ".NAME]");
    return names;
  }
  for (const auto& [name, node] : *found) names.emplace_back(name.str());
  return names;
}

std::vector<SiteTable> SiteTable::array(const std::string& key) {
  know(key);
  std::vector<SiteTable> elements;
  if (!has(key)) return elements;
  auto* found = as_table(table_)->get(key)->as_array();
  if (found == nullptr || !found->is_array_of_tables()) {
    wrong_type(key, "an array of tables: [[" + prefix_ + key + "]]");
    return elements;
  }
  for (std::size_t i = 0; i < found->size(); ++i) {
    elements.emplace_back(file_, found->get(i)->as_table(),
                          prefix_ + key + "[" + std::to_string(i) + "].");
  }
  return elements;
}

std::string SiteTable::text(const std::string& key, const std::string& fallback) {
  know(key);
  std::string value = fallback;
  if (has(key)) {
    const auto found = as_table(table_)->get(key)->value_exact<std::string>();
    if (!found) wrong_type(key, "a text in quotes");
    value = found.value_or(fallback);
  }
  note(key, quoted(value));
  return value;
}

std::string SiteTable::required(const std::string& key, const std::string& example) {
  auto value = text(key, "");
  if (value.empty()) complain(key, "is missing; for example: " + key + " = " + quoted(example));
  return value;
}

std::string SiteTable::choice(const std::string& key, const std::string& fallback,
                              const std::vector<std::string>& choices) {
  auto value = text(key, fallback);
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    complain(key, "must be one of: " + join(choices, ", "));
    return fallback;
  }
  return value;
}

std::uint64_t SiteTable::number(const std::string& key, std::uint64_t fallback,
                                std::uint64_t smallest, std::uint64_t largest) {
  know(key);
  std::uint64_t value = fallback;
  if (has(key)) {
    const auto found = as_table(table_)->get(key)->value_exact<std::int64_t>();
    const bool fits = found && *found >= 0 && static_cast<std::uint64_t>(*found) >= smallest &&
                      static_cast<std::uint64_t>(*found) <= largest;
    if (fits) {
      value = static_cast<std::uint64_t>(*found);
    } else {
      wrong_type(key, "a whole number from " + std::to_string(smallest) + " to " +
                          std::to_string(largest));
    }
  }
  note(key, std::to_string(value));
  return value;
}

bool SiteTable::flag(const std::string& key, bool fallback) {
  know(key);
  bool value = fallback;
  if (has(key)) {
    const auto found = as_table(table_)->get(key)->value_exact<bool>();
    if (!found) wrong_type(key, "true or false");
    value = found.value_or(fallback);
  }
  note(key, value ? "true" : "false");
  return value;
}

Milliseconds SiteTable::duration(const std::string& key, const std::string& fallback) {
  const auto value = parse_duration(text(key, fallback));
  if (!value) complain(key, R"(must be a duration such as "90s", "5min", "1h30min", "1d")");
  return value.value_or(Milliseconds{0});
}

Milliseconds SiteTable::limit(const std::string& key, const std::string& fallback) {
  const auto problems = file_.problems.size();
  const auto value = duration(key, fallback);
  if (value < std::chrono::seconds{1} && file_.problems.size() == problems) {
    complain(key, "must be a second or more");
  }
  return value;
}

std::vector<std::string> SiteTable::list(const std::string& key,
                                         const std::vector<std::string>& fallback) {
  know(key);
  std::vector<std::string> values = fallback;
  if (has(key)) {
    values.clear();
    const auto* found = as_table(table_)->get(key)->as_array();
    if (found == nullptr) wrong_type(key, R"(a list: ["one", "two"])");
    for (std::size_t i = 0; found != nullptr && i < found->size(); ++i) {
      const auto word = found->get(i)->value_exact<std::string>();
      if (word) values.push_back(*word);
      if (!word) wrong_type(key, "a list of texts in quotes");
    }
  }
  std::vector<std::string> shown;
  shown.reserve(values.size());
  for (const auto& value : values) shown.push_back(quoted(value));
  note(key, "[" + join(shown, ", ") + "]");
  return values;
}

void SiteTable::expect_nothing_else() {
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *as_table(table_)) {
    const std::string name{key.str()};
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const auto meant = nearest(name, known_);
    complain(name, "unknown key" + (meant ? "; did you mean \"" + *meant + "\"?"
                                          : "; known: " + join(known_, ", ")));
  }
}

SiteFile::SiteFile(const std::string& text, const std::string& path)
    : file_(std::make_unique<SiteTable::File>()) {
  file_->path = path;
  try {
    file_->root = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    throw Error{{.what = "cannot read the configuration " + path,
                 .detail = "line " + std::to_string(error.source().begin.line) + ", column " +
                           std::to_string(error.source().begin.column) + ": " +
                           std::string{error.description()},
                 .hint = "correct that line, then check with: hamn config",
                 .code = Exit::usage}};
  }
}

SiteFile::~SiteFile() = default;
SiteTable SiteFile::root() {
  return {*file_, &file_->root, ""};
}
const std::vector<SiteProblem>& SiteFile::problems() const {
  return file_->problems;
}
const std::vector<SettingOrigin>& SiteFile::settings() const {
  return file_->settings;
}

std::string toml_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace hamn::base
