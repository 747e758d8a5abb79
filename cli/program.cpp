#include <unistd.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"

namespace hamn::cli {

namespace {

constexpr const char* description =
    "Keeps a standby management node current and takes over with one command.";
constexpr const char* footer =
    "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 another run holds the lock,\n"
    "4 done with problems, 5 refused by a gate, 6 incomplete after the point of no return,\n"
    "130 interrupted. More: man hamn";

void print(const base::Error& error, bool json) {
  std::string text = base::to_lines(error);
  if (json) {
    const nlohmann::json object{{"error",
                                 {{"what", error.what()},
                                  {"detail", error.detail()},
                                  {"hint", error.hint()},
                                  {"exit_code", static_cast<int>(error.code())}}}};
    text = object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    put(text);
    return;
  }
  (void)!::write(STDERR_FILENO, text.data(), text.size());
}

void add_everything(CLI::App& app, Environment& environment, Chosen& chosen) {
  app.add_option("--config", environment.config_path, "Configuration file")->capture_default_str();
  app.add_flag("--json", environment.json, "Answer in JSON");
  app.add_flag("-q,--quiet", environment.quiet, "Say nothing but warnings and errors");
  app.set_version_flag("--version", std::string{"hamn "} + HAMN_VERSION);
  app.footer(footer);
  app.require_subcommand(1);
  app.fallthrough();
  add_failover_commands(app, environment, chosen);
  add_status_commands(app, environment, chosen);
  add_sync_commands(app, environment, chosen);
  add_database_commands(app, environment, chosen);
  add_report_commands(app, environment, chosen);
  add_init_commands(app, environment, chosen);
  add_config_commands(app, environment, chosen);
  add_cron_commands(app, environment, chosen);
  add_nim_commands(app, environment, chosen);
  add_net_commands(app, environment, chosen);
}

int parse_and_run(int argc, char** argv, Environment& environment) {
  CLI::App app{description, "hamn"};
  Chosen chosen;
  add_everything(app, environment, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(base::Exit::usage);
  }
  // Units and crontab lines name it, and they run elsewhere.
  if (!environment.config_path.empty()) {
    environment.config_path =
        std::filesystem::absolute(environment.config_path).lexically_normal().string();
  }
  base::set_quiet(environment.quiet);
  return static_cast<int>(chosen());
}

}  // namespace

int run_program(int argc, char** argv) {
  if (!base::open_standard_streams()) return static_cast<int>(base::Exit::failed);
  base::install_signal_handlers();
  // What an administrator has set for the shell must not lead xCAT's commands past this host's own
  // daemon, or to another one (xCAT::Client).
  for (const auto* name : {"XCATBYPASS", "XCATHOST", "XCATCFG"}) ::unsetenv(name);
  Environment environment;
  try {
    return parse_and_run(argc, argv, environment);
  } catch (const base::Error& error) {
    print(error, environment.json);
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    print(base::Error{{.what = "hamn met something that it did not expect",
                       .detail = error.what(),
                       .hint = "nothing is lost; please report this with the command that you "
                               "typed"}},
          environment.json);
    return static_cast<int>(base::Exit::failed);
  }
}

}  // namespace hamn::cli
