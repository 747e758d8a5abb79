#pragma once

namespace hamn::base {

/// SIGINT and SIGTERM ask a run to stop at its next safe boundary. Long waits look at
/// interrupted() and end early; loops call stop_if_interrupted() between two pieces of work.

/// Installs the handlers and ignores SIGPIPE, which a stream over pipes would raise. A lost
/// terminal (SIGHUP) does not stop a run: an administrator's shaky connection must not leave a
/// takeover half done.
void install_signal_handlers();
[[nodiscard]] bool interrupted() noexcept;
/// True once a stop was asked for twice: commands that change something are ended, too.
[[nodiscard]] bool interrupted_again() noexcept;
/// Whether a piece of work is to end now: at the first request, or, if it sees itself to its end
/// (a command that changes something), at the second.
[[nodiscard]] bool interrupted(bool sees_to_its_end) noexcept;
/// Throws Error with Exit::interrupted once a stop was asked for.
void stop_if_interrupted();

}  // namespace hamn::base
