#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "sync/bytes.h"
#include "sync/index.h"

namespace {

namespace fs = std::filesystem;
using hamn::sync::Index;

constexpr const char* roots = "the roots";

/// The index file that is damaged in every run, in a directory of its own that goes with the
/// program.
class Place {
 public:
  Place() {
    std::string name = fs::temp_directory_path() / "hamn-index.XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    directory_ = name;
    {
      Index index{path()};
      hamn::sync::IndexBatch batch;
      batch.put({0, "install"}, {.name = "postscripts", .kind = hamn::sync::Kind::directory});
      for (const char* each : {"image", "kernel", "syslog"}) {
        batch.put({0, "install/postscripts"}, {.name = each, .mode = 0644, .size_bytes = 1000});
      }
      index.commit(batch, {.generation = 7, .token = "token", .complete = true, .roots = roots});
    }
    std::ostringstream content;
    content << std::ifstream{path(), std::ios::binary}.rdbuf();
    good_ = content.str();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { fs::remove_all(directory_); }

  [[nodiscard]] std::string path() const { return directory_ + "/index.db"; }
  [[nodiscard]] const std::string& good() const { return good_; }
  void given(const std::string& content) const {
    for (const auto& entry : fs::directory_iterator{directory_}) fs::remove(entry.path());
    std::ofstream{path(), std::ios::binary} << content;
  }

 private:
  std::string directory_;
  std::string good_;
};

/// Changes one row of the index at `path`; `sql` has the parameter ?1.
void change_row(const std::string& path, const char* sql,
                const std::function<int(sqlite3_stmt*)>& bind) {
  sqlite3* raw = nullptr;
  sqlite3_stmt* row = nullptr;
  if (sqlite3_open(path.c_str(), &raw) != SQLITE_OK ||
      sqlite3_prepare_v2(raw, sql, -1, &row, nullptr) != SQLITE_OK || bind(row) != SQLITE_OK ||
      sqlite3_step(row) != SQLITE_DONE || sqlite3_changes(raw) != 1) {
    std::abort();
  }
  sqlite3_finalize(row);
  sqlite3_close(raw);
}

/// Puts `bytes` into the row of a directory, with the checksum that belongs to them.
void put_entries(const std::string& path, std::string_view bytes) {
  hamn::sync::ByteWriter checksum;
  checksum.fixed64(hamn::base::xxh64(bytes));
  const auto packed = std::string{bytes} + checksum.take();
  change_row(path, "UPDATE directory SET entries=?1 WHERE path=CAST('install' AS BLOB)",
             [&](sqlite3_stmt* row) {
               return sqlite3_bind_blob64(row, 1, packed.data(), packed.size(), SQLITE_STATIC);
             });
}

/// Puts the number that `bytes` begin with into the time that the copy is of.
void put_time(const std::string& path, std::string_view bytes) {
  std::int64_t number = 0;
  std::memcpy(&number, bytes.data(), std::min(bytes.size(), sizeof number));
  change_row(path, "UPDATE state SET value=?1 WHERE key='as_of'",
             [&](sqlite3_stmt* row) { return sqlite3_bind_int64(row, 1, number); });
}

/// The good file, changed at some places: two bytes say where, the next says into what.
std::string patched(const std::string& good, std::string_view patches) {
  auto content = good;
  for (std::size_t i = 0; i + 2 < patches.size(); i += 3) {
    const auto at =
        static_cast<unsigned char>(patches[i]) * 256U + static_cast<unsigned char>(patches[i + 1]);
    content[at % content.size()] = patches[i + 2];
  }
  return content;
}

void read_everything(const std::string& path) {
  if (const auto state = hamn::sync::read_index_state(path)) {
    constexpr hamn::base::WallTime now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21};
    (void)hamn::base::human_duration(hamn::base::age(state->as_of, now));
  }
  std::string problem;
  auto index = hamn::sync::open_or_replace_index(path, roots, problem);
  (void)index.state();
  for (const auto& key : index.directories()) (void)index.directory(key);
  hamn::sync::IndexBatch batch;
  batch.remove({0, "install"}, "postscripts");
  index.commit(batch, {.generation = 8, .token = "token", .complete = true, .roots = roots});
}

}  // namespace

/// An index as a failing disk could leave it, and rows that somebody wrote: it is read and its age
/// is told, or it is refused with an Error. The first byte chooses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Place place;
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  const bool is_patch = data[0] != 'r' && data[0] != 't';
  place.given(is_patch ? patched(place.good(), bytes) : place.good());
  if (data[0] == 'r') put_entries(place.path(), bytes);
  if (data[0] == 't') put_time(place.path(), bytes);
  try {
    read_everything(place.path());
  } catch (const hamn::base::Error& error) {
    if (error.hint().empty()) std::abort();
  }
  return 0;
}
