#include "dbrepl/recovery_point.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace hamn::dbrepl {

namespace {

using Json = nlohmann::json;

constexpr int manifest_format = 1;
constexpr std::size_t most_tables = 10'000;
constexpr std::size_t longest_name = 128;
constexpr std::size_t longest_text = 4096;
constexpr std::uint64_t largest_file_bytes = 1ULL << 40U;
constexpr std::uint64_t most_rows = 1ULL << 40U;
constexpr std::uint64_t highest_number = 1ULL << 50U;

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// One component of a path that needs no quoting anywhere: what xCAT calls its tables.
bool is_name(std::string_view text) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !text.empty() && text.size() <= longest_name && text.front() != '.' &&
         text.find_first_not_of(allowed) == std::string_view::npos;
}

/// UTF-8 without control characters, of a length that a person could have typed.
bool is_plain(const std::string& text) {
  if (text.size() > longest_text || base::printable(text) != text) return false;
  const auto quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(quoted, nullptr, false) == text;
}

std::string problem_of_table(const RecoveryPoint& point, std::size_t index) {
  const auto& table = point.tables[index];
  if (!is_name(table.name)) return "a table name is not a plain file name";
  const bool file_fits =
      point.engine == "sqlite" ? table.file == table.name + ".sqlite" : table.file != manifest_name;
  if (!is_name(table.file) || !file_fits)
    return "the file name of " + table.name + " is impossible";
  if (table.size_bytes > largest_file_bytes) return table.name + " is impossibly large";
  if (table.rows > most_rows) return table.name + " has impossibly many rows";
  if (!is_hex(table.sha256, 64)) return "the SHA-256 of " + table.name + " is not one";
  if (!is_hex(table.content, 32)) return "the content hash of " + table.name + " is not one";
  if (!is_plain(table.position)) return "the position of " + table.name + " is not plain text";
  if (index > 0 && point.tables[index - 1].name >= table.name) {
    return "its tables are not sorted, or one is there twice";
  }
  return {};
}

/// The first broken rule of the format, or nothing.
std::string problem_of(const RecoveryPoint& point) {
  if (point.id != point_id(point.epoch, point.generation)) return "its id does not fit its number";
  if (point.epoch > highest_number || point.generation > highest_number) {
    return "its number is impossibly high";
  }
  if (!is_name(point.engine)) return "its engine is not a plain word";
  if (point.host.empty() || !is_plain(point.host)) return "its host is not plain text";
  if (!is_plain(point.source_directory)) return "its source directory is not plain text";
  if (!is_plain(point.position)) return "its position is not plain text";
  if (!base::parse_wall_time(base::to_text(point.taken))) return "its time is impossible";
  if (point.tables.size() > most_tables) return "it has impossibly many tables";
  for (std::size_t i = 0; i < point.tables.size(); ++i) {
    auto problem = problem_of_table(point, i);
    if (!problem.empty()) return problem;
  }
  return {};
}

Json to_json(const RecoveryPoint& point) {
  Json tables = Json::array();
  for (const auto& table : point.tables) {
    tables.push_back({{"name", table.name},
                      {"file", table.file},
                      {"size", table.size_bytes},
                      {"sha256", table.sha256},
                      {"rows", table.rows},
                      {"content", table.content},
                      {"position", table.position}});
  }
  return {{"format", manifest_format},
          {"id", point.id},
          {"generation", point.generation},
          {"engine", point.engine},
          {"host", point.host},
          {"epoch", point.epoch},
          {"taken", base::to_text(point.taken)},
          {"source_directory", point.source_directory},
          {"position", point.position},
          {"tables", std::move(tables)}};
}

std::string to_manifest(const RecoveryPoint& point) {
  Json object = to_json(point);
  object["sha256"] = base::sha256(object.dump(1));
  return object.dump(1) + "\n";
}

/// Reads members of one JSON object; the first that is missing or of another type is remembered.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  std::string text(const char* name) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->is_string()) return found->get<std::string>();
    return miss(name), std::string{};
  }
  std::uint64_t number(const char* name) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->is_number_unsigned()) return found->get<std::uint64_t>();
    return miss(name), 0;
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  void miss(const char* name) {
    if (problem_.empty()) problem_ = std::string{"it has no proper \""} + name + "\"";
  }

  const Json& object_;
  std::string problem_;
};

TablePoint read_table(const Json& object, std::string& problem) {
  Members members{object};
  TablePoint table{.name = members.text("name"),
                   .file = members.text("file"),
                   .size_bytes = members.number("size"),
                   .sha256 = members.text("sha256"),
                   .rows = members.number("rows"),
                   .content = members.text("content"),
                   .position = members.text("position")};
  if (problem.empty()) problem = members.problem();
  return table;
}

}  // namespace

