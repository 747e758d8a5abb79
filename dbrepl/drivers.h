#pragma once

#include <memory>
#include <string>

#include "dbrepl/cfgloc.h"
#include "dbrepl/driver.h"

namespace hamn::dbrepl {

/// The driver for the engine that `context.location` names: the one place that knows them all.
/// Throws Error (Exit::usage) for an engine that hamn cannot replicate.
[[nodiscard]] std::unique_ptr<ReplicationDriver> make_driver(ReplicationContext context);

/// "hamn cannot replicate a PostgreSQL database yet". Only for engines without a driver.
[[nodiscard]] std::string not_replicable(Engine engine);

}  // namespace hamn::dbrepl
