#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "dbrepl/drivers.h"
#include "dbrepl/inspection.h"
#include "dbrepl/sqlite_store.h"
#include "tests/contract/replication_contract.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"

namespace hamn::dbrepl::test {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

void run_sql(const std::string& file, const std::string& sql,
             std::map<std::string, std::string>* rows, const std::string& prefix) {
  sqlite3* handle = nullptr;
  sqlite3_open(file.c_str(), &handle);
  struct Sink {
    std::map<std::string, std::string>* rows;
    std::string prefix;
  } sink{rows, prefix};
  const auto add = [](void* to, int, char** values, char**) {
    auto& into = *static_cast<Sink*>(to);
    (*into.rows)[into.prefix + values[0]] = values[1] != nullptr ? values[1] : "";
    return 0;
  };
  const int result =
      sqlite3_exec(handle, sql.c_str(), rows != nullptr ? +add : nullptr, &sink, nullptr);
  sqlite3_close(handle);
  ASSERT_EQ(result, SQLITE_OK) << sql;
}

/// Shipping of the file set "database", as far as it matters here: what differs is put in place by
/// a rename, the rest keeps its file. Order as a directory has it; may break off.
class Shipping {
 public:
  void ship(const std::string& from, const std::string& to) {
    fs::create_directories(to);
    for (const auto& entry : fs::directory_iterator(from)) {
      const auto place = fs::path{to} / entry.path().filename();
      if (fs::exists(place) && read(place) == read(entry.path())) continue;
      if (left_ == 0) break_off();
      --left_;
      const auto part = fs::path{to + ".part"};
      fs::copy_file(entry.path(), part, fs::copy_options::overwrite_existing);
      fs::rename(part, place);
    }
    for (const auto& entry : fs::directory_iterator(to)) {
      if (!fs::exists(fs::path{from} / entry.path().filename())) fs::remove(entry.path());
    }
    left_ = -1;
  }
  void break_after(int files) {
    left_ = files;
    did_break_ = false;
  }
  [[nodiscard]] bool did_break() const { return did_break_; }

 private:
  void break_off() {
    left_ = -1;
    did_break_ = true;
    throw base::Error{
        {.what = "the connection was lost", .detail = "the test cut it", .hint = "run again"}};
  }

  int left_ = -1;
  bool did_break_ = false;
};

/// One management node: its directories, and `hamn` as a program on it.
class Node : public base::Host {
 public:
  Node(std::string name, std::string root, base::Clock& clock, Shipping& shipping)
      : name_(std::move(name)), root_(std::move(root)), clock_(clock), shipping_(shipping) {
    fs::create_directories(live());
  }

  [[nodiscard]] std::string live() const { return root_ + "/etc/xcat"; }
  [[nodiscard]] DatabaseDirectories directories() const {
    return database_directories(root_ + "/var/lib/hamn");
  }
  [[nodiscard]] DatabaseLocation location() const {
    return {.engine = Engine::sqlite, .origin = "default /etc/xcat", .directory = live()};
  }
  void set_peer(const Node* peer) { peer_ = peer; }

  std::uint64_t epoch = 1;
  bool is_away = false;

  [[nodiscard]] std::string name() const override { return name_; }
  base::Outcome run(const base::Command& command) override {
    if (is_away) {
      throw base::Error{
          {.what = "cannot reach " + name_, .detail = "the test says so", .hint = "wait"}};
    }
    base::Outcome outcome;
    try {
      outcome.output = hamn({command.argv.begin() + 1, command.argv.end()});
    } catch (const base::Error& error) {
      outcome.exit_code = static_cast<int>(error.code());
      outcome.error_output = base::to_lines(error);
    }
    return outcome;
  }
  std::unique_ptr<base::Stream> open(const base::Command& /*command*/) override { return nullptr; }
  std::optional<std::string> read(const std::string& /*path*/, std::uint64_t /*limit*/) override {
    return std::nullopt;
  }
  void write(const base::FileWrite& /*file*/) override {}

 private:
  using Words = std::vector<std::string>;

  static std::string after(const Words& words, const std::string& option) {
    const auto found = std::find(words.begin(), words.end(), option);
    return found == words.end() ? std::string{} : *(found + 1);
  }

  std::string hamn(const Words& words) {
    if (words.at(0) == "sync") {
      shipping_.ship(directories().outgoing, peer_->directories().incoming);
      return {};
    }
    const auto& verb = words.at(1);
    if (verb == "inspect") return format_live(inspect_here(location(), directories(), clock_));
    if (verb == "points") return format_points(inspect_points_here(directories(), clock_));
    if (verb == "compare") {
      return format_comparison(compare_here(location(), directories(), after(words, "--point")));
    }
    return work(verb, words);
  }

