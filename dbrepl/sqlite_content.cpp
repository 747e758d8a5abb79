#include "dbrepl/sqlite_content.h"

#include <vector>

#include "base/hash.h"

namespace hamn::dbrepl {

namespace {

std::vector<std::string> table_names_in(Database& database) {
  // Virtual tables have no root page; what they keep is in ordinary tables of their own.
  Statement statement{database,
                      "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND "
                      "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"};
  std::vector<std::string> names;
  while (statement.step()) names.push_back(statement.text(0));
  return names;
}

std::string schema_of(Database& database) {
  Statement statement{database, "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"};
  std::string schema;
  while (statement.step()) {
    for (int column = 0; column < 3; ++column) statement.append_value(column, schema);
  }
  return base::xxh128(schema).digits();
}

/// Addition of 128-bit numbers: the order of the rows does not matter, and unlike with exclusive-or
/// two equal rows do not cancel each other out.
void add(base::Hash128& sum, const base::Hash128& more) {
  sum.low += more.low;
  sum.high += more.high + (sum.low < more.low ? 1 : 0);
}

struct TableSum {
  std::uint64_t rows = 0;
  std::string description;
};

TableSum sum_up(Database& database, const std::string& table) {
  Statement statement{database, "SELECT * FROM " + quoted(table)};
  TableSum result;
  base::Hash128 sum;
  std::string row;
  while (statement.step()) {
    row.clear();
    for (int column = 0; column < statement.columns(); ++column) {
      statement.append_value(column, row);
    }
    add(sum, base::xxh128(row));
    ++result.rows;
  }
  const auto add_text = [&](const std::string& text) {
    result.description += std::to_string(text.size()) + ":" + text;
  };
  add_text(table);
  for (int column = 0; column < statement.columns(); ++column) {
    add_text(statement.column_name(column));
  }
  add_text(std::to_string(result.rows));
  add_text(sum.digits());
  return result;
}

}  // namespace

TableContent read_content(Database& database) {
  // One transaction, so that names and rows belong together.
  database.execute("BEGIN");
  TableContent content{.rows = 0, .hash = {}, .schema = schema_of(database)};
  std::string descriptions;
  for (const auto& table : table_names_in(database)) {
    const auto sum = sum_up(database, table);
    content.rows += sum.rows;
    descriptions += sum.description + "\n";
  }
  database.execute("COMMIT");
  content.hash = base::xxh128(descriptions).digits();
  return content;
}

}  // namespace hamn::dbrepl
