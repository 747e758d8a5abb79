#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/site.h"
#include "cron/crontab.h"
#include "cron/schedule.h"
#include "cron/systemd.h"

namespace {

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

bool has_control_characters(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c != '\n' && (byte < 0x20 || byte == 0x7f);
  });
}

}  // namespace

/// Any bytes as a configuration whose schedule is rendered for cron and systemd: nothing that
/// stands in it makes a line of its own there, or a unit outside of systemd's directory.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hamn::cron;
  const std::string text{reinterpret_cast<const char*>(data), size};
  try {
    const auto site = hamn::base::parse_site(text, "/etc/hamn/hamn.toml");
    const auto jobs = make_jobs(site, {"/usr/bin/hamn", "--config", "/etc/hamn/100% $own.toml"});
    const auto empty = lines_in(render_crontab({}));
    const auto crontab = render_crontab(jobs);
    if (lines_in(crontab) != empty + 2 * jobs.size() || has_control_characters(crontab)) {
      std::abort();
    }
    const auto sample = render_units({.name = "a", .description = "b", .argv = {"c"}});
    for (const auto& job : jobs) {
      const auto units = render_units(job);
      for (std::size_t i = 0; i < units.size(); ++i) {
        if (lines_in(units[i].content) != lines_in(sample[i].content)) std::abort();
        if (has_control_characters(units[i].content)) std::abort();
        const std::string directory = "/etc/systemd/system/";
        if (units[i].path.find('/', directory.size()) != std::string::npos) std::abort();
      }
    }
    (void)rounded_jobs(jobs);
    if (plan_install(site, "mn1", jobs, {}).actions.empty() && !jobs.empty()) std::abort();
  } catch (const hamn::base::Error&) {
    // Refusing is right; how it is worded is looked at by another one.
  }
  return 0;
}
