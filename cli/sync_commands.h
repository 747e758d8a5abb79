#pragma once

#include "cli/commands.h"

namespace hamn::cli {

/// The commands of `hamn sync` that stand in files of their own; `sync_command` is "hamn sync".
void add_sync_import_command(CLI::App& sync_command, Environment& environment, Chosen& chosen);

void add_sync_authorize_command(CLI::App& sync_command, Environment& environment, Chosen& chosen);

/// `hamn receive --forced`: the command of an authorized key. Runs what SSH_ORIGINAL_COMMAND asks
/// for if it is one of commands_for_a_standby(); throws Error (Exit::refused) otherwise.
[[nodiscard]] base::Exit run_forced(Environment& environment, const Chosen& receive);

}  // namespace hamn::cli
