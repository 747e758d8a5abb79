#pragma once

#include <cstdint>
#include <string>

#include "dbrepl/sqlite_database.h"

namespace hamn::dbrepl {

/// What a table file holds, whatever its pages look like.
struct TableContent {
  std::uint64_t rows = 0;
  /// 32 hexadecimal digits. Equal rows under equal column names give equal hashes in any order.
  std::string hash;
  /// The definitions of tables, indices, views and triggers. Not part of the hash: an index more or
  /// less is no other content.
  std::string schema;
};

/// Reads all rows of all tables in the file. Usually it is one table, named as the file; other
/// names and several tables count as well. SQLite's own tables do not, nor do views.
[[nodiscard]] TableContent read_content(Database& database);

}  // namespace hamn::dbrepl