std::string point_id(std::uint64_t epoch, std::uint64_t generation) {
  std::array<char, 48> text{};
  (void)std::snprintf(text.data(), text.size(), "p%04llu-%08llu",
                      static_cast<unsigned long long>(epoch),
                      static_cast<unsigned long long>(generation));
  return text.data();
}

std::optional<PointNumber> parse_point_id(std::string_view id) {
  const auto dash = id.find('-');
  if (id.empty() || id.front() != 'p' || dash == std::string_view::npos) return std::nullopt;
  const auto epoch = base::parse_unsigned(id.substr(1, dash - 1));
  const auto generation = base::parse_unsigned(id.substr(dash + 1));
  if (!epoch || !generation || point_id(*epoch, *generation) != id) return std::nullopt;
  return PointNumber{.epoch = *epoch, .generation = *generation};
}

PointNumber number_of(const RecoveryPoint& point) {
  return {.epoch = point.epoch, .generation = point.generation};
}

std::string content_digest(const std::vector<TablePoint>& tables) {
  std::string all;
  for (const auto& table : tables) {
    all += table.name + ":" + std::to_string(table.rows) + ":" + table.content + "\n";
  }
  return base::xxh128(all).digits();
}

std::vector<std::string> differences(const std::vector<TablePoint>& wanted,
                                     const std::vector<TablePoint>& found) {
  const auto named = [](const std::vector<TablePoint>& tables, const std::string& name) {
    return std::find_if(tables.begin(), tables.end(),
                        [&](const TablePoint& table) { return table.name == name; });
  };
  std::vector<std::string> out;
  for (const auto& table : wanted) {
    const auto other = named(found, table.name);
    if (other == found.end()) {
      out.push_back(table.name + ": is missing");
    } else if (other->rows != table.rows) {
      out.push_back(table.name + ": " + base::human_count(other->rows) + " rows instead of " +
                    base::human_count(table.rows));
    } else if (other->content != table.content) {
      out.push_back(table.name + ": other content in its " + base::human_count(table.rows) +
                    " rows");
    }
  }
  for (const auto& table : found) {
    if (named(wanted, table.name) == wanted.end())
      out.push_back(table.name + ": should not be there");
  }
  return out;
}

std::string format_manifest(const RecoveryPoint& point) {
  const auto problem = problem_of(point);
  if (!problem.empty()) {
    throw base::Error{{.what = "cannot describe the copy of the database",
                       .detail = problem,
                       .hint = "look at the names in " + base::printable(point.source_directory) +
                               "; move away what is not a table of xCAT"}};
  }
  return to_manifest(point);
}

ManifestReading read_manifest(const std::string& text) {
  const Json object = Json::parse(text, nullptr, false);
  if (!object.is_object()) return {.point = {}, .problem = "it is not a JSON object"};
  Members members{object};
  if (members.number("format") != manifest_format) {
    return {.point = {}, .problem = "its format is not 1"};
  }
  RecoveryPoint point{.id = members.text("id"),
                      .generation = members.number("generation"),
                      .engine = members.text("engine"),
                      .host = members.text("host"),
                      .epoch = members.number("epoch"),
                      .taken = {},
                      .source_directory = members.text("source_directory"),
                      .position = members.text("position"),
                      .tables = {}};
  const auto taken = base::parse_wall_time(members.text("taken"));
  std::string problem = members.problem();
  const auto tables = object.find("tables");
  if (!taken || tables == object.end() || !tables->is_array() || tables->size() > most_tables) {
    return {.point = {}, .problem = "its time or its list of tables is impossible"};
  }
  point.taken = *taken;
  for (const auto& table : *tables) point.tables.push_back(read_table(table, problem));
  if (problem.empty()) problem = problem_of(point);
  // Also refuses what says the same in other words: members that this format does not know could
  // not have been checked.
  if (problem.empty() && to_manifest(point) != text) {
    problem = "its SHA-256 does not fit it, or it is not written as hamn writes it";
  }
  if (!problem.empty()) return {.point = {}, .problem = problem};
  return {.point = std::move(point), .problem = {}};
}

RecoveryPoint parse_manifest(const std::string& text, const std::string& path) {
  auto reading = read_manifest(text);
  if (!reading.point) {
    throw base::Error{{.what = "cannot trust " + base::printable(path),
                       .detail = reading.problem,
                       .hint = "take and ship a new copy; on the primary: hamn db replicate"}};
  }
  return *std::move(reading.point);
}

DatabaseDirectories database_directories(const std::string& state_directory) {
  const auto root = state_directory + "/database";
  // The same last name on both sides: a file set keeps the name of what it copies.
  return {.outgoing = root + "/outgoing/current",
          .incoming = root + "/incoming/current",
          .points = root + "/points",
          .undo = root + "/undo"};
}

}  // namespace hamn::dbrepl
