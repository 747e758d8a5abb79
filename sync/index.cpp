#include "sync/index.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <string_view>

#include "base/disk.h"
#include "base/text.h"
#include "sync/bytes.h"
#include "sync/wire.h"

namespace hamn::sync {

namespace {

constexpr int format_number = 1;

std::string pack(const std::vector<Entry>& entries) {
  ByteWriter out;
  out.number(entries.size());
  for (const auto& entry : entries) write_entry(out, entry);
  auto bytes = out.take();
  ByteWriter checksum;
  checksum.fixed64(base::xxh64(bytes));
  return bytes + checksum.take();
}

std::vector<Entry> unpack(std::string_view row) {
  ByteReader in{row};
  std::vector<Entry> entries(in.number(row.size()));
  for (auto& entry : entries) entry = read_entry(in);
  in.expect_end();
  return entries;
}

struct Counts {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};

Counts count(const std::vector<Entry>& entries) {
  Counts counts;
  for (const auto& entry : entries) {
    if (entry.kind != Kind::file) continue;
    ++counts.files;
    counts.bytes += static_cast<std::int64_t>(entry.size_bytes);
  }
  return counts;
}

}  // namespace

/// SQLite behind the index; translates its errors.
struct Index::Database {
  std::string path;
  sqlite3* handle = nullptr;

  explicit Database(std::string file) : path(std::move(file)) {
    check(::sqlite3_open(path.c_str(), &handle));
    ::sqlite3_busy_timeout(handle, 10'000);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { ::sqlite3_close_v2(handle); }

  [[noreturn]] void damaged(const std::string& why) const {
    throw IndexDamaged{{.what = "the index " + path + " is damaged",
                        .detail = why,
                        .hint = "nothing is lost: the next pass compares both sides anew"}};
  }

  void check(int result) const {
    const int kind = result & 0xff;
    if (kind == SQLITE_OK || kind == SQLITE_ROW || kind == SQLITE_DONE) return;
    const std::string why = handle != nullptr ? ::sqlite3_errmsg(handle) : "no memory";
    if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_ERROR) damaged(why);
    // A full disk may also show as an I/O error: the shared memory of the log is a file, too.
    const bool is_full =
        kind == SQLITE_FULL || (handle != nullptr && ::sqlite3_system_errno(handle) == ENOSPC);
    throw base::Error{{.what = "cannot use the index " + path,
                       .detail = is_full ? "No space left on device (" + why + ")" : why,
                       .hint = is_full ? "free some space there, then run again"
                                       : "look at that file and its directory"}};
  }

  void execute(const char* sql) const {
    check(::sqlite3_exec(handle, sql, nullptr, nullptr, nullptr));
  }
};

namespace {

/// One prepared statement; binds and reads with checks.
class Statement {
 public:
  template <typename Database>
  Statement(const Database& database, const char* sql)
      : check_([&database](int result) { database.check(result); }) {
    check_(::sqlite3_prepare_v2(database.handle, sql, -1, &statement_, nullptr));
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { ::sqlite3_finalize(statement_); }

  Statement& bind(int at, std::int64_t value) {
    check_(::sqlite3_bind_int64(statement_, at, value));
    return *this;
  }
  Statement& bind(int at, std::string_view bytes) {
    check_(::sqlite3_bind_blob64(statement_, at, bytes.data(), bytes.size(), SQLITE_TRANSIENT));
    return *this;
  }
  bool step() {
    const int result = ::sqlite3_step(statement_);
    check_(result);
    return result == SQLITE_ROW;
  }
  /// Ready for other values; ends the reading.
  void reset() { ::sqlite3_reset(statement_); }
  [[nodiscard]] std::int64_t number(int column) {
    return ::sqlite3_column_int64(statement_, column);
  }
  [[nodiscard]] std::string bytes(int column) {
    const void* data = ::sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column));
    return data == nullptr ? std::string{} : std::string{static_cast<const char*>(data), size};
  }

