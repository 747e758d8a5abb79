#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace hamn::base {

/// How something stands, for colour and for scripts.
enum class Mark { good, warning, bad, neutral };
[[nodiscard]] std::string to_text(Mark mark);

/// Name and value, one below the other.
struct FactList {
  struct Item {
    std::string name;  ///< for people: "Recovery point"
    std::string value;
    std::string key;  ///< for scripts: "recovery_point"
  };
  std::vector<Item> items;
};

/// Rows with a mark each.
struct Table {
  struct Column {
    std::string key;    ///< for scripts
    std::string title;  ///< for people
  };
  struct Row {
    std::vector<std::string> cells;
    Mark mark = Mark::neutral;
  };
  std::vector<Column> columns;
  std::vector<Row> rows;
};

/// Bars over time, drawn to scale in HTML.
struct Timeline {
  struct Bar {
    std::string label;
    std::int64_t start_ms = 0;  ///< since the start of the run
    std::int64_t end_ms = 0;
    Mark mark = Mark::neutral;
    std::string note;
  };
  std::vector<Bar> bars;
};

/// Paragraphs, one per string.
struct Prose {
  std::vector<std::string> paragraphs;
};

/// One part of a report under its own title.
struct Section {
  std::string key;
  std::string title;
  std::variant<FactList, Table, Timeline, Prose> body;
};

/// A document that can be shown to people and to scripts. Plain data; the three renderings are pure
/// and say the same.
struct Report {
  std::string title;
  Mark mark = Mark::neutral;
  std::string verdict;   ///< one word of a fixed list: "done", "refused", …
  std::string headline;  ///< one sentence
  std::vector<Section> sections;
};

/// For a terminal of `columns` characters.
[[nodiscard]] std::string to_text(const Report& report, int columns = 100);
/// An object with a member per section: facts become an object, tables and timelines arrays.
[[nodiscard]] std::string to_json(const Report& report);
/// One page without any reference to other files: style and pictures are inside.
[[nodiscard]] std::string to_html(const Report& report);

}  // namespace hamn::base
