#include "base/site.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "base/disk.h"
#include "base/error.h"
#include "base/site_reader.h"
#include "base/text.h"

namespace hamn::base {

namespace {

std::string home_directory() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_dir : "/root";
}

std::string expand_home(const std::string& path, const std::string& home) {
  if (path == "~") return home;
  return path.starts_with("~/") ? home + path.substr(1) : path;
}

bool is_name(const std::string& text) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !text.empty() && text.size() <= 63 &&
         text.find_first_not_of(allowed) == std::string::npos && text.front() != '-';
}

/// Absolute, without "..", "." or empty components; `*` and `?` only in the last one.
bool is_usable_path(const std::string& path, bool may_have_pattern) {
  if (path.size() < 2 || path.front() != '/' || path.find('\0') != std::string::npos) return false;
  const auto parts = split(std::string_view{path}.substr(1), '/');
  for (const auto& part : parts) {
    if (part.empty() || part == "." || part == "..") return false;
    const bool has_pattern = part.find_first_of("*?") != std::string::npos;
    if (has_pattern && (!may_have_pattern || &part != &parts.back())) return false;
  }
  return true;
}

std::string read_path(SiteTable& table, const std::string& key, const std::string& fallback,
                      const std::string& home) {
  auto path = expand_home(table.text(key, fallback), home);
  if (!is_usable_path(path, false)) table.complain(key, "must be an absolute path");
  return path;
}

void read_hosts(SiteTable& root, Site& site) {
  const auto names = root.subtables("host");
  auto hosts = root.table("host");
  for (const auto& name : names) {
    auto table = hosts.table(name);
    if (!is_name(name)) hosts.complain(name, "is not a host name");
    HostSettings host{.name = name,
                      .address = table.required("address", "10.0.0.1"),
                      .interface = table.text("interface", "eth0")};
    const auto& interface = host.interface;
    if (interface.empty() || interface.size() > 15 || interface.find('/') != std::string::npos) {
      table.complain("interface", "is not the name of a network interface");
    }
    if (const auto address = canonical_address(host.address)) {
      host.address = *address;
    } else if (!host.address.empty()) {
      table.complain("address", "is not an IP address: " + printable(host.address));
    }
    table.expect_nothing_else();
    site.hosts[name] = host;
  }
  if (site.hosts.size() != 2) {
    root.complain("host", "there must be two management nodes, [host.NAME] twice; found " +
                              std::to_string(site.hosts.size()));
    return;
  }
  if (site.hosts.begin()->second.address == site.hosts.rbegin()->second.address) {
    root.complain("host", "both hosts have the address " + site.hosts.begin()->second.address);
  }
}

void read_service(SiteTable table, Site& site) {
  const auto style = table.choice("style", "take", {"take", "alias"});
  site.service.style = style == "take" ? IdentityStyle::take : IdentityStyle::alias;
  const auto address = table.required("address", "10.0.0.1/24");
  if (const auto subnet = parse_subnet(address)) {
    site.service.address = *subnet;
  } else if (!address.empty()) {
    table.complain("address", "must be ADDRESS/PREFIX, such as \"10.0.0.1/24\"");
  }
  site.service.hostname =
      style == "take" ? table.required("hostname", "mn1") : table.text("hostname", "");
  if (!site.service.hostname.empty() && !is_name(site.service.hostname)) {
    table.complain("hostname", "must be a short host name without dots");
  }
  table.expect_nothing_else();
  const auto is_own = [&](const auto& each) {
    return each.second.address == site.service.address.address;
  };
  const auto owners = std::count_if(site.hosts.begin(), site.hosts.end(), is_own);
  if (style == "alias" && owners != 0) {
    table.complain("address",
                   "is also a host's own address; with style \"alias\" it must be "
                   "a third one (or use style = \"take\")");
  }
}

void read_ssh(SiteTable table, Site& site, const std::string& home) {
  site.ssh_transport = table.choice("transport", "auto", {"auto", "libssh2", "openssh"});
  site.ssh.user = table.text("user", "root");
  site.ssh.port = static_cast<std::uint16_t>(table.number("port", 22, 1, 65535));
  site.ssh.key_file = expand_home(table.text("key", "~/.ssh/id_ed25519"), home);
  site.ssh.known_hosts = read_path(table, "known_hosts", "/etc/hamn/known_hosts", home);
  site.remote_program = table.text("program", "hamn");
  site.ssh.connect_limit = table.limit("connect_limit", "10s");
  table.expect_nothing_else();
}

std::vector<std::string> read_patterns(SiteTable& table, const std::string& key,
                                       const std::vector<std::string>& fallback) {
  auto patterns = table.list(key, fallback);
  for (const auto& pattern : patterns) {
    const bool is_marked = pattern.starts_with("+ ") || pattern.starts_with("- ");
    if (pattern.size() <= (is_marked ? 2U : 0U) || pattern.find('\0') != std::string::npos) {
      table.complain(key, "has an empty pattern");
    }
  }
  return patterns;
}

