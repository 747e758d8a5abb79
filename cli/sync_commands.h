#pragma once

#include "base/role.h"
#include "cli/commands.h"
#include "sync/sender.h"

namespace hamn::cli {

/// The commands of `hamn sync` that stand in files of their own; `sync_command` is "hamn sync".
void add_sync_import_command(CLI::App& sync_command, Environment& environment, Chosen& chosen);

/// `hamn sync authorize`.
void add_sync_authorize_command(CLI::App& sync_command, Environment& environment, Chosen& chosen);
/// `hamn sync watch`.
void add_sync_watch_command(CLI::App& sync_command, Environment& environment, Chosen& chosen);

/// A higher epoch is in charge: this host must stop pushing, also after a restart.
void become_deposed(Environment& environment, base::Role role, const sync::PeerRefused& refused);

/// `hamn receive --forced`: the command of an authorized key. Runs what SSH_ORIGINAL_COMMAND asks
/// for if it is one of commands_for_a_standby(); throws Error (Exit::refused) otherwise.
[[nodiscard]] base::Exit run_forced(Environment& environment, const Chosen& receive);

}  // namespace hamn::cli