 private:
  std::function<void(int)> check_;
  sqlite3_stmt* statement_ = nullptr;
};

/// Rolls back unless it was committed.
template <typename Database>
class Transaction {
 public:
  explicit Transaction(const Database& database) : database_(database) {
    database_.execute("BEGIN IMMEDIATE");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (!committed_) ::sqlite3_exec(database_.handle, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  void commit() {
    database_.execute("COMMIT");
    committed_ = true;
  }

 private:
  const Database& database_;
  bool committed_ = false;
};

constexpr const char* select_row = "SELECT entries FROM directory WHERE root=?1 AND path=?2";

/// A row without its checksum.
template <typename Database>
std::string_view checked(const Database& database, const DirectoryKey& key,
                         std::string_view packed) {
  if (packed.size() < 8) database.damaged("the row of " + base::printable(key.path) + " is cut");
  const auto bytes = packed.substr(0, packed.size() - 8);
  ByteReader checksum{packed.substr(bytes.size())};
  if (checksum.fixed64() != base::xxh64(bytes)) {
    database.damaged("the row of " + base::printable(key.path) + " has a wrong checksum");
  }
  return bytes;
}

template <typename Database>
std::vector<Entry> entries_of(const Database& database, const DirectoryKey& key,
                              std::string_view packed) {
  const auto row = checked(database, key, packed);
  try {
    return unpack(row);
  } catch (const base::Error& error) {
    database.damaged("the row of " + base::printable(key.path) + ": " + error.detail());
  }
}

/// Paths below `path` sort between these two ('0' follows '/').
std::pair<std::string, std::string> range_below(const std::string& path) {
  return {path + "/", path + "0"};
}

}  // namespace

void IndexBatch::put(const DirectoryKey& directory, const Entry& entry) {
  directories[directory].entries[entry.name] = entry;
}

void IndexBatch::remove(const DirectoryKey& directory, const std::string& name) {
  directories[directory].entries[name] = std::nullopt;
}

std::size_t IndexBatch::size() const {
  std::size_t total = 0;
  for (const auto& [key, directory] : directories) total += directory.entries.size();
  return total;
}

Index::Index(const std::string& path) : database_(std::make_unique<Database>(path)) {
  database_->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4096");
  Statement version{*database_, "PRAGMA user_version"};
  version.step();
  const auto found = version.number(0);
  if (found != 0 && found != format_number) database_->damaged("it has another format");
  if (found == format_number) return;
  Transaction transaction{*database_};
  database_->execute(
      "CREATE TABLE IF NOT EXISTS directory(root INTEGER, path BLOB, pass INTEGER, entries BLOB,"
      " PRIMARY KEY(root, path)) WITHOUT ROWID;"
      "CREATE TABLE IF NOT EXISTS state(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
      "INSERT OR REPLACE INTO state VALUES('pass', 1);"
      "PRAGMA user_version=1");
  transaction.commit();
}

Index::~Index() = default;
Index::Index(Index&&) noexcept = default;

IndexState Index::state() const {
  std::map<std::string, std::int64_t> numbers;
  std::map<std::string, std::string> texts;
  Statement rows{*database_, "SELECT key, value FROM state"};
  while (rows.step()) {
    numbers[rows.bytes(0)] = rows.number(1);
    texts[rows.bytes(0)] = rows.bytes(1);
  }
  const auto count = [&](const char* key) { return static_cast<std::uint64_t>(numbers[key]); };
  const auto time = [&](const char* key) {
    const base::WallTime moment{base::Milliseconds{numbers[key]}};
    if (moment < base::WallTime{} || moment > base::last_wall_time) {
      database_->damaged(std::string{key} + " is no time");
    }
    return moment;
  };
  return {.generation = count("generation"),
          .token = texts["token"],
          .complete = numbers["complete"] == 1,
          .roots = texts["roots"],
          .peer = texts["peer"],
          .epoch = count("epoch"),
          .as_of = time("as_of"),
          .committed = time("committed"),
          .files = count("files"),
          .bytes = count("bytes")};
}

void Index::write_state(const IndexState& state) {
  const auto put = [&](const char* key, auto value) {
    // The cast: a blob would not compare equal to the text of the primary key.
    Statement row{*database_, "INSERT OR REPLACE INTO state VALUES(CAST(?1 AS TEXT), ?2)"};
    row.bind(1, std::string_view{key}).bind(2, value).step();
  };
  put("generation", static_cast<std::int64_t>(state.generation));
  put("token", std::string_view{state.token});
  put("complete", std::int64_t{state.complete ? 1 : 0});
  put("roots", std::string_view{state.roots});
  put("peer", std::string_view{state.peer});
  put("epoch", static_cast<std::int64_t>(state.epoch));
  put("as_of", static_cast<std::int64_t>(state.as_of.time_since_epoch().count()));
  put("committed", static_cast<std::int64_t>(state.committed.time_since_epoch().count()));
}

std::vector<Entry> Index::directory(const DirectoryKey& key) const {
  Statement row{*database_, select_row};
  row.bind(1, std::int64_t{key.root}).bind(2, std::string_view{key.path});
  if (!row.step()) return {};
  const auto packed = row.bytes(0);
  return entries_of(*database_, key, packed);
}

std::vector<DirectoryKey> Index::directories() const {
  std::vector<DirectoryKey> keys;
  Statement rows{*database_, "SELECT root, path FROM directory ORDER BY root, path"};
  while (rows.step()) {
    keys.push_back({.root = static_cast<std::uint16_t>(rows.number(0)), .path = rows.bytes(1)});
  }
  return keys;
}

void Index::store(const DirectoryKey& key, const std::vector<Entry>& entries) {
  const auto before = count(directory(key));
  const auto after = count(entries);
  Statement row{*database_,
                "INSERT OR REPLACE INTO directory(root, path, pass, entries) VALUES(?1, ?2,"
                " (SELECT value FROM state WHERE key='pass'), ?3)"};
  row.bind(1, std::int64_t{key.root}).bind(2, std::string_view{key.path});
  row.bind(3, std::string_view{pack(entries)}).step();
  Statement totals{*database_,
                   "INSERT INTO state VALUES('files', ?1), ('bytes', ?2)"
                   " ON CONFLICT(key) DO UPDATE SET value = value + excluded.value"};
  totals.bind(1, after.files - before.files).bind(2, after.bytes - before.bytes).step();
}

void Index::remove_subtree(const DirectoryKey& key) {
  const auto [first, last] = range_below(key.path);
  std::vector<DirectoryKey> keys;
  Statement rows{
      *database_,
      "SELECT path FROM directory WHERE root=?1 AND (path=?2 OR (path>=?3 AND path<?4))"};
  rows.bind(1, std::int64_t{key.root}).bind(2, std::string_view{key.path});
  rows.bind(3, std::string_view{first}).bind(4, std::string_view{last});
  while (rows.step()) keys.push_back({.root = key.root, .path = rows.bytes(0)});
  for (const auto& each : keys) {
    store(each, {});  // takes its files out of the totals
    Statement row{*database_, "DELETE FROM directory WHERE root=?1 AND path=?2"};
    row.bind(1, std::int64_t{each.root}).bind(2, std::string_view{each.path}).step();
  }
}

std::vector<Entry> Index::merged(const DirectoryKey& key, const IndexBatch::Directory& changes) {
  std::vector<Entry> result;
  const auto before = changes.starts_empty ? std::vector<Entry>{} : directory(key);
  auto old = before.begin();
  for (const auto& [name, entry] : changes.entries) {
    for (; old != before.end() && old->name < name; ++old) result.push_back(*old);
    const bool was_there = old != before.end() && old->name == name;
    const bool was_directory = was_there && old->kind == Kind::directory;
    if (was_directory && (!entry || entry->kind != Kind::directory)) {
      remove_subtree(below(key, name));
    }
    if (was_there) ++old;
    if (entry) result.push_back(*entry);
  }
  result.insert(result.end(), old, before.end());
  return result;
}

void Index::commit(const IndexBatch& batch, const IndexState& state) {
  Transaction transaction{*database_};
  for (const auto& [key, changes] : batch.directories) store(key, merged(key, changes));
  write_state(state);
  transaction.commit();
}

void Index::start_full_pass() {
  Transaction transaction{*database_};
  database_->execute(
      "UPDATE state SET value = value + 1 WHERE key='pass';"
      "INSERT OR REPLACE INTO state VALUES('complete', 0)");
  transaction.commit();
}

void Index::finish_full_pass() {
  Transaction transaction{*database_};
  std::vector<DirectoryKey> stale;
  {
    Statement rows{*database_,
                   "SELECT root, path FROM directory"
                   " WHERE pass <> (SELECT value FROM state WHERE key='pass')"};
    while (rows.step()) {
      stale.push_back({.root = static_cast<std::uint16_t>(rows.number(0)), .path = rows.bytes(1)});
    }
  }
  for (const auto& key : stale) remove_subtree(key);
  transaction.commit();
}

void Index::clear() {
  Transaction transaction{*database_};
  database_->execute("DELETE FROM directory; DELETE FROM state WHERE key <> 'pass'");
  transaction.commit();
}

struct IndexReader::State {
  Index::Database database;
  Statement select;
  std::string packed;

