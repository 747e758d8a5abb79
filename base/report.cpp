#include "base/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace hamn::base {

namespace {

using Json = nlohmann::ordered_json;

/// Characters, not bytes: continuation bytes of UTF-8 take no column.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

std::string padded(const std::string& text, std::size_t columns) {
  const auto have = width(text);
  return have >= columns ? text : text + std::string(columns - have, ' ');
}

std::vector<std::string> wrapped(const std::string& text, std::size_t columns) {
  std::vector<std::string> lines;
  for (const auto& paragraph : split(text, '\n')) {
    std::string line;
    for (const auto& each : words_of(paragraph)) {
      const auto word = printable(each);
      if (!line.empty() && width(line) + 1 + width(word) > columns) {
        lines.push_back(line);
        line.clear();
      }
      line += (line.empty() ? "" : " ") + word;
    }
    lines.push_back(line);
  }
  return lines;
}

std::string cell(const std::string& text) {
  return printable(trim(text));
}

/// A row that is too short says nothing in its last columns.
std::string cell(const Table::Row& row, std::size_t column) {
  return column < row.cells.size() ? row.cells[column] : std::string{};
}

std::string without_trailing_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string sign(Mark mark) {
  switch (mark) {
    case Mark::good:
      return "+";
    case Mark::warning:
      return "!";
    case Mark::bad:
      return "x";
    case Mark::neutral:
      return " ";
  }
  return " ";
}

/// Text that wraps below this width is hard to read [columns].
constexpr std::size_t narrowest_text = 36;

struct TextBody {
  std::size_t columns;

  std::string operator()(const FactList& facts) const {
    std::size_t name_width = 0;
    for (const auto& item : facts.items) name_width = std::max(name_width, width(cell(item.name)));
    std::string out;
    for (const auto& item : facts.items) {
      const auto lines = wrapped(item.value, columns - std::min(columns / 2, name_width + 4));
      for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto name = padded(i == 0 ? cell(item.name) : "", name_width);
        out += without_trailing_blanks("  " + name + "  " + lines[i]) + "\n";
      }
    }
    return out;
  }

  /// All columns but the last keep their natural width; the last one wraps in what is left.
  std::string operator()(const Table& table) const {
    std::vector<std::size_t> widths(table.columns.size(), 0);
    std::size_t before_last = 4;
    for (std::size_t c = 0; c + 1 < widths.size(); ++c) {
      widths[c] = width(table.columns[c].title);
      for (const auto& row : table.rows) {
        widths[c] = std::max(widths[c], width(cell(cell(row, c))));
      }
      before_last += widths[c] + 2;
    }
    std::size_t last_natural = 0;
    for (const auto& row : table.rows) {
      for (const auto& line : split(cell(row, widths.size() - 1), '\n')) {
        last_natural = std::max(last_natural, width(cell(line)));
      }
    }
    const bool fits = columns >= before_last + std::min(last_natural, narrowest_text);
    if (!fits) return stacked(table);
    const auto last_width = columns - before_last;
    Table::Row titles;
    for (const auto& column : table.columns) titles.cells.push_back(column.title);
    std::string out = lines_for(titles, widths, last_width, before_last);
    for (const auto& row : table.rows) out += lines_for(row, widths, last_width, before_last);
    return out;
  }

  /// For tables that are too wide: the first cell on a line of its own, the others below it.
  [[nodiscard]] std::string stacked(const Table& table) const {
    std::size_t title_width = 0;
    for (const auto& column : table.columns)
      title_width = std::max(title_width, width(column.title));
    const auto indent = title_width + 8;
    std::string out;
    for (const auto& row : table.rows) {
      out += "  " + sign(row.mark) + " " + cell(cell(row, 0)) + "\n";
      for (std::size_t c = 1; c < table.columns.size(); ++c) {
        if (trim(cell(row, c)).empty()) continue;
        std::string line = "      " + padded(table.columns[c].title, title_width + 2);
        for (const auto& text : wrapped(cell(row, c), columns - std::min(columns / 2, indent))) {
          out += without_trailing_blanks(line + text) + "\n";
          line = std::string(indent, ' ');
        }
      }
    }
    return out;
  }

  static std::string lines_for(const Table::Row& row, const std::vector<std::size_t>& widths,
                               std::size_t last_width, std::size_t indent) {
    if (widths.empty()) return "";
    std::string line = "  " + sign(row.mark) + " ";
    for (std::size_t c = 0; c + 1 < widths.size(); ++c) {
      line += padded(cell(cell(row, c)), widths[c] + 2);
    }
    std::string out;
    for (const auto& text : wrapped(cell(row, widths.size() - 1), last_width)) {
      out += without_trailing_blanks(line + text) + "\n";
      line = std::string(indent, ' ');
    }
    return out;
  }

  std::string operator()(const Timeline& timeline) const {
    Table table{.columns = {{"label", "What"}, {"start", "From"}, {"end", "To"}, {"note", ""}},
                .rows = {}};
    for (const auto& bar : timeline.bars) {
      table.rows.push_back({.cells = {bar.label, std::to_string(bar.start_ms) + " ms",
                                      std::to_string(bar.end_ms) + " ms", bar.note},
                            .mark = bar.mark});
    }
    return (*this)(table);
  }

  std::string operator()(const Prose& prose) const {
    std::string out;
    for (const auto& paragraph : prose.paragraphs) {
      for (const auto& line : wrapped(paragraph, columns - 2)) out += "  " + line + "\n";
    }
    return out;
  }
};

struct JsonBody {
  Json operator()(const FactList& facts) const {
    Json object = Json::object();
    for (const auto& item : facts.items) object[item.key] = item.value;
    return object;
  }

  Json operator()(const Table& table) const {
    Json rows = Json::array();
    for (const auto& row : table.rows) {
      Json object = Json::object();
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        object[table.columns[c].key] = cell(row, c);
      }
      object["mark"] = to_text(row.mark);
      rows.push_back(std::move(object));
    }
    return rows;
  }

  Json operator()(const Timeline& timeline) const {
    Json bars = Json::array();
    for (const auto& bar : timeline.bars) {
      bars.push_back({{"label", bar.label},
                      {"start_ms", bar.start_ms},
                      {"end_ms", bar.end_ms},
                      {"mark", to_text(bar.mark)},
                      {"note", bar.note}});
    }
    return bars;
  }

  Json operator()(const Prose& prose) const { return prose.paragraphs; }
};

}  // namespace

std::string to_text(Mark mark) {
  switch (mark) {
    case Mark::good:
      return "good";
    case Mark::warning:
      return "warning";
    case Mark::bad:
      return "bad";
    case Mark::neutral:
      return "neutral";
  }
  return "neutral";
}

std::string to_text(const Report& report, int columns) {
  const TextBody body{.columns = static_cast<std::size_t>(std::max(columns, 60))};
  std::string out = printable(report.title) + "\n";
  const auto verdict = report.verdict.empty() ? "" : report.verdict + ": ";
  for (const auto& line : wrapped(verdict + report.headline, body.columns)) out += line + "\n";
  for (const auto& section : report.sections) {
    out += "\n" + printable(section.title) + "\n" + std::visit(body, section.body);
  }
  return out;
}

std::string to_json(const Report& report) {
  Json object{{"title", report.title},
              {"verdict", report.verdict},
              {"mark", to_text(report.mark)},
              {"headline", report.headline}};
  for (const auto& section : report.sections) {
    object[section.key] = std::visit(JsonBody{}, section.body);
  }
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hamn::base
