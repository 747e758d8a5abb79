#pragma once

#include <string>
#include <vector>

#include "cron/schedule.h"

namespace hamn::cron {

/// The five time fields of crontab(5) for an interval, rounded down to one that divides an hour or
/// a day: cron knows moments, not intervals. Less than a minute becomes every minute. Pure.
[[nodiscard]] std::string cron_fields(base::Milliseconds every);

/// The whole file /etc/cron.d/hamn. Pure.
[[nodiscard]] std::string render_crontab(const std::vector<Job>& jobs);

/// Jobs whose interval cron cannot keep: "database: every 5 s becomes every minute". Pure.
[[nodiscard]] std::vector<std::string> rounded_jobs(const std::vector<Job>& jobs);

}  // namespace hamn::cron
