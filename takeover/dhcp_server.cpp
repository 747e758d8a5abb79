#include "takeover/dhcp_server.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "takeover/deployment.h"
#include "takeover/services.h"

namespace hamn::takeover {

namespace {

constexpr std::uint64_t largest_file_bytes = 256U << 20U;
constexpr std::array lease_files{"/var/lib/dhcp/dhcpd.leases", "/var/lib/dhcpd/dhcpd.leases",
                                 "/var/lib/dhcp/db/dhcpd.leases"};
constexpr std::array isc_files{"/etc/dhcp/dhcpd.conf", "/etc/dhcpd.conf"};
constexpr std::array kea_files{"/etc/kea/kea-dhcp4.conf"};

/// Content of those that are there, one after the other.
template <std::size_t Count>
std::string content_of(base::Host& host, const std::array<const char*, Count>& paths) {
  std::string text;
  for (const auto* path : paths) text += host.read(path, largest_file_bytes).value_or("") + "\n";
  return text;
}

std::vector<std::string> files_of(const DhcpServer& server) {
  if (server.kind == DhcpServer::Kind::kea) return {kea_files.begin(), kea_files.end()};
  return {isc_files.begin(), isc_files.end()};
}

/// True if one of the server's files is newer than what `condition` of find(1) says.
bool has_newer_file(const Context& context, const DhcpServer& server, const std::string& condition,
                    const std::string& reference) {
  base::Command find{.argv = {"find"}};
  for (auto& file : files_of(server)) find.argv.push_back(std::move(file));
  find.argv.insert(find.argv.end(), {condition, reference});
  return !base::trim(context.local().run(find).output).empty();
}

/// "ID=ubuntu" → "ubuntu".
std::string release_value(const std::string& os_release, const std::string& key) {
  for (const auto& line : base::lines_of(os_release)) {
    if (!line.starts_with(key + "=")) continue;
    auto value = line.substr(key.size() + 1);
    std::erase(value, '"');
    return value;
  }
  return {};
}

/// "22.04" → 2204, "10.1" → 1001, "9" → 900.
unsigned version_of(const std::string& text) {
  unsigned major = 0;
  unsigned minor = 0;
  const auto dot = std::min(text.find('.'), text.size());
  std::from_chars(text.data(), text.data() + dot, major);
  if (dot < text.size()) std::from_chars(text.data() + dot + 1, text.data() + text.size(), minor);
  return major * 100 + minor;
}

/// When a process began, in seconds since 1970: /proc/PID/stat counts ticks since the boot.
std::optional<std::uint64_t> start_of(base::Host& host, const std::string& pid) {
  const auto stat = host.read("/proc/" + pid + "/stat", 4096);
  const auto system = host.read("/proc/stat", 16U << 20U);
  if (!stat || !system) return std::nullopt;
  const auto words = base::words_of(stat->substr(std::min(stat->rfind(')') + 1, stat->size())));
  constexpr std::size_t start_time = 19;  // field 22, the first two are gone
  if (words.size() <= start_time) return std::nullopt;
  const auto ticks = base::parse_unsigned(words[start_time]);
  for (const auto& line : base::lines_of(*system)) {
    const auto pair = base::words_of(line);
    if (pair.size() != 2 || pair[0] != "btime" || !ticks) continue;
    const auto boot = base::parse_unsigned(pair[1]);
    if (boot) return *boot + *ticks / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  }
  return std::nullopt;
}

/// Takes a configuration of dhcpd apart: words, strings in quotes, ';', '{' and '}'.
std::vector<std::string> tokens_of(const std::string& text) {
  std::vector<std::string> tokens;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) tokens.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      end_word();
      const auto end = std::min(text.find('"', i + 1), text.size());
      tokens.push_back(text.substr(i, end - i));
      i = end;
    } else if (c == '#') {
      end_word();
      i = std::min(text.find('\n', i), text.size());
    } else if (c == ';' || c == '{' || c == '}') {
      end_word();
      tokens.emplace_back(1, c);
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      end_word();
    } else {
      word.push_back(c);
    }
  }
  end_word();
  return tokens;
}

/// Collects host declarations, statement by statement.
class HostReader {
 public:
  void take(const std::string& token) {
    if (token == "{") {
      open();
    } else if (token == "}") {
      close();
    } else if (token == ";") {
      if (!name_.empty() && depth_ == host_depth_) take_statement();
      statement_.clear();
    } else {
      statement_.push_back(token);
    }
  }

  [[nodiscard]] std::map<std::string, std::string> hosts() const {
    std::map<std::string, std::string> found;
    for (const auto& [name, host] : by_name_) {
      if (!host.mac.empty()) found[host.mac] = host.address;
    }
    return found;
  }

 private:
  struct Declaration {
    std::string mac = {};
    std::string address = {};
    bool deleted = false;
  };

  void open() {
    ++depth_;
    if (name_.empty() && statement_.size() == 2 && statement_[0] == "host") {
      name_ = statement_[1];
      host_depth_ = depth_;
      current_ = {};
    }
    statement_.clear();
  }

  void close() {
    if (!name_.empty() && depth_ == host_depth_) {
      if (current_.deleted) {
        by_name_.erase(name_);
      } else {
        by_name_[name_] = current_;
      }
      name_.clear();
    }
    if (depth_ > 0) --depth_;
    statement_.clear();
  }