  explicit State(const std::string& path) : database(path), select(database, select_row) {
    database.execute("PRAGMA cache_size=-1024");
  }
};

IndexReader::IndexReader(const std::string& path) : state_(std::make_unique<State>(path)) {}
IndexReader::~IndexReader() = default;

bool IndexReader::find(const DirectoryKey& key) {
  auto& select = state_->select;
  select.bind(1, std::int64_t{key.root}).bind(2, std::string_view{key.path});
  const bool is_known = select.step();
  if (is_known) state_->packed = select.bytes(0);
  select.reset();
  return is_known;
}

std::string_view IndexReader::row(const DirectoryKey& key) {
  if (!find(key)) return {};
  return checked(state_->database, key, state_->packed);
}

std::vector<Entry> IndexReader::directory(const DirectoryKey& key) {
  if (!find(key)) return {};
  return entries_of(state_->database, key, state_->packed);
}

std::optional<IndexState> read_index_state(const std::string& path) {
  if (::access(path.c_str(), F_OK) < 0) return std::nullopt;
  return Index{path}.state();
}

namespace {

Index open_for(const std::string& path, const std::string& roots) {
  Index index{path};
  const auto state = index.state();
  if (state.roots != roots) index.clear();
  return index;
}

}  // namespace

void set_index_aside(const std::string& path) {
  for (const char* suffix : {"-wal", "-shm"}) (void)std::remove((path + suffix).c_str());
  (void)std::rename(path.c_str(), (path + ".damaged").c_str());
}

Index open_or_replace_index(const std::string& path, const std::string& roots,
                            std::string& problem) {
  base::make_directories(path.substr(0, path.rfind('/')), 0700);
  try {
    return open_for(path, roots);
  } catch (const IndexDamaged& error) {
    problem = error.detail();
  }
  set_index_aside(path);
  return open_for(path, roots);
}

}  // namespace hamn::sync
