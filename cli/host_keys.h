#pragma once

#include <string>

#include "cli/environment.h"

namespace hamn::cli {

/// Takes the host keys of `name` over into hamn's own file of pinned keys, if this host's ssh
/// already trusts them (/etc/ssh/ssh_known_hosts, ~/.ssh/known_hosts). True if they are pinned now.
bool pin_from_known_hosts(Environment& environment, const std::string& name);

/// `hamn init --pin NAME`: fetches the host keys of `name`, shows their fingerprints, and pins them
/// if a person says yes, or if one of them is `fingerprint`.
base::Exit pin_host_key(Environment& environment, const std::string& name,
                        const std::string& fingerprint);

}  // namespace hamn::cli
