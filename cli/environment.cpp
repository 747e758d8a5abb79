#include "cli/environment.h"

#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/local_host.h"
#include "base/network.h"
#include "base/remote_host.h"
#include "base/text.h"
#include "dbrepl/drivers.h"

namespace hamn::cli {

namespace {

constexpr const char* default_config = "/etc/hamn/hamn.toml";
constexpr const char* cfgloc_path = "/etc/xcat/cfgloc";

int terminal_columns() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 100;
}

}  // namespace

Environment::Environment() = default;
Environment::~Environment() = default;

const base::Site& Environment::site() {
  if (site_ == nullptr) site_ = std::make_unique<base::Site>(base::load_site(config_path));
  return *site_;
}

std::string Environment::role_path() {
  return site().state_directory + "/role.json";
}

std::optional<base::Role> Environment::find_role() {
  return base::read_role(role_path());
}

base::Role Environment::role() {
  const auto found = find_role();
  if (found) return *found;
  throw base::Error{{.what = "hamn is not set up on this host",
                     .detail = "it has no role: " + role_path() + " is missing",
                     .hint = "hamn init --role primary, or on the other one: hamn init --role "
                             "standby",
                     .code = base::Exit::usage}};
}

std::string Environment::here() {
  const auto found = find_role();
  if (!found) return base::find_this_host(site(), base::local_addresses());
  return site().host(found->host).name;
}

std::string Environment::there() {
  return site().other_than(here()).name;
}

base::Hosts& Environment::hosts() {
  if (hosts_ == nullptr) {
    hosts_ = std::make_unique<base::Hosts>();
    hosts_->add(std::make_unique<base::LocalHost>(here(), disk_));
    hosts_->add(base::make_ssh_host(site().ssh_to(there()), site().ssh_transport));
  }
  return *hosts_;
}

std::vector<std::string> Environment::own_program() {
  std::array<char, 4096> path{};
  const auto size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  std::vector<std::string> words{size > 0 ? std::string{path.data(), static_cast<std::size_t>(size)}
                                          : "hamn"};
  if (config_path != default_config) words.insert(words.end(), {"--config", config_path});
  return words;
}

std::vector<std::string> Environment::program() {
  auto words = base::words_of(site().remote_program);
  if (config_path != default_config) words.insert(words.end(), {"--config", config_path});
  return words;
}

std::string Environment::journal_path(const std::string& name) {
  return site().state_directory + "/journal/" + name + ".jsonl";
}

std::unique_ptr<base::FileJournal> Environment::open_journal(const std::string& name) {
  return std::make_unique<base::FileJournal>(disk_, clock_, journal_path(name),
                                             base::new_run_id(clock_));
}

std::unique_ptr<base::Progress> Environment::progress() {
  return base::make_progress(clock_, !quiet && !json);
}

std::vector<sync::FileSet> Environment::file_sets() {
  std::vector<sync::FileSet> sets;
  for (const auto& [name, settings] : site().file_sets)
    sets.push_back(sync::make_file_set(settings));
  const auto directories = dbrepl::database_directories(site().state_directory);
  sets.push_back(sync::make_moved_set("database", directories.outgoing, directories.incoming));
  return sets;
}

dbrepl::DatabaseLocation Environment::database_location() {
  return dbrepl::find_database(hosts().at(here()), cfgloc_path, site().xcat_root);
}

std::unique_ptr<dbrepl::ReplicationDriver> Environment::driver(
    const std::vector<std::string>& program_words) {
  const auto own = role();
  const bool is_primary = own.name == base::RoleName::primary;
  dbrepl::ReplicationContext context;
  context.primary = is_primary ? here() : there();
  context.standby = is_primary ? there() : here();
  context.program = program_words;
  context.location = database_location();
  context.directories = dbrepl::database_directories(site().state_directory);
  context.keep_points = site().database.keep_points;
  return dbrepl::make_driver(std::move(context));
}

std::string operator_name() {
  const passwd* user = ::getpwuid(::getuid());
  std::string name = user != nullptr ? user->pw_name : "uid " + std::to_string(::getuid());
  if (const char* sudo = std::getenv("SUDO_USER")) return std::string{sudo} + " (sudo)";
  return name;
}

void put(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void show(const Environment& environment, const base::Report& report) {
  put(environment.json ? base::to_json(report) : base::to_text(report, terminal_columns()));
}

void require_root() {
  if (::geteuid() == 0) return;
  throw base::Error{{.what = "this command needs root",
                     .detail = "it was run by " + operator_name(),
                     .hint = "run it with sudo",
                     .code = base::Exit::usage}};
}

}  // namespace hamn::cli
