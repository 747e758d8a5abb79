#pragma once

#include <string>
#include <vector>

#include "base/network.h"

namespace hamn::cli {

/// What `hamn init` found out about this host, and what was said on its command line.
struct FoundSite {
  std::string cluster;
  std::string own_name;
  std::string own_address;
  std::string interface;
  std::string peer_name;
  std::string peer_address;
  std::string style;  ///< "take" or "alias"
  base::Subnet service;
  std::string hostname;
  std::string install_directory;
  std::string tftp_directory;
  std::string key_file;
  std::vector<std::string> notes;  ///< what was seen, for comments
};

/// A commented configuration that works as it is. Pure.
[[nodiscard]] std::string render_site(const FoundSite& found);

/// Rows of a table as tabdump prints them: a line of column names after '#', then comma-separated
/// values, in quotes where they are not empty; quotes within are doubled. Pure. (xCAT 2.19)
[[nodiscard]] std::vector<std::vector<std::string>> parse_tabdump(const std::string& text);

}  // namespace hamn::cli
