#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/network.h"
#include "base/text.h"
#include "cli/site_template.h"
#include "takeover/cluster.h"

namespace {

/// Lines "table,column=value,…" as tables.
hamn::takeover::Tables tables_in(const std::vector<std::vector<std::string>>& lines) {
  hamn::takeover::Tables tables;
  for (const auto& cells : lines) {
    hamn::takeover::Row row;
    for (std::size_t i = 1; i < cells.size(); ++i) {
      const auto equals = cells[i].find('=');
      if (equals == std::string::npos || equals + 1 == cells[i].size()) continue;
      row[cells[i].substr(0, equals)] = cells[i].substr(equals + 1);
    }
    tables[cells[0]].push_back(std::move(row));
  }
  return tables;
}

}  // namespace

/// Any bytes as tabdump prints tables, and what is read there as the tables of a cluster: a node
/// for every row of nodelist, with attributes that are known.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto lines = hamn::cli::parse_tabdump({reinterpret_cast<const char*>(data), size});
  for (const auto& cells : lines) {
    if (cells.empty()) std::abort();
  }
  auto tables = tables_in(lines);
  const auto nodes = tables["nodelist"].size();
  const auto cluster = hamn::takeover::make_cluster(tables);
  if (cluster.nodes.size() != nodes) std::abort();
  for (const auto& [name, address] : cluster.addresses) {
    if (!hamn::base::is_address(address)) std::abort();
  }
  for (const auto& node : cluster.nodes) {
    if (node.mac.find_first_of("!|") != std::string::npos) std::abort();
    if (node.mac != hamn::base::to_lower(node.mac) || node.state.starts_with("|")) std::abort();
  }
  return 0;
}