void read_file_set(SiteTable table, FileSetSettings& set, const std::string& home) {
  set.paths = table.list("paths", set.paths);
  for (auto& path : set.paths) {
    path = expand_home(path, home);
    if (!is_usable_path(path, true)) {
      table.complain(
          "paths", "must be absolute, with * and ? in the last component only: " + printable(path));
    }
  }
  if (set.paths.empty()) table.complain("paths", "names nothing");
  set.include = read_patterns(table, "include", set.include);
  set.exclude = read_patterns(table, "exclude", set.exclude);
  set.allow_host_specific = table.list("allow_host_specific", {});
  for (const auto& pattern : set.allow_host_specific) {
    if (!pattern.starts_with("/")) {
      table.complain("allow_host_specific", "must be absolute: " + printable(pattern));
    }
  }
  set.max_age = table.duration("max_age", "1d");
  set.deletes = table.flag("delete", false);
  set.is_faithful = table.choice("profile", "compat", {"compat", "faithful"}) == "faithful";
  table.expect_nothing_else();
}

void read_file_sets(SiteTable table, Site& site, const std::string& home) {
  site.file_sets = default_file_sets(home, site.xcat_install_directory, site.xcat_tftp_directory);
  for (const auto& name : table.subtables("set")) {
    if (!is_name(name)) table.complain("set", "not a name for a file set: " + printable(name));
    if (name == "database") table.complain("set", "\"database\" is the name of hamn's own set");
    site.file_sets[name].name = name;
  }
  auto sets = table.table("set");
  for (auto& [name, set] : site.file_sets) read_file_set(sets.table(name), set, home);
  table.expect_nothing_else();
}

void read_fences(SiteTable& root, Site& site) {
  for (auto& table : root.array("fence")) {
    FenceMethod fence;
    fence.name = table.required("name", "bmc");
    fence.off = table.list("off", {});
    fence.status = table.list("status", {});
    fence.off_when = table.required("off_when", "Chassis Power is off");
    fence.time_limit = table.limit("time_limit", "30s");
    for (const auto* key : {"off", "status"}) {
      const auto& words = key == std::string{"off"} ? fence.off : fence.status;
      if (words.empty() || !words.front().starts_with("/")) {
        table.complain(key, "must be a command as a list, beginning with an absolute path");
      }
    }
    table.expect_nothing_else();
    site.fences.push_back(fence);
  }
}

void read_takeover(SiteTable table, Site& site) {
  site.takeover.console_limit = table.number("console_limit", 100, 0, 1'000'000);
  site.takeover.address_probe = table.duration("address_probe", "600ms");
  if (site.takeover.address_probe < std::chrono::milliseconds{200} ||
      site.takeover.address_probe > std::chrono::minutes{1}) {
    table.complain("address_probe", "must be from 200ms to 1min");
  }
  site.takeover.command_limit = table.limit("command_limit", "15min");
  table.expect_nothing_else();
}

void read_units(SiteTable table, Site& site) {
  site.units.xcatd = table.text("xcatd", "xcatd");
  site.units.dns = table.text("dns", "auto");
  site.units.dhcp = table.text("dhcp", "auto");
  site.units.console = table.text("console", "auto");
  table.expect_nothing_else();
}

void read_schedule(SiteTable table, Site& site) {
  site.schedule.style = table.choice("style", "systemd", {"systemd", "crontab", "continuous"});
  site.schedule.every["database"] = table.limit("database", "1min");
  for (const auto& [name, set] : site.file_sets) {
    site.schedule.every["sync-" + name] =
        table.limit("sync-" + name, name == "install" ? "10min" : "1min");
  }
  table.expect_nothing_else();
}

void read_watch(SiteTable table, Site& site) {
  site.watch.quiet = table.duration("quiet", "200ms");
  site.watch.longest = table.duration("longest", "2s");
  site.watch.heartbeat = table.limit("heartbeat", "20s");
  site.watch.rescan = table.limit("rescan", "10min");
  site.watch.poll = table.limit("poll", "10s");
  if (site.watch.heartbeat > std::chrono::seconds{30}) {
    table.complain("heartbeat", "must be 30s or less, or the standby takes the line for dead");
  }
  table.expect_nothing_else();
}

void throw_if_wrong(const SiteFile& file, const std::string& path) {
  if (file.problems().empty()) return;
  auto problems = file.problems();
  std::stable_sort(problems.begin(), problems.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  std::vector<std::string> lines;
  lines.reserve(problems.size());
  for (const auto& problem : problems) {
    lines.push_back((problem.line > 0 ? "line " + std::to_string(problem.line) + ": " : "") +
                    problem.text);
  }
  const auto count = lines.size();
  throw Error{{.what = "cannot use the configuration " + path + ": " +
                       (count == 1 ? "one problem" : std::to_string(count) + " problems"),
               .detail = join(lines, "\n"),
               .hint = "correct it, then check with: hamn config; docs/configuration.md "
                       "explains every key",
               .code = Exit::usage}};
}

}  // namespace

