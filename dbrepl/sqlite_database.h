#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace hamn::dbrepl {

/// How a SQLite file is opened.
enum class Access {
  read,
  write,
  /// For files that nobody changes (recovery points): no locks, no files beside it.
  unchanging
};

/// One connection to one SQLite file. SQLite's errors become base::Error with the file's name.
///
/// SQLite keeps count of all connections of this process to a file and of their locks. So these may
/// be opened and closed freely while another one holds a lock; a plain open() and close() of the
/// same file may not: POSIX drops all locks of the process with any descriptor that is closed.
/// Threads: one at a time.
class Database {
 public:
  /// Throws Error if the file cannot be opened; a file that is no database shows at first use.
  Database(const std::string& path, Access access);
  /// Nothing if there is no such file.
  [[nodiscard]] static std::optional<Database> open_if_present(const std::string& path,
                                                               Access access);
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  /// Rolls back what is not committed and gives all locks back.
  ~Database();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// How long each statement waits for locks of others; 50 ms unless told.
  void wait_for_locks(std::chrono::milliseconds longest);
  void execute(const std::string& sql);
  /// False if a lock of another process is in the way.
  [[nodiscard]] bool try_execute(const std::string& sql);
  /// The first column of the first row; empty if there is no row.
  [[nodiscard]] std::string answer(const std::string& sql);
  /// Copies all pages into `target` in one step. Requires that nobody writes meanwhile.
  void copy_to(Database& target);
  /// The first bytes of the file, read through SQLite's own descriptor; zeros beyond its end.
  [[nodiscard]] std::string head(std::size_t size_bytes);
  /// Makes the file empty, past all journals, if that can be done. Only for a file that has no name
  /// any more: who has it open still finds no table in it, instead of old rows.
  void empty_nameless() noexcept;

 private:
  friend class Statement;
  Database() = default;
  /// SQLite's result code.
  int open(const std::string& path, Access access);
  friend std::string damage_of(const std::string& path, Access access);

  std::string path_;
  sqlite3* handle_ = nullptr;
};

/// One SQL statement and its rows.
class Statement {
 public:
  /// `database` outlives the statement.
  Statement(Database& database, const std::string& sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  /// Goes to the next row; false after the last one.
  [[nodiscard]] bool step();
  [[nodiscard]] int columns() const noexcept;
  [[nodiscard]] std::string column_name(int column) const;
  [[nodiscard]] std::string text(int column) const;
  /// Appends type and value of a column, so that different values append different bytes.
  void append_value(int column, std::string& to) const;

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

/// What is wrong with the file according to SQLite; empty if it is a sound database. Looks at every
/// page and index. A file that another process has locked counts as sound.
[[nodiscard]] std::string damage_of(const std::string& path, Access access);

/// An identifier in SQL.
[[nodiscard]] std::string quoted(const std::string& identifier);

}  // namespace hamn::dbrepl
