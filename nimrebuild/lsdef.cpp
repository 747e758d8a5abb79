#include "nimrebuild/lsdef.h"

#include <array>

#include "base/error.h"
#include "base/text.h"

namespace hamn::nimrebuild {

namespace {

/// Columns of xCAT's nimimage table that name NIM objects (xCAT 2.19, Schema.pm).
constexpr std::array resource_types{
    "lpp_source",      "spot",   "root",      "shared_root", "dump",      "paging",
    "resolv_conf",     "tmp",    "home",      "shared_home", "script",    "bosinst_data",
    "installp_bundle", "mksysb", "fb_script", "res_group",   "image_data"};

[[noreturn]] void unreadable(std::size_t line, const std::string& text) {
  throw base::Error{{.what = "cannot read the list of osimages",
                     .detail = "line " + std::to_string(line) + ": " + base::printable(text),
                     .hint = "run lsdef -t osimage -l by hand and look at that line"}};
}

}  // namespace

std::vector<Definition> parse_lsdef(const std::string& output) {
  constexpr std::string_view head = "Object name: ";
  std::vector<Definition> definitions;
  std::size_t number = 0;
  for (const auto& line : base::lines_of(output)) {
    ++number;
    if (base::trim(line).empty()) continue;
    if (line.starts_with(head)) {
      definitions.push_back({.name = base::trim(line.substr(head.size())), .attributes = {}});
      continue;
    }
    const auto equals = line.find('=');
    if (!line.starts_with("    ") || equals == std::string::npos || definitions.empty()) {
      unreadable(number, line);
    }
    definitions.back().attributes[base::trim(line.substr(0, equals))] = line.substr(equals + 1);
  }
  return definitions;
}

std::map<std::string, std::vector<std::string>> nim_resources(const Definition& osimage) {
  std::map<std::string, std::vector<std::string>> resources;
  const auto type = osimage.attributes.find("imagetype");
  if (type == osimage.attributes.end() || type->second != "NIM") return resources;
  for (const auto* each : resource_types) {
    const auto found = osimage.attributes.find(each);
    if (found == osimage.attributes.end()) continue;
    for (const auto& name : base::split(found->second, ',')) {
      if (!base::trim(name).empty()) resources[each].push_back(base::trim(name));
    }
  }
  return resources;
}

}  // namespace hamn::nimrebuild
