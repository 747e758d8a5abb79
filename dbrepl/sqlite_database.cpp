#include "dbrepl/sqlite_database.h"

#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace hamn::dbrepl {

namespace {

constexpr int busy_wait_ms = 50;

bool is_busy(int result) {
  const int primary = result & 0xff;
  return primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_PROTOCOL;
}

std::string hint_for(int result, const std::string& path) {
  switch (result & 0xff) {
    case SQLITE_FULL:
      return "free some space there, then run again: df -h " + path;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return "look at the file: sqlite3 " + path +
             " 'PRAGMA integrity_check'; move it away if it is no table of xCAT, or restore it";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "see who uses the file: fuser -v " + path;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "run as root on a file system that is mounted read-write: ls -l " + path;
    default:
      return "look at the kernel log for disk errors (dmesg | tail) and at " + path;
  }
}

base::Error error_of(int result, sqlite3* handle, const std::string& verb,
                     const std::string& path) {
  const auto shown = base::printable(path);
  // Several result codes share the text "disk I/O error"; the number tells them apart.
  std::string detail =
      "SQLite says: " +
      std::string{handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(result)} + " (" +
      std::to_string(result) + ")";
  const int system = handle != nullptr ? sqlite3_system_errno(handle) : 0;
  if ((result & 0xff) == SQLITE_IOERR && system != 0) {
    detail += ", " + std::generic_category().message(system);
  }
  return base::Error{
      {.what = "cannot " + verb + " " + shown, .detail = detail, .hint = hint_for(result, shown)}};
}

/// As a URI, which is the only way to say "immutable".
std::string uri_of(const std::string& path) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
  std::string out = "file:";
  for (const char c : path) {
    out += plain.find(c) != std::string_view::npos ? std::string{c}
                                                   : "%" + base::hex(std::string_view{&c, 1});
  }
  return out + "?immutable=1";
}

/// Least significant byte first on every machine: hashes are compared between hosts.
void append_number(std::uint64_t number, std::string& to) {
  for (int i = 0; i < 8; ++i) to += static_cast<char>(number >> (8U * static_cast<unsigned>(i)));
}

sqlite3_file* file_of(sqlite3* handle) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  return file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

}  // namespace

int Database::open(const std::string& path, Access access) {
  path_ = path;
  const bool unchanging = access == Access::unchanging;
  const int mode = access == Access::write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  const int result =
      sqlite3_open_v2((unchanging ? uri_of(path) : path).c_str(), &handle_,
                      mode | SQLITE_OPEN_EXRESCODE | (unchanging ? SQLITE_OPEN_URI : 0), nullptr);
  if (result != SQLITE_OK) return result;
  sqlite3_busy_timeout(handle_, busy_wait_ms);
  // What a peer sent must not run functions that its schema names.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return SQLITE_OK;
}

Database::Database(const std::string& path, Access access) {
  const int result = open(path, access);
  if (result == SQLITE_OK) return;
  const auto error = error_of(result, handle_, "open", path_);
  sqlite3_close_v2(std::exchange(handle_, nullptr));
  throw error;
}

std::optional<Database> Database::open_if_present(const std::string& path, Access access) {
  Database database;
  const int result = database.open(path, access);
  if (result == SQLITE_OK) return database;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  throw error_of(result, database.handle_, "open", path);
}

Database::Database(Database&& other) noexcept
    : path_(std::move(other.path_)), handle_(std::exchange(other.handle_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(handle_, other.handle_);
  return *this;
}

Database::~Database() {
  sqlite3_close_v2(handle_);
}

void Database::wait_for_locks(std::chrono::milliseconds longest) {
  sqlite3_busy_timeout(handle_, static_cast<int>(longest.count()));
}

void Database::execute(const std::string& sql) {
  const int result = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) throw error_of(result, handle_, "use", path_);
}

bool Database::try_execute(const std::string& sql) {
  const int result = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (is_busy(result)) return false;
  if (result != SQLITE_OK) throw error_of(result, handle_, "use", path_);
  return true;
}

std::string Database::answer(const std::string& sql) {
  Statement statement{*this, sql};
  return statement.step() ? statement.text(0) : std::string{};
}

void Database::copy_to(Database& target) {
  sqlite3_backup* backup = sqlite3_backup_init(target.handle_, "main", handle_, "main");
  if (backup == nullptr) {
    throw error_of(sqlite3_errcode(target.handle_), target.handle_, "write", target.path_);
  }
  sqlite3_backup_step(backup, -1);
  const int result = sqlite3_backup_finish(backup);
  if (result != SQLITE_OK) {
    throw error_of(result, target.handle_, "copy " + base::printable(path_) + " to", target.path_);
  }
}

std::string Database::head(std::size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  sqlite3_file* file = file_of(handle_);
  if (file == nullptr) throw error_of(SQLITE_IOERR, handle_, "read", path_);
  const int result = file->pMethods->xRead(file, bytes.data(), static_cast<int>(size_bytes), 0);
  if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ) {
    throw error_of(result, nullptr, "read", path_);
  }
  return bytes;
}

void Database::empty_nameless() noexcept {
  sqlite3_file* file = file_of(handle_);
  if (file != nullptr) file->pMethods->xTruncate(file, 0);
}

Statement::Statement(Database& database, const std::string& sql) : database_(database) {
  const int result = sqlite3_prepare_v2(database.handle_, sql.c_str(), -1, &statement_, nullptr);
  if (result != SQLITE_OK) throw error_of(result, database.handle_, "read", database.path_);
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

bool Statement::step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) throw error_of(result, database_.handle_, "read", database_.path_);
  return false;
}

int Statement::columns() const noexcept {
  return sqlite3_column_count(statement_);
}

std::string Statement::column_name(int column) const {
  const char* name = sqlite3_column_name(statement_, column);
  return name != nullptr ? name : "";
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Statement::append_value(int column, std::string& to) const {
  const int type = sqlite3_column_type(statement_, column);
  to += static_cast<char>(type);
  if (type == SQLITE_NULL) return;
  if (type == SQLITE_INTEGER) {
    return append_number(static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column)), to);
  }
  if (type == SQLITE_FLOAT) {
    const double number = sqlite3_column_double(statement_, column);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    return append_number(bits, to);
  }
  const void* bytes = type == SQLITE_TEXT
                          ? static_cast<const void*>(sqlite3_column_text(statement_, column))
                          : sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  append_number(size, to);
  if (bytes != nullptr) to.append(static_cast<const char*>(bytes), size);
}

std::string damage_of(const std::string& path, Access access) {
  Database database;
  int result = database.open(path, access);
  if (result != SQLITE_OK) return sqlite3_errstr(result);
  sqlite3_stmt* compiled = nullptr;
  result =
      sqlite3_prepare_v2(database.handle_, "PRAGMA integrity_check(1)", -1, &compiled, nullptr);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement{compiled, sqlite3_finalize};
  if (result == SQLITE_OK) result = sqlite3_step(compiled);
  if (is_busy(result)) return {};
  if (result != SQLITE_ROW) return sqlite3_errmsg(database.handle_);
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(compiled, 0));
  const std::string answer = text != nullptr ? text : "no answer";
  return answer == "ok" ? std::string{} : answer;
}

std::string quoted(const std::string& identifier) {
  std::string out = "\"";
  for (const char c : identifier) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

}  // namespace hamn::dbrepl
