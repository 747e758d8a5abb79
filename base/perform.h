#pragma once

#include <vector>

#include "base/host.h"
#include "base/journal.h"
#include "base/plan.h"

namespace hamn::base {

/// Carries a plan out. The only function of hamn that changes a host.
///
/// Each action is journaled before ("action_started") and after ("action_finished"), with the
/// command, its exit code, its duration and the end of its output. Answers the outcomes of the
/// commands in order. Throws Error at the first action that failed; the rest is not begun. A
/// command that succeeded proves nothing yet: whoever made the plan looks again.
std::vector<Outcome> perform(const Plan& plan, Hosts& hosts, Journal& journal);

}  // namespace hamn::base
