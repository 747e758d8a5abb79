#pragma once

#include <sys/types.h>

#include <optional>

#include "base/command.h"

namespace hamn::base {

/// Child processes of this program. Only LocalHost and the ssh child transport use this header;
/// everything else runs commands through a Host.

/// Descriptors that the child gets as its standard streams.
struct ChildStreams {
  int in;
  int out;
  int error;
};

/// Starts `command` as the leader of its own process group, with LC_ALL=C, default signal handling
/// (SIGHUP stays ignored) and no other descriptors. Throws Error if the user is unknown or fork
/// fails; a program that cannot be executed ends with exit code 127 and says why on its standard
/// error.
[[nodiscard]] pid_t start_process(const Command& command, ChildStreams streams);

/// Exit code as a shell gives it (128 + signal), or nothing while the process runs.
[[nodiscard]] std::optional<int> poll_process(pid_t pid);

/// SIGTERM to the process group, SIGKILL after `grace`, then reaps the leader and answers its exit
/// code. A leader that the kernel does not let go within five seconds more is left to it.
int kill_process_group(pid_t pid, Milliseconds grace);

}  // namespace hamn::base