std::map<std::string, FileSetSettings> default_file_sets(const std::string& home,
                                                         const std::string& install_directory,
                                                         const std::string& tftp_directory) {
  std::map<std::string, FileSetSettings> sets;
  sets["credentials"] = {
      .name = "credentials",
      .paths = {"/etc/xcat/ca", "/etc/xcat/cert", "/etc/xcat/hostkeys", "/etc/xcat/sshkeys",
                "/etc/xcat/cfgloc*", home + "/.xcat", "/home/conserver/.xcat", home + "/.ssh/id*"},
      .include = {},
      .exclude = {}};
  sets["install"] = {.name = "install",
                     .paths = {install_directory, tftp_directory},
                     .include = {},
                     .exclude = {}};
  sets["etc"] = {
      .name = "etc", .paths = {"/etc/hosts", "/etc/resolv.conf"}, .include = {}, .exclude = {}};
  return sets;
}

Site parse_site(const std::string& text, const std::string& path) {
  const auto home = home_directory();
  SiteFile file{text, path};
  Site site;
  site.path = path;
  auto root = file.root();
  if (root.number("format", 1, 0, 1000) != 1) {
    root.complain("format", "this hamn reads format 1");
  }
  auto cluster = root.table("cluster");
  site.cluster = cluster.text("name", "cluster");
  cluster.expect_nothing_else();
  read_hosts(root, site);
  read_service(root.table("service"), site);
  read_ssh(root.table("ssh"), site, home);
  auto paths = root.table("paths");
  site.state_directory = read_path(paths, "state", "/var/lib/hamn", home);
  site.run_directory = read_path(paths, "run", "/run/hamn", home);
  paths.expect_nothing_else();
  auto xcat = root.table("xcat");
  site.xcat_root = read_path(xcat, "root", "/opt/xcat", home);
  site.xcat_install_directory = read_path(xcat, "install", "/install", home);
  site.xcat_tftp_directory = read_path(xcat, "tftp", "/tftpboot", home);
  xcat.expect_nothing_else();
  read_file_sets(root.table("sync"), site, home);
  auto database = root.table("database");
  site.database.keep_points = database.number("keep_points", 5, 1, 1000);
  site.database.max_age = database.duration("max_age", "1h");
  database.expect_nothing_else();
  read_fences(root, site);
  read_units(root.table("units"), site);
  read_takeover(root.table("takeover"), site);
  read_schedule(root.table("schedule"), site);
  read_watch(root.table("watch"), site);
  root.expect_nothing_else();
  throw_if_wrong(file, path);
  site.settings = file.settings();
  return site;
}

Site load_site(const std::string& path) {
  const auto text = read_file(path, 1U << 20U);
  if (!text) {
    throw Error{{.what = "there is no configuration " + path,
                 .detail = "hamn was not set up on this host yet",
                 .hint = "hamn init writes one that fits this host",
                 .code = Exit::usage}};
  }
  return parse_site(*text, path);
}

const HostSettings& Site::host(const std::string& name) const {
  const auto found = hosts.find(name);
  if (found == hosts.end()) {
    std::vector<std::string> names;
    names.reserve(hosts.size());
    for (const auto& [each, settings_of_it] : hosts) names.push_back(each);
    throw Error{{.what = "unknown host " + printable(name),
                 .detail = path + " names " + join(names, " and "),
                 .hint = "use one of these names",
                 .code = Exit::usage}};
  }
  return found->second;
}

const HostSettings& Site::other_than(const std::string& name) const {
  const auto& known = host(name);
  const auto other = std::find_if(hosts.begin(), hosts.end(),
                                  [&](const auto& each) { return each.first != known.name; });
  return other != hosts.end() ? other->second : known;
}

SshSettings Site::ssh_to(const std::string& host_name) const {
  auto settings_to = ssh;
  settings_to.name = host_name;
  settings_to.address = host(host_name).address;
  return settings_to;
}

namespace {

Error two_hosts_here(const std::string& one, const std::string& other) {
  return Error{{.what = "cannot tell which management node this is",
                .detail = "it holds the addresses of both " + one + " and " + other,
                .hint = "look at: ip address; remove the address that is not its own"}};
}

}  // namespace

std::string find_this_host(const Site& site, const std::vector<InterfaceAddress>& addresses) {
  std::string taken;
  std::string own;
  for (const auto& [name, host] : site.hosts) {
    const bool here = std::any_of(addresses.begin(), addresses.end(),
                                  [&, &each = host](const InterfaceAddress& address) {
                                    return address.address == each.address;
                                  });
    if (!here) continue;
    const bool moves = host.address == site.service.address.address;
    std::string& place = moves ? taken : own;
    if (!place.empty()) throw two_hosts_here(place, name);
    place = name;
  }
  if (!own.empty()) return own;
  if (!taken.empty()) return taken;
  throw Error{{.what = "this host is neither of the two management nodes",
               .detail = "none of its addresses stands in [host.*] of " + site.path,
               .hint = "correct the addresses there, or run hamn on the right host",
               .code = Exit::usage}};
}

}  // namespace hamn::base
