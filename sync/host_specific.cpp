#include "sync/host_specific.h"

#include <algorithm>

#include "sync/filter.h"

namespace hamn::sync {

const std::vector<std::string>& host_specific_patterns() {
  static const std::vector<std::string> patterns{"/etc/machine-id",
                                                 "/var/lib/dbus/machine-id",
                                                 "/etc/hostname",
                                                 "/etc/HOSTNAME",
                                                 "/etc/fstab",
                                                 "/etc/crypttab",
                                                 "/etc/mdadm.conf",
                                                 "/etc/mdadm/mdadm.conf",
                                                 "/etc/lvm/devices/***",
                                                 "/etc/multipath/wwids",
                                                 "/etc/multipath/bindings",
                                                 "/etc/iscsi/initiatorname.iscsi",
                                                 "/etc/nvme/hostid",
                                                 "/etc/nvme/hostnqn",
                                                 "/etc/network/***",
                                                 "/etc/netplan/***",
                                                 "/etc/systemd/network/***",
                                                 "/etc/NetworkManager/system-connections/***",
                                                 "/etc/sysconfig/network",
                                                 "/etc/sysconfig/network/***",
                                                 "/etc/sysconfig/network-scripts/***",
                                                 "/etc/udev/rules.d/70-persistent-*",
                                                 "/etc/ssh/ssh_host_*",
                                                 "/var/lib/hamn/role.json"};
  return patterns;
}

bool is_host_specific(const std::string& path, bool is_directory) {
  const auto& patterns = host_specific_patterns();
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return fits(pattern, path, is_directory); });
}

}  // namespace hamn::sync
