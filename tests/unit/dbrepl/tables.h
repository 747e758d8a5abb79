#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hamn::dbrepl::test {

/// Runs SQL on one file, as any program with SQLite would. Throws std::runtime_error.
void execute(const std::string& file, const std::string& sql, int wait_ms = 30'000);
/// All columns of all rows, joined with '|' and '\n'.
std::string query(const std::string& file, const std::string& sql);
/// SQLite's result code of one statement, without waiting for locks.
int try_execute(const std::string& file, const std::string& sql);

/// xCAT's tables in one directory: key and value, one file per table, mode 0600.
class Tables {
 public:
  explicit Tables(std::string directory);
  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::string file(const std::string& table) const;
  void create(const std::string& table);
  void put(const std::string& table, const std::string& key, const std::string& value);
  void remove(const std::string& table, const std::string& key);
  /// `count` nodes with a few attributes each.
  void fill(const std::string& table, int count);
  [[nodiscard]] std::string value(const std::string& table, const std::string& key) const;
  /// Content of all tables: equal if equal.
  [[nodiscard]] std::map<std::string, std::string> all() const;

 private:
  std::string directory_;
};

/// Everything below a directory, by content: "name" → bytes; subdirectories as "name/…".
std::map<std::string, std::string> tree_of(const std::string& directory);
std::string read(const std::string& file);
void write(const std::string& file, const std::string& content);
void flip_bit(const std::string& file, std::uint64_t byte);
std::uint64_t inode_of(const std::string& file);
std::int64_t modified_ns(const std::string& file);

/// A process that runs `work` and ends. Killed, if it still runs, with this object.
class Child {
 public:
  /// The child's exit code is what `work` returns; 99 if it throws.
  explicit Child(const std::function<int()>& work);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Exit code, or 128 + signal.
  int wait();
  void kill();

 private:
  pid_t pid_;
  bool ended_ = false;
};

/// Another process that runs SQL when told to. To be started before this process locks anything:
/// SQLite's knowledge of its own locks would go with a fork.
class Outsider {
 public:
  Outsider();
  /// SQLite's result code, without waiting for locks.
  int try_execute(const std::string& file, const std::string& sql);

 private:
  int requests_[2];
  int answers_[2];
  std::unique_ptr<Child> child_;
};

}  // namespace hamn::dbrepl::test
