#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "dbrepl/inspection.h"
#include "takeover/fence.h"
#include "tests/support/scripted_host.h"
#include "tests/unit/takeover/world.h"
#include "tests/unit/takeover/world_run.h"

namespace hamn::takeover {

namespace {

using test::failed;
using test::printed;

const std::set<std::string> installed{"xcatd", "named", "isc-dhcp-server", "conserver-server"};

std::string plain(const std::string& unit) {
  constexpr std::string_view suffix = ".service";
  return unit.ends_with(suffix) ? unit.substr(0, unit.size() - suffix.size()) : unit;
}

std::string basename(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

base::Outcome World::carry_out(const base::Command& command) {
  if (const auto seen = look(command.argv)) return *seen;
  moment();
  const auto text = base::to_text(command);
  const auto fault = std::find_if(faults.begin(), faults.end(), [&](const auto& each) {
    return text.find(each.first) != std::string::npos;
  });
  base::Outcome outcome;
  if (fault == faults.end() || fault->second.works) outcome = act(command.argv);
  if (fault != faults.end()) outcome = fault->second.outcome;
  moment();
  return outcome;
}

/// The answer of a command that only looks; nothing for one that changes the world.
std::optional<base::Outcome> World::look(const std::vector<std::string>& argv) const {
  const auto name = basename(argv.front());
  if (argv == std::vector<std::string>{"hostname"}) return printed(state.hostname + "\n");
  if (name == "ip" && argv[1] == "-oneline") {
    std::string text = "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever\n";
    for (const auto& each : state.addresses) {
      text +=
          "2: eth0    inet " + each.address + "/16 scope global eth0\\       valid_lft forever\n";
    }
    return printed(text);
  }
  if (name == "systemctl" && argv[1] == "cat") {
    return installed.contains(plain(argv[2])) ? printed("[Unit]\n") : failed(1);
  }
  if (name == "systemctl" && argv[1] == "is-active") {
    return state.active.contains(plain(argv[3])) ? printed("") : failed(3);
  }
  if (name == "systemctl" && argv[1] == "is-enabled") {
    return state.enabled.contains(plain(argv[3])) ? printed("") : failed(1);
  }
  if (name == "systemctl" && argv[1] == "list-units") {
    return state.active.contains("hamn-database.timer")
               ? printed("hamn-database.timer loaded active waiting hamn\n")
               : printed("");
  }
  if (name == "lsxcatd") {
    return state.active.contains("xcatd") ? printed("cfgloc=SQLite:/etc/xcat\ndbengine=SQLite\n")
                                          : failed(1, "Unable to open socket connection\n");
  }
  if (name == "pgrep") return state.conserver_runs ? printed("815\n") : failed(1);
  if (name == "systemctl" && argv[1] == "show") {
    const bool active = state.active.contains(plain(argv[4]));
    if (argv[2] == "--property=MainPID") return printed(active ? "4711\n" : "0\n");
    if (state.activating.contains(plain(argv[4]))) return printed("activating\n");
    return printed(active ? "active\n" : "inactive\n");
  }
  if (name == "find") {
    const auto file = state.files.find("/etc/dhcp/dhcpd.conf");
    const bool is_there = file != state.files.end();
    // Either newer than a note of this takeover, or than the start of the process.
    const bool newer =
        argv[argv.size() - 2] == "-newer"
            ? is_there && file->second.find("of an earlier time") == std::string::npos
            : is_there && file->second != state.dhcp_config;
    return printed(newer ? "/etc/dhcp/dhcpd.conf\n" : "");
  }
  if (name == "power" && argv[1] == "status") {
    if (power_says == "nothing") return failed(1, "Unable to establish LAN session\n");
    const std::string says = state.primary_has_power ? "on" : "off";
    return printed("Chassis Power is " + (power_says.empty() ? says : power_says) + "\n");
  }
  if (name == "hamn" && argv[1] == "db" && (argv[2] == "points" || argv[2] == "compare")) {
    return look_as_hamn(argv);
  }
  return std::nullopt;
}

base::Outcome World::look_as_hamn(const std::vector<std::string>& argv) const {
  if (argv[2] == "compare") {
    const bool equal = state.rows == rows_of_point();
    return printed(dbrepl::format_comparison(
        {.point = argv[4],
         .equal = equal,
         .differences = equal ? std::vector<std::string>{}
                              : std::vector<std::string>{"nodelist: other rows"}}));
  }
  dbrepl::KeptPoints kept{.now = clock.wall()};
  for (const auto& id : points) {
    kept.points.push_back({.id = id,
                           .generation = 7,
                           .epoch = 1,
                           .host = "mn1",
                           .taken = point_taken_,
                           .position = "0123",
                           .content = "abcd",
                           .problem = id.ends_with("bad") ? "nodelist.sqlite is missing" : ""});
  }
  return printed(dbrepl::format_points(kept));
}

base::Outcome World::act(const std::vector<std::string>& argv) {
  const auto name = basename(argv.front());
  if (name == "systemctl") return act_on_unit(argv);
  if (name == "ip") return act_on_address(argv);
  if (name == "hamn") return act_as_hamn(argv);
  if (argv.front().starts_with("/opt/xcat/")) return act_as_xcat(name, argv);
  if (name == "sysctl") {
    EXPECT_EQ(argv.back(), "net/ipv4/conf/eth0/promote_secondaries=1");
    state.promote_secondaries = true;
    return {};
  }
  if (name == "hostname") {
    state.hostname = argv[1];
    return {};
  }
  if (name == "rm") {
    for (std::size_t i = 2; i < argv.size(); ++i) state.files.erase(argv[i]);
    return {};
  }
  if (name == "power") {
    EXPECT_EQ(argv.back(), "mn1");
    if (power_off_works) state.primary_has_power = false;
    return printed("Chassis Power Control: Down/Off\n");
  }
  ADD_FAILURE() << "the world does not know " << base::shell_line(argv);
  return failed(127);
}

base::Outcome World::act_on_unit(const std::vector<std::string>& argv) {
  const auto& verb = argv[1];
  const bool now = std::find(argv.begin(), argv.end(), "--now") != argv.end();
  for (std::size_t i = 2; i < argv.size(); ++i) {
    if (argv[i].starts_with("--")) continue;
    const auto unit = plain(argv[i]);
    if (!installed.contains(unit) && !unit.ends_with(".timer")) return failed(5, "not found\n");
    if (verb == "stop") state.active.erase(unit);
    if (verb == "stop") state.activating.erase(unit);
    if (verb == "enable") state.enabled.insert(unit);
    if (verb == "start" || (verb == "enable" && now && !state.active.contains(unit))) start(unit);
    if (verb == "restart") start(unit);
  }
  return {};
}

base::Outcome World::act_on_address(const std::vector<std::string>& argv) {
  const auto subnet = base::parse_subnet(argv[3]);
  const auto is_it = [&](const auto& each) { return each.address == subnet->address; };
  const bool here = std::any_of(state.addresses.begin(), state.addresses.end(), is_it);
  if (argv[2] == "add") {
    if (here) return failed(2, "RTNETLINK answers: File exists\n");
    state.addresses.push_back(
        {.interface = argv[5], .address = subnet->address, .prefix_length = subnet->prefix_length});
    return {};
  }
  if (!here) return failed(2, "RTNETLINK answers: Cannot assign requested address\n");
  delete_address(subnet->address);
  return {};
}

base::Outcome World::act_as_xcat(const std::string& name, const std::vector<std::string>& argv) {
  if (!state.active.contains("xcatd")) return failed(1, "Unable to open socket connection\n");
  if (name == "makehosts") {
    for (int i = 1; i <= 3; ++i) {
      const auto n = std::to_string(i);
      const auto line = "10.77.1." + n + " n00" + n + " n00" + n + ".cluster.test\n";
      auto& hosts = state.files["/etc/hosts"];
      if (hosts.find(line) == std::string::npos) hosts += line;
    }
  } else if (name == "makedns") {
    std::string names;
    for (const auto& [host, all] : parse_hosts(state.files.at("/etc/hosts"))) {
      if (host.find('.') == std::string::npos)
        names += host + ".cluster.test " + all.front() + "\n";
    }
    state.files["/var/lib/bind/db.cluster.test"] = names;
    start("named");
  } else if (name == "makedhcp" && argv[1] == "-n") {
    // It takes the first address of the interface, whatever the tables say.
    state.files["/etc/dhcp/dhcpd.conf"] =
        "#xCAT generated dhcp configuration\n    next-server  " + first_address() + ";\n";
    start("isc-dhcp-server");
  } else if (name == "makedhcp") {
    if (!state.active.contains("isc-dhcp-server"))
      return printed("");  // says nothing, does nothing
    std::string leases;
    for (const auto* n : {"1", "2", "3"}) {
      leases += std::string{"host n00"} + n +
                " {\n  dynamic;\n  hardware ethernet 02:00:00:00:01:0" + n +
                ";\n  fixed-address 10.77.1." + n + ";\n}\n";
    }
    state.files["/var/lib/dhcp/dhcpd.leases"] = leases;
  } else if (name == "makeconservercf") {
    state.files["/etc/conserver.cf"] =
        "console n001 {\nconsole n002 {\nconsole n003 {\n  trusted " + first_address() + ";\n";
    state.conserver_runs = true;
  } else if (name == "nodeset") {
    for (const auto& node : base::split(argv[1], ',')) {
      const auto what = node == "n001" ? "#install" : "#netboot";
      state.files["/tftpboot/xcat/xnba/nodes/" + node] =
          std::string{what} + " rhels8.6-x86_64-compute\n";
      if (node == "n001") state.files["/install/autoinst/n001"] = "url " + first_address() + "\n";
    }
  } else {
    ADD_FAILURE() << "the world does not know " << base::shell_line(argv);
  }
  return printed("done\n");
}

base::Outcome World::act_as_hamn(const std::vector<std::string>& argv) {
  const auto line = base::shell_line({argv.begin() + 1, argv.end()});
  if (line.starts_with("db swap-in")) {
    if (state.active.contains("xcatd")) return failed(1, "xcatd holds the tables\n");
    if (state.rows == rows_of_point()) return {};
    state.rows_before_swap = state.rows;
    state.rows = rows_of_point();
  } else if (line == "db swap-back") {
    if (!state.rows_before_swap) return failed(1, "nothing was replaced\n");
    state.rows = *state.rows_before_swap;
    state.rows_before_swap.reset();
  } else if (line.starts_with("net announce")) {
    return printed("announced\n");
  } else if (line.starts_with("takeover record-off")) {
    EXPECT_EQ(argv[4], "2");
    auto context = run_->context;
    context.statement = argv.size() > 6 ? argv[6] : "";
    try {
      return printed(record_primary_off(context, std::chrono::seconds{20}) + "\n");
    } catch (const base::Error& error) {
      return failed(static_cast<int>(error.code()), base::to_lines(error));
    }
  } else {
    ADD_FAILURE() << "the world does not know hamn " << line;
  }
  return {};
}

}  // namespace hamn::takeover