  void take_statement() {
    if (statement_.empty()) return;
    if (statement_[0] == "deleted") current_.deleted = true;
    if (statement_.size() == 2 && statement_[0] == "fixed-address") {
      current_.address = statement_[1];
    }
    if (statement_.size() == 3 && statement_[0] == "hardware" && statement_[1] == "ethernet") {
      current_.mac = base::to_lower(statement_[2]);
    }
  }

  std::map<std::string, Declaration> by_name_;
  std::vector<std::string> statement_;
  std::string name_;  ///< of the host that is open
  int depth_ = 0;
  int host_depth_ = 0;
  Declaration current_;
};

}  // namespace

bool prefers_kea(const std::string& requested, const std::string& os_release) {
  const auto wish = base::to_lower(base::trim(requested));
  if (wish == "kea" || wish == "isc") return wish == "kea";
  const auto id = release_value(os_release, "ID");
  const auto version = version_of(release_value(os_release, "VERSION_ID"));
  if (id == "ubuntu") return version >= 2204;
  constexpr std::array enterprise{"rhel", "rocky", "almalinux", "centos", "ol"};
  return std::find(enterprise.begin(), enterprise.end(), id) != enterprise.end() && version >= 1000;
}

std::optional<DhcpServer> find_dhcp_server(const Context& context) {
  auto& host = context.local();
  const auto& configured = context.site.units.dhcp;
  if (configured != "auto") {
    const bool is_kea = configured.starts_with("kea");
    return DhcpServer{.kind = is_kea ? DhcpServer::Kind::kea : DhcpServer::Kind::isc,
                      .unit = configured};
  }
  const auto isc = find_unit(host, "auto", {"isc-dhcp-server", "dhcpd"});
  const auto kea = find_unit(host, "auto", {"kea-dhcp4-server", "kea-dhcp4"});
  if (!isc && !kea) return std::nullopt;
  const bool wanted = prefers_kea(context.cluster.site_value("dhcpbackend", ""),
                                  host.read("/etc/os-release", 65536).value_or(""));
  if (kea && (wanted || !isc)) return DhcpServer{.kind = DhcpServer::Kind::kea, .unit = *kea};
  return DhcpServer{.kind = DhcpServer::Kind::isc, .unit = *isc};
}

bool is_configured_for(const Context& context, const DhcpServer& server,
                       const std::string& address) {
  if (!has_newer_file(context, server, "-newer", note_path(context, serving_note))) return false;
  auto& host = context.local();
  if (server.kind == DhcpServer::Kind::kea) return holds_word(content_of(host, kea_files), address);
  const auto tokens = tokens_of(content_of(host, isc_files));
  for (auto each = tokens.begin(); each != tokens.end(); ++each) {
    const auto next = std::next(each);
    if (*each == "next-server" && next != tokens.end() && *next == address) return true;
  }
  return false;
}

bool runs_an_old_configuration(const Context& context, const DhcpServer& server) {
  if (server.kind == DhcpServer::Kind::kea) return false;
  auto& host = context.local();
  const base::Command show{
      .argv = {"systemctl", "show", "--property=MainPID", "--value", server.unit}};
  const auto start = start_of(host, base::trim(host.run(show).output));
  // Both times are known to the second only.
  return start && has_newer_file(context, server, "-newermt", "@" + std::to_string(*start + 1));
}

std::map<std::string, std::string> known_dhcp_hosts(const Context& context,
                                                    const DhcpServer& server) {
  auto& host = context.local();
  if (server.kind == DhcpServer::Kind::isc) {
    return parse_dhcp_hosts(content_of(host, isc_files) + content_of(host, lease_files));
  }
  const auto ask = makedhcp(context, {"-q", "all"});
  const auto outcome = host.run(ask);
  if (!outcome.succeeded()) {
    throw base::Error{{.what = "makedhcp does not tell which nodes DHCP knows",
                       .detail = base::describe(outcome, ask),
                       .hint = "run it by hand: makedhcp -q all"}};
  }
  return parse_dhcp_query(outcome.output);
}

base::Command makedhcp(const Context& context, const std::vector<std::string>& arguments) {
  base::Command command{.argv = {context.xcat("sbin/makedhcp")},
                        .time_limit = context.site.takeover.command_limit,
                        .output_limit_bytes = largest_file_bytes};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

std::map<std::string, std::string> parse_dhcp_hosts(const std::string& text) {
  HostReader reader;
  for (const auto& token : tokens_of(text)) reader.take(token);
  return reader.hosts();
}

std::map<std::string, std::string> parse_dhcp_query(const std::string& output) {
  std::map<std::string, std::string> hosts;
  for (auto line : base::lines_of(output)) {
    std::replace(line.begin(), line.end(), ',', ' ');
    const auto words = base::words_of(line);
    std::map<std::string, std::string> values;
    for (std::size_t i = 0; i + 2 < words.size(); ++i) {
      if (words[i + 1] == "=") values[words[i]] = words[i + 2];
    }
    if (!values.contains("ip-address") || !values.contains("hardware-address")) continue;
    hosts[base::to_lower(values.at("hardware-address"))] = values.at("ip-address");
  }
  return hosts;
}

}  // namespace hamn::takeover
