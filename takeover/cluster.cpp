#include "takeover/cluster.h"

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <system_error>

#include "base/error.h"
#include "base/network.h"
#include "base/text.h"
#include "takeover/attributes.h"

namespace hamn::takeover {

namespace {

bool is_disabled(const Row& row) {
  const auto found = row.find("disable");
  return found != row.end() && (found->second == "1" || found->second == "yes");
}

const std::string& value_of(const Row& row, const std::string& column) {
  static const std::string nothing;
  const auto found = row.find(column);
  return found == row.end() ? nothing : found->second;
}

base::Error unreadable(const std::string& file, const std::string& why) {
  return base::Error{{.what = "cannot read the cluster table " + file,
                      .detail = why,
                      .hint = "check the copy: hamn db verify"}};
}

std::string column_text(sqlite3_stmt* statement, int column) {
  const auto* text = ::sqlite3_column_text(statement, column);
  return text == nullptr ? std::string{} : reinterpret_cast<const char*>(text);
}

std::vector<Row> read_table(const std::string& file, const std::string& table) {
  sqlite3* raw = nullptr;
  const int opened = ::sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database{raw, ::sqlite3_close_v2};
  if (opened != SQLITE_OK) throw unreadable(file, ::sqlite3_errmsg(raw));
  ::sqlite3_busy_timeout(raw, 5000);
  sqlite3_stmt* prepared = nullptr;
  const std::unique_ptr<char, void (*)(void*)> sql{
      ::sqlite3_mprintf("SELECT * FROM \"%w\"", table.c_str()), ::sqlite3_free};
  if (::sqlite3_prepare_v2(raw, sql.get(), -1, &prepared, nullptr) != SQLITE_OK) {
    const std::string why = ::sqlite3_errmsg(raw);
    if (why.starts_with("no such table")) return {};  // made, but never used by xCAT
    throw unreadable(file, why);
  }
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement{prepared,
                                                                        ::sqlite3_finalize};
  std::vector<Row> rows;
  int result = 0;
  while ((result = ::sqlite3_step(prepared)) == SQLITE_ROW) {
    Row row;
    for (int column = 0; column < ::sqlite3_column_count(prepared); ++column) {
      auto value = column_text(prepared, column);
      if (!value.empty()) row[::sqlite3_column_name(prepared, column)] = std::move(value);
    }
    if (!is_disabled(row)) rows.push_back(std::move(row));
  }
  if (result != SQLITE_DONE) throw unreadable(file, ::sqlite3_errmsg(raw));
  return rows;
}

}  // namespace

std::string Cluster::site_value(const std::string& key, const std::string& fallback) const {
  const auto found = site.find(key);
  return found == site.end() ? fallback : found->second;
}

Cluster make_cluster(Tables tables) {
  Cluster cluster;
  for (const auto& row : tables["site"])
    cluster.site[value_of(row, "key")] = value_of(row, "value");
  Attributes addresses{tables, "hosts", "ip"};
  Attributes macs{tables, "mac", "mac"};
  Attributes service_nodes{tables, "noderes", "servicenode"};
  Attributes methods{tables, "noderes", "netboot"};
  Attributes states{tables, "chain", "currstate"};
  Attributes consoles{tables, "nodehm", "cons"};
  Attributes ports{tables, "nodehm", "serialport"};
  Attributes managements{tables, "nodehm", "mgt"};
  for (const auto& row : tables["nodelist"]) {
    Node node;
    node.name = value_of(row, "node");
    const auto groups = base::split(value_of(row, "groups"), ',');
    // What cannot be worked out is kept as it stands: it is still set, if to nothing known.
    node.mac = macs.of_or_raw(node.name, groups);
    node.service_node = service_nodes.of_or_raw(node.name, groups);
    node.boot_method = methods.of(node.name, groups);
    node.state = states.of(node.name, groups);
    node.has_console =
        !consoles.of(node.name, groups).empty() ||
        (!ports.of(node.name, groups).empty() && !managements.of(node.name, groups).empty());
    const auto address = addresses.of(node.name, groups);
    if (base::is_address(address)) cluster.addresses[node.name] = address;
    cluster.nodes.push_back(std::move(node));
  }
  cluster.tables = std::move(tables);
  return cluster;
}

Tables read_sqlite_cluster(const std::string& directory) {
  constexpr std::string_view suffix = ".sqlite";
  Tables tables;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{directory, error}) {
    const auto name = entry.path().filename().string();
    if (!name.ends_with(suffix)) continue;
    const auto table = name.substr(0, name.size() - suffix.size());
    tables[table] = read_table(entry.path().string(), table);
  }
  if (error) throw unreadable(directory, error.message());
  return tables;
}

std::map<std::string, std::vector<std::string>> parse_hosts(const std::string& text) {
  std::map<std::string, std::vector<std::string>> hosts;
  for (const auto& line : base::lines_of(text)) {
    const auto words = base::words_of(line.substr(0, line.find('#')));
    if (words.size() < 2 || !base::is_address(words.front())) continue;
    if (words.front().starts_with("127.") || words.front() == "::1") continue;
    for (std::size_t i = 1; i < words.size(); ++i) hosts[words[i]].push_back(words.front());
  }
  return hosts;
}

}  // namespace hamn::takeover