  std::string work(const std::string& verb, const Words& words) {
    if (verb == "snapshot") {
      const auto exceed = after(words, "--after");
      (void)take_sqlite_snapshot(disk_, clock_,
                                 {.directory = live(),
                                  .outgoing = directories().outgoing,
                                  .host = name_,
                                  .epoch = epoch,
                                  .after_generation = exceed.empty() ? 0 : std::stoull(exceed)});
    } else if (verb == "accept") {
      (void)accept_sqlite_point(disk_, directories().incoming, directories().points, 5);
    } else if (verb == "swap-in") {
      swap_in_sqlite_point(disk_, clock_,
                           {.point = find_point(directories(), after(words, "--point")),
                            .directory = live(),
                            .undo = directories().undo});
    } else if (verb == "swap-back") {
      swap_back_sqlite(disk_, clock_, live(), directories().undo);
    } else if (verb == "verify") {
      const auto problems = check_sqlite_point(find_point(directories(), after(words, "--point")));
      if (!problems.empty()) {
        throw base::Error{{.what = "damaged", .detail = problems.front(), .hint = "ship it again"}};
      }
    } else {
      ADD_FAILURE() << "unknown command " << verb;
    }
    return {};
  }

  std::string name_;
  std::string root_;
  base::Clock& clock_;
  Shipping& shipping_;
  const Node* peer_ = nullptr;
  base::RealDisk disk_;
};

class SqliteWorld : public ReplicationWorld {
 public:
  SqliteWorld() {
    for (const char* name : {"mn1", "mn2"}) {
      auto node = std::make_unique<Node>(name, root_ / name, clock_, shipping_);
      nodes_[name] = node.get();
      hosts_.add(std::move(node));
    }
    nodes_["mn1"]->set_peer(nodes_["mn2"]);
    nodes_["mn2"]->set_peer(nodes_["mn1"]);
  }

  std::unique_ptr<ReplicationDriver> driver(const std::string& primary) override {
    const auto& node = *nodes_.at(primary);
    return make_driver({.primary = primary,
                        .standby = primary == "mn1" ? "mn2" : "mn1",
                        .program = {"hamn"},
                        .location = node.location(),
                        .directories = node.directories()});
  }
  base::Hosts& hosts() override { return hosts_; }

  void put(const std::string& host, const std::string& table, const std::string& key,
           const std::string& value) override {
    const auto file = file_of(host, table);
    run_sql(file, "CREATE TABLE IF NOT EXISTS " + table + " (key PRIMARY KEY, value)", nullptr, "");
    run_sql(file, "INSERT OR REPLACE INTO " + table + " VALUES ('" + key + "', '" + value + "')",
            nullptr, "");
  }
  void remove(const std::string& host, const std::string& table, const std::string& key) override {
    run_sql(file_of(host, table), "DELETE FROM " + table + " WHERE key = '" + key + "'", nullptr,
            "");
  }
  std::map<std::string, std::string> content(const std::string& host) override {
    std::map<std::string, std::string> rows;
    for (const auto& entry : fs::directory_iterator(nodes_.at(host)->live())) {
      const auto table = entry.path().stem().string();
      if (entry.path().extension() != ".sqlite") continue;
      rows[table] = "is there";
      run_sql(entry.path(), "SELECT * FROM " + table, &rows, table + "/");
    }
    return rows;
  }

  void set_epoch(const std::string& host, std::uint64_t epoch) override {
    nodes_.at(host)->epoch = epoch;
  }
  void pass_time(base::Milliseconds duration) override { clock_.advance(duration); }
  void disconnect(const std::string& host, bool is_away) override {
    nodes_.at(host)->is_away = is_away;
  }
  void break_shipping_after(int files) override { shipping_.break_after(files); }
  [[nodiscard]] bool did_break() const override { return shipping_.did_break(); }
  void damage_newest_point(const std::string& host) override {
    const auto kept = newest_point(nodes_.at(host)->directories().points);
    ASSERT_TRUE(kept);
    const auto file = kept->directory + "/site.sqlite";
    auto bytes = test::read(file);
    bytes.at(bytes.size() / 2) ^= 1;
    fs::remove(file);
    std::ofstream{file, std::ios::binary} << bytes;
  }
  void lose_outgoing(const std::string& host) override {
    fs::remove_all(nodes_.at(host)->directories().outgoing);
  }

 private:
  [[nodiscard]] std::string file_of(const std::string& host, const std::string& table) const {
    return nodes_.at(host)->live() + "/" + table + ".sqlite";
  }

  hamn::test::TemporaryDirectory root_;
  hamn::test::FakeClock clock_;
  Shipping shipping_;
  base::Hosts hosts_;
  std::map<std::string, Node*> nodes_;
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Drivers, ReplicationContract,
                         ::testing::Values(NamedWorld{
                             .name = "Sqlite",
                             .make = [] { return std::make_unique<SqliteWorld>(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace hamn::dbrepl::test
