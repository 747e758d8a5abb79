#include "takeover/deployment.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/network.h"
#include "base/text.h"
#include "takeover/name_services.h"

namespace hamn::takeover {

namespace {

using base::State;

bool is_deployed(const Node& node) {
  return node.service_node.empty() &&
         (node.state.starts_with("install") || node.state.starts_with("netboot") ||
          node.state.starts_with("statelite"));
}

/// Where xCAT 2.19 writes a node's boot file, per boot method.
std::string boot_file(const std::string& tftp_directory, const Node& node) {
  if (node.boot_method == "grub2" || node.boot_method.starts_with("grub2-")) {
    return tftp_directory + "/boot/grub2/" + node.name;
  }
  if (node.boot_method == "petitboot") return tftp_directory + "/petitboot/" + node.name;
  if (node.boot_method == "pxe") return tftp_directory + "/pxelinux.cfg/" + node.name;
  return tftp_directory + "/xcat/xnba/nodes/" + node.name;
}

/// A node's answers for the installer: a file, or on Ubuntu's newer ones a directory with the file
/// user-data.
std::optional<std::string> answer_file(base::Host& host, const std::string& install_directory,
                                       const std::string& node) {
  const auto path = install_directory + "/autoinst/" + node;
  constexpr std::uint64_t largest_bytes = 16U << 20U;
  if (auto answers = host.read(path + "/user-data", largest_bytes)) return answers;
  return host.read(path, largest_bytes);
}

}  // namespace

bool Nodeset::is_ready(const Node& node) {
  auto& host = context_.local();
  const auto file = host.read(boot_file(context_.site.xcat_tftp_directory, node), 1U << 20U);
  // The file says in a comment which state it is for: "#install rhels8.6-x86_64-compute".
  if (!file || file->find("#" + node.state + "\n") == std::string::npos) return false;
  if (!node.state.starts_with("install")) return true;
  const auto answers = answer_file(host, context_.site.xcat_install_directory, node.name);
  return answers && holds_word(*answers, context_.site.service.address.address);
}

base::Finding Nodeset::check() {
  std::vector<std::string> missing;
  std::size_t deployed = 0;
  for (const auto& node : context_.cluster.nodes) {
    if (!is_deployed(node)) continue;
    ++deployed;
    if (!is_ready(node)) missing.push_back(node.name);
  }
  if (deployed == 0) {
    return {.state = State::not_applicable, .why = "no node is being deployed", .facts = {}};
  }
  if (missing.empty()) {
    return {.state = State::done,
            .why = "the boot files of all " + base::human_count(deployed) +
                   " nodes that are being deployed are in place",
            .facts = {}};
  }
  return {.state = State::due,
          .why = base::human_count(missing.size()) +
                 " nodes lack their boot files: " + name_some(missing),
          .facts = {{"nodes", base::join(missing, ",")}}};
}

base::Plan Nodeset::plan(const base::Finding& found) const {
  base::Plan plan;
  // One argument of a command holds 128 KiB at most (execve(2)).
  constexpr std::size_t most_bytes = 64U << 10U;
  std::string some;
  const auto add = [&] {
    if (some.empty()) return;
    plan.add(base::run_on(context_.here, "Write the boot files with the images that the nodes have",
                          {.argv = {context_.xcat("sbin/nodeset"), some, "osimage"},
                           .time_limit = context_.site.takeover.command_limit}));
    some.clear();
  };
  for (const auto& node : base::split(found.facts.at("nodes"), ',')) {
    if (some.size() + node.size() > most_bytes) add();
    some += (some.empty() ? "" : ",") + node;
  }
  add();
  return plan;
}

base::Finding Nodeset::verify(const std::vector<base::Outcome>& /*outcomes*/) {
  return check();
}

bool holds_word(const std::string& text, const std::string& word) {
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  };
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const bool free_before = at == 0 || !is_part(text[at - 1]);
    const auto end = at + word.size();
    // A full stop after it may end a sentence or begin a domain; the latter counts for names only.
    const bool free_after =
        end == text.size() || !is_part(text[end]) || (text[end] == '.' && !base::is_address(word));
    if (free_before && free_after) return true;
  }
  return false;
}

std::vector<std::string> StaleIdentity::places_in(const std::string& table) const {
  const auto& own = context_.site.host(context_.here);
  const bool own_moves = own.address == context_.site.service.address.address;
  std::vector<std::string> places;
  for (const auto& row : context_.cluster.tables.at(table)) {
    const auto defines = row.find("node");
    if (defines != row.end() && defines->second == own.name) continue;  // its own definition
    for (const auto& [column, value] : row) {
      const bool stale =
          (!own_moves && holds_word(value, own.address)) || holds_word(value, own.name);
      if (stale) places.push_back(table + "." + column + "=" + value);
    }
  }
  return places;
}

base::Finding StaleIdentity::check() {
  std::vector<std::string> places;
  for (const auto& [table, rows] : context_.cluster.tables) {
    // History is no configuration, and the policy rightly trusts both management nodes by name.
    if (table == "auditlog" || table == "eventlog" || table == "policy") continue;
    for (auto& place : places_in(table)) places.push_back(std::move(place));
  }
  if (places.empty()) {
    return {.state = State::done, .why = "neither stands anywhere", .facts = {}};
  }
  constexpr std::size_t shown = 20;
  if (places.size() > shown) {
    const auto rest = places.size() - shown;
    places.resize(shown);
    places.push_back("and " + std::to_string(rest) + " more");
  }
  return {.state = State::done,
          .why = "they stand in the database; look whether that is right",
          .facts = {{"follow_up", "check these rows: " + base::join(places, "; ")}}};
}

base::Plan StaleIdentity::plan(const base::Finding& /*found*/) const {
  return {};
}

}  // namespace hamn::takeover
