#pragma once

#include <string>

namespace hamn::cli {

/// Tells systemd how this service is: "READY=1", "STATUS=…" (sd_notify(3), over the
/// socket that NOTIFY_SOCKET names). Nothing happens if there is none.
void notify_systemd(const std::string& message);

}  // namespace hamn::cli
