#include "tests/unit/dbrepl/tables.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace hamn::dbrepl::test {

namespace {

using Handle = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;

Handle open(const std::string& file, int wait_ms) {
  sqlite3* raw = nullptr;
  const int result =
      sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Handle handle{raw, sqlite3_close_v2};
  if (result != SQLITE_OK) throw std::runtime_error(file + ": " + sqlite3_errstr(result));
  sqlite3_busy_timeout(raw, wait_ms);
  return handle;
}

std::string literal(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string{"''"} : std::string{c};
  return out + "'";
}

}  // namespace

void execute(const std::string& file, const std::string& sql, int wait_ms) {
  const auto handle = open(file, wait_ms);
  if (sqlite3_exec(handle.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(file + ": " + sqlite3_errmsg(handle.get()));
  }
}

int try_execute(const std::string& file, const std::string& sql) {
  const auto handle = open(file, 0);
  return sqlite3_exec(handle.get(), sql.c_str(), nullptr, nullptr, nullptr);
}

std::string query(const std::string& file, const std::string& sql) {
  const auto handle = open(file, 30'000);
  std::string out;
  const auto add_row = [](void* to, int columns, char** values, char** /*names*/) {
    auto& text = *static_cast<std::string*>(to);
    if (!text.empty()) text += "\n";
    for (int i = 0; i < columns; ++i) {
      text += (i > 0 ? "|" : "") + std::string{values[i] != nullptr ? values[i] : "NULL"};
    }
    return 0;
  };
  if (sqlite3_exec(handle.get(), sql.c_str(), add_row, &out, nullptr) != SQLITE_OK) {
    throw std::runtime_error(file + ": " + sqlite3_errmsg(handle.get()));
  }
  return out;
}

Tables::Tables(std::string directory) : directory_(std::move(directory)) {
  std::filesystem::create_directories(directory_);
}

std::string Tables::file(const std::string& table) const {
  return directory_ + "/" + table + ".sqlite";
}

void Tables::create(const std::string& table) {
  execute(file(table), "CREATE TABLE " + table +
                           " (key VARCHAR(128), value TEXT, comments TEXT, PRIMARY KEY (key))");
  ::chmod(file(table).c_str(), 0600);
}

void Tables::put(const std::string& table, const std::string& key, const std::string& value) {
  execute(file(table), "INSERT OR REPLACE INTO " + table + " (key, value) VALUES (" + literal(key) +
                           ", " + literal(value) + ")");
}

void Tables::remove(const std::string& table, const std::string& key) {
  execute(file(table), "DELETE FROM " + table + " WHERE key = " + literal(key));
}

void Tables::fill(const std::string& table, int count) {
  execute(file(table),
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
              std::to_string(count) + ") INSERT INTO " + table +
              " SELECT printf('node%05d', i), printf('10.%d.%d.%d', i/65536, i/256%256, i%256), "
              "printf('ipmi,compute,rack%d,all', i/40) FROM n");
}

std::string Tables::value(const std::string& table, const std::string& key) const {
  return query(file(table), "SELECT value FROM " + table + " WHERE key = " + literal(key));
}

std::map<std::string, std::string> Tables::all() const {
  std::map<std::string, std::string> tables;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    if (entry.path().extension() != ".sqlite") continue;
    const auto name = entry.path().stem().string();
    tables[name] = query(entry.path(), "SELECT * FROM " + name + " ORDER BY 1");
  }
  return tables;
}

std::map<std::string, std::string> tree_of(const std::string& directory) {
  std::map<std::string, std::string> files;
  if (!std::filesystem::exists(directory)) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const auto name = std::filesystem::relative(entry.path(), directory).string();
    files[name] = entry.is_regular_file() ? read(entry.path()) : "/";
  }
  return files;
}

std::string read(const std::string& file) {
  std::ifstream stream{file, std::ios::binary};
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

void write(const std::string& file, const std::string& content) {
  std::ofstream{file, std::ios::binary | std::ios::trunc} << content;
}

void flip_bit(const std::string& file, std::uint64_t byte) {
  auto content = read(file);
  content.at(byte) = static_cast<char>(content.at(byte) ^ 0x10);
  write(file, content);
}

std::uint64_t inode_of(const std::string& file) {
  struct stat found {};
  return ::stat(file.c_str(), &found) == 0 ? found.st_ino : 0;
}

std::int64_t modified_ns(const std::string& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return 0;
  return found.st_mtim.tv_sec * 1'000'000'000LL + found.st_mtim.tv_nsec;
}

Child::Child(const std::function<int()>& work) : pid_(::fork()) {
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ > 0) return;
  int code = 99;
  try {
    code = work();
  } catch (const std::exception& error) {
    (void)::write(STDERR_FILENO, error.what(), std::char_traits<char>::length(error.what()));
    (void)::write(STDERR_FILENO, "\n", 1);
  }
  ::_exit(code);
}

Child::~Child() {
  kill();
}

int Child::wait() {
  if (ended_) return 0;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  ended_ = true;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Child::kill() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  (void)wait();
}

Outsider::Outsider() {
  if (::pipe(requests_) != 0 || ::pipe(answers_) != 0) throw std::runtime_error("no pipes");
  child_ = std::make_unique<Child>([this] {
    std::string request(4096, '\0');
    for (;;) {
      const auto size = ::read(requests_[0], request.data(), request.size());
      if (size <= 0) return 0;
      const auto text = request.substr(0, static_cast<std::size_t>(size));
      const auto end = text.find('\n');
      const int result = test::try_execute(text.substr(0, end), text.substr(end + 1));
      (void)::write(answers_[1], &result, sizeof result);
    }
  });
}

int Outsider::try_execute(const std::string& file, const std::string& sql) {
  const auto request = file + "\n" + sql;
  int result = -1;
  (void)::write(requests_[1], request.data(), request.size());
  (void)::read(answers_[0], &result, sizeof result);
  return result;
}

}  // namespace hamn::dbrepl::test
