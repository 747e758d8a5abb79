#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/fd.h"
#include "base/local_host.h"
#include "base/log.h"
#include "base/perform.h"
#include "base/text.h"
#include "cli/kept_file.h"
#include "cli/sync_commands.h"
#include "cron/import.h"

namespace hamn::cli {

namespace {

constexpr std::uint64_t most_bytes = 1ULL << 20U;

struct ImportRequest {
  std::string file;
  bool write = false;
};

bool is_user(const std::string& name) {
  // A command of that name is more likely than a user of that name.
  return name != "rsync" && !name.empty() && name.find('/') == std::string::npos &&
         ::getpwnam(name.c_str()) != nullptr;
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::optional<std::string> read_regular(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  if (static_cast<std::uint64_t>(status.st_size) > most_bytes) return std::nullopt;
  return base::read_file(path, most_bytes);
}

std::string read_input() {
  std::string text;
  std::string buffer(65536, '\0');
  while (text.size() <= most_bytes) {
    const auto got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got <= 0) break;
    text.append(buffer, 0, static_cast<std::size_t>(got));
  }
  return text;
}

/// The crontab of root and what lies in /etc/cron.d, but hamn's own lines.
std::vector<cron::CrontabSource> find_crontabs(Environment& environment) {
  std::vector<cron::CrontabSource> sources;
  base::LocalHost local{"localhost", environment.disk()};
  const auto own = local.run({.argv = {"crontab", "-l"}});
  if (own.succeeded()) {
    sources.push_back(
        {.name = "crontab of root", .text = own.output, .form = cron::CrontabForm::user});
  }
  const auto listed =
      local.run({.argv = {"find", "/etc/crontab", "/etc/cron.d", "-maxdepth", "1", "-type", "f"}});
  auto paths = base::lines_of(listed.output);
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    if (path == "/etc/cron.d/hamn") continue;
    if (const auto text = read_regular(path)) {
      sources.push_back({.name = path, .text = *text, .form = cron::CrontabForm::system});
    }
  }
  return sources;
}

std::vector<cron::CrontabSource> choose_crontabs(Environment& environment,
                                                 const ImportRequest& request) {
  if (request.file.empty()) return find_crontabs(environment);
  if (request.file == "-") return {{.name = "standard input", .text = read_input()}};
  const auto text = read_regular(request.file);
  if (!text) {
    throw base::Error{{.what = "cannot read the crontab " + base::printable(request.file),
                       .detail = "it is not there, no file, or larger than 1 MiB",
                       .hint = "crontab -l | hamn sync import-crontab -",
                       .code = base::Exit::usage}};
  }
  if (text->find('\0') != std::string::npos) {
    throw base::Error{{.what = base::printable(request.file) + " is no crontab",
                       .detail = "it is not text",
                       .hint = "crontab -l | hamn sync import-crontab -",
                       .code = base::Exit::usage}};
  }
  const bool system = request.file.starts_with("/etc/cron");
  return {{.name = request.file,
           .text = *text,
           .form = system ? cron::CrontabForm::system : cron::CrontabForm::guess}};
}

cron::ImportContext make_context(Environment& environment) {
  cron::ImportContext context;
  const passwd* user = ::getpwuid(0);
  if (user != nullptr) context.home = user->pw_dir;
  context.is_user = is_user;
  context.is_directory = is_directory;
  context.read = read_regular;
  if (::access(environment.config_path.c_str(), F_OK) != 0) {
    context.present = base::default_file_sets(context.home, "/install", "/tftpboot");
    return context;
  }
  const auto& site = environment.site();
  context.present = site.file_sets;
  for (const auto& [name, host] : site.hosts) context.other_host.insert({name, host.address});
  context.other_host.insert({site.service.address.address, site.service.hostname});
  return context;
}

/// Adds the sets to the configuration, if it is still a good one with them.
void write_sets(Environment& environment, const cron::Import& import) {
  const auto& path = environment.site().path;
  auto file = kept_file(path);
  file.content = cron::add_to_configuration(file.content, import);
  (void)base::parse_site(file.content, path);
  base::Plan plan;
  plan.add(base::write_on(environment.here(),
                          "Add " + std::to_string(import.sets.size()) + " file sets to " + path,
                          std::move(file)));
  auto journal = environment.open_journal("activity");
  base::perform(plan, environment.hosts(), *journal);
  base::log(base::Level::info, "wrote " + path + "; copy it to " + environment.there() +
                                   ", then take the lines out of the crontab");
}

std::string word_of(cron::ImportRemark::Kind kind) {
  using Kind = cron::ImportRemark::Kind;
  if (kind == Kind::replaced) return "replaced";
  return kind == Kind::differs ? "differs" : "left";
}

void show_json(const cron::Import& import) {
  auto sets = nlohmann::json::array();
  for (const auto& set : import.sets) {
    sets.push_back({{"name", set.settings.name},
                    {"paths", set.settings.paths},
                    {"exclude", set.settings.exclude},
                    {"every_ms", set.every.count()},
                    {"max_age_ms", set.settings.max_age.count()},
                    {"source", set.source},
                    {"line", set.line}});
  }
  auto remarks = nlohmann::json::array();
  for (const auto& remark : import.remarks) {
    remarks.push_back({{"kind", word_of(remark.kind)},
                       {"source", remark.source},
                       {"line", remark.line},
                       {"text", remark.text}});
  }
  const nlohmann::json all{{"sets", sets}, {"remarks", remarks}, {"lines", import.lines}};
  put(all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

base::Exit import_crontab(Environment& environment, const ImportRequest& request) {
  if (request.write) require_root();
  const auto import =
      cron::import_crontabs(choose_crontabs(environment, request), make_context(environment));
  if (request.write && !import.sets.empty()) write_sets(environment, import);
  if (environment.json) {
    show_json(import);
  } else {
    put(cron::to_toml(import));
  }
  const bool needs_a_look = std::any_of(
      import.remarks.begin(), import.remarks.end(),
      [](const auto& remark) { return remark.kind != cron::ImportRemark::Kind::replaced; });
  return needs_a_look ? base::Exit::problems : base::Exit::done;
}

}  // namespace

void add_sync_import_command(CLI::App& sync_command, Environment& environment, Chosen& chosen) {
  auto* command = sync_command.add_subcommand("import-crontab",
                                              "Turn crontab lines that run rsync into file sets");
  auto request = std::make_shared<ImportRequest>();
  command->add_option("FILE", request->file,
                      "A crontab, - for standard input; without it root's crontab, /etc/crontab "
                      "and /etc/cron.d");
  command->add_flag("--write", request->write, "Add the file sets to the configuration");
  command->callback(
      [&, request] { chosen = [&, request] { return import_crontab(environment, *request); }; });
}

}  // namespace hamn::cli
