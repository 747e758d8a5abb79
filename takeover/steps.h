#pragma once

#include "takeover/context.h"
#include "takeover/runbook.h"

namespace hamn::takeover {

/// The whole failover, top to bottom: start reading here. `context` outlives the parts.
[[nodiscard]] Runbook::Parts make_failover(const Context& context);

}  // namespace hamn::takeover
