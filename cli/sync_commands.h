#pragma once

#include "cli/commands.h"

namespace hamn::cli {

/// The commands of `hamn sync` that stand in files of their own; `sync_command` is "hamn sync".
void add_sync_import_command(CLI::App& sync_command, Environment& environment, Chosen& chosen);

}  // namespace hamn::cli
