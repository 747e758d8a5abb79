#pragma once

#include <string>
#include <vector>

#include "cron/schedule.h"

namespace hamn::cron {

/// A file as it would be installed.
struct RenderedFile {
  std::string path;
  std::string content;

  friend bool operator==(const RenderedFile&, const RenderedFile&) = default;
};

/// A oneshot service and its timer: systemd.service(5), systemd.timer(5). The interval counts from
/// the end of a run, so runs never overlap; exit code 3 (another run holds the lock) is no failure.
/// Pure.
[[nodiscard]] std::vector<RenderedFile> render_units(const Job& job);

/// The service of `hamn sync watch`: started at boot on both hosts, it waits while its host is not
/// the primary, and systemd starts it again whenever it ends. Pure.
[[nodiscard]] RenderedFile render_watch_unit(const std::vector<std::string>& argv);

/// One word of an ExecStart line: quoted where systemd would split or expand it. Pure.
[[nodiscard]] std::string unit_word(const std::string& word);

}  // namespace hamn::cron
