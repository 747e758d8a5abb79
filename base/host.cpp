#include "base/host.h"

#include "base/error.h"

namespace hamn::base {

void Hosts::add(std::unique_ptr<Host> host) {
  const auto name = host->name();
  hosts_[name] = std::move(host);
}

Host& Hosts::at(const std::string& name) {
  const auto found = hosts_.find(name);
  if (found == hosts_.end()) {
    throw Error{{.what = "unknown host " + name,
                 .detail = "the configuration does not name it",
                 .hint = "add [host." + name + "] to /etc/hamn/hamn.toml",
                 .code = Exit::usage}};
  }
  return *found->second;
}

}  // namespace hamn::base
