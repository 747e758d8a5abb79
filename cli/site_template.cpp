#include "cli/site_template.h"

#include "base/site_reader.h"
#include "base/text.h"

namespace hamn::cli {

namespace {

/// What init cannot find out: every setting with its default.
constexpr const char* further_settings = R"(
# File sets. credentials, install and etc exist without a word here; more paths:
# [sync.set.etc]
# paths = ["/etc/hosts", "/etc/resolv.conf", "/etc/exports"]
# exclude = ["*.swp"]
# allow_host_specific = []  # fstab, machine-id, ssh host keys... stay here otherwise
# profile = "compat"  # rsync -Lprgotz; or "faithful": rsync -aHAXS --numeric-ids
# delete = false      # true: what is gone here goes on the standby, within limits
# max_age = "1d"      # a takeover refuses older copies

[database]
keep_points = 5       # recovery points on the standby
max_age = "1h"        # a takeover refuses an older newest one

[schedule]
style = "systemd"     # or "crontab"
database = "1min"
sync-credentials = "1min"
sync-etc = "1min"
sync-install = "10min"

# A way to switch a host off and to read that it is off. Without one, a takeover needs
# your word: hamn failover --primary-is-off=NAME. {host} is the host to switch off.
# [[fence]]
# name = "bmc"
# off = ["/usr/bin/ipmitool", "-I", "lanplus", "-H", "{host}-bmc", "-U", "admin",
#        "-f", "/etc/hamn/bmc.password", "chassis", "power", "off"]
# status = ["/usr/bin/ipmitool", "-I", "lanplus", "-H", "{host}-bmc", "-U", "admin",
#           "-f", "/etc/hamn/bmc.password", "chassis", "power", "status"]
# off_when = "Chassis Power is off"
)";

}  // namespace

std::string render_site(const FoundSite& found) {
  std::string text =
      "# Configuration of hamn. Keep the same file on both management nodes.\n"
      "# hamn config checks it and prints every setting with its default.\n";
  for (const auto& note : found.notes) text += "# Found: " + base::printable(note) + "\n";
  text += "\nformat = 1\n\n[cluster]\nname = " + base::toml_string(found.cluster) + "\n";
  text +=
      "\n# The identity that nodes know the management node by.\n"
      "# take:  the standby takes the primary's own address and host name.\n"
      "# alias: a third address, beside the own ones of both hosts, moves.\n"
      "[service]\n"
      "style = " +
      base::toml_string(found.style) +
      "\naddress = " + base::toml_string(base::to_text(found.service)) +
      "\nhostname = " + base::toml_string(found.hostname) + "\n";
  text +=
      "\n# The two management nodes. Addresses are those by which they reach each other;\n"
      "# interface is the one that carries the service address.\n"
      "[host." +
      found.own_name + "]\naddress = " + base::toml_string(found.own_address) +
      "\ninterface = " + base::toml_string(found.interface) + "\n\n[host." + found.peer_name +
      "]\naddress = " + base::toml_string(found.peer_address) +
      "\ninterface = " + base::toml_string(found.interface) + "\n";
  text +=
      "\n# How the primary reaches the standby. Host keys are pinned in known_hosts: hamn init\n"
      "# --pin NAME.\n"
      "[ssh]\nkey = " +
      base::toml_string(found.key_file) + "\n";
  text += "\n[xcat]\ninstall = " + base::toml_string(found.install_directory) +
          "\ntftp = " + base::toml_string(found.tftp_directory) + "\n";
  return text + further_settings;
}

std::vector<std::vector<std::string>> parse_tabdump(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& line : base::lines_of(text)) {
    if (line.starts_with("#") || base::trim(line).empty()) continue;
    std::vector<std::string> cells{""};
    bool inside = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '"' && inside && i + 1 < line.size() && line[i + 1] == '"') {
        cells.back() += '"';
        ++i;
      } else if (line[i] == '"') {
        inside = !inside;
      } else if (line[i] == ',' && !inside) {
        cells.emplace_back();
      } else {
        cells.back() += line[i];
      }
    }
    rows.push_back(std::move(cells));
  }
  return rows;
}

}  // namespace hamn::cli
