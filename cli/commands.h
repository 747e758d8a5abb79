#pragma once

#include <functional>

#include "base/error.h"
#include "cli/environment.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library chose its name
class App;
}

namespace hamn::cli {

/// The command that the command line chose; run by run_program().
using Chosen = std::function<base::Exit()>;

/// Each adds its commands to `app`; parsing one of them sets `chosen`. `environment` and `chosen`
/// outlive the app.
void add_init_commands(CLI::App& app, Environment& environment, Chosen& chosen);
void add_config_commands(CLI::App& app, Environment& environment, Chosen& chosen);
void add_sync_commands(CLI::App& app, Environment& environment, Chosen& chosen);
void add_database_commands(CLI::App& app, Environment& environment, Chosen& chosen);
void add_failover_commands(CLI::App& app, Environment& environment, Chosen& chosen);
void add_report_commands(CLI::App& app, Environment& environment, Chosen& chosen);
void add_status_commands(CLI::App& app, Environment& environment, Chosen& chosen);
void add_cron_commands(CLI::App& app, Environment& environment, Chosen& chosen);
void add_net_commands(CLI::App& app, Environment& environment, Chosen& chosen);
void add_nim_commands(CLI::App& app, Environment& environment, Chosen& chosen);

/// Parses, runs, prints errors; the answer is the exit code.
[[nodiscard]] int run_program(int argc, char** argv);

}  // namespace hamn::cli
