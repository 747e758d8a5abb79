#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>

#include "base/local_host.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/host_keys.h"
#include "cli/site_template.h"
#include "takeover/context.h"

namespace hamn::cli {

namespace {

struct InitRequest {
  std::string role;
  std::string name;
  std::string peer;
  std::string service;
  std::string style;
  std::string hostname;
  std::string interface;
  std::string pin;
  std::string fingerprint;
  std::uint64_t epoch = 0;
  bool force = false;
};

base::Error usage(const std::string& what, const std::string& detail, const std::string& hint) {
  return base::Error{{.what = what, .detail = detail, .hint = hint, .code = base::Exit::usage}};
}

/// site table, straight from the tables; empty if xCAT is not installed or has none.
std::map<std::string, std::string> read_site_table(base::Host& host) {
  std::map<std::string, std::string> site;
  const auto outcome =
      host.run({.argv = {"/opt/xcat/sbin/tabdump", "site"}, .environment = {{"XCATBYPASS", "1"}}});
  if (!outcome.succeeded()) return site;
  for (const auto& row : parse_tabdump(outcome.output)) {
    if (row.size() >= 2) site[row[0]] = row[1];
  }
  return site;
}

std::string short_host_name(base::Host& host) {
  const auto name = base::trim(host.run({.argv = {"hostname"}}).output);
  return name.substr(0, name.find('.'));
}

/// The interface that was named, or the one that has an address of that subnet.
std::string interface_for(const InitRequest& request,
                          const std::vector<base::InterfaceAddress>& addresses,
                          const base::Subnet& subnet) {
  if (!request.interface.empty()) return request.interface;
  for (const auto& each : addresses) {
    if (base::contains(subnet, each.address)) return each.interface;
  }
  throw usage("on which interface is " + base::to_text(subnet) + " to be?",
              "none of this host's has an address of that network", "say: --interface NAME");
}

/// The address that the cluster knows: what was said, else site.master if it is on this host, else
/// the first one.
base::InterfaceAddress choose_service(const InitRequest& request,
                                      const std::vector<base::InterfaceAddress>& addresses,
                                      const std::string& master) {
  if (!request.service.empty()) {
    const auto subnet = base::parse_subnet(request.service);
    if (!subnet) {
      throw usage("--service must be ADDRESS/PREFIX", base::printable(request.service),
                  "for example: --service 10.0.0.1/24");
    }
    return {.interface = interface_for(request, addresses, *subnet),
            .address = subnet->address,
            .prefix_length = subnet->prefix_length};
  }
  for (const auto& address : addresses) {
    if (address.address == master) return address;
  }
  for (const auto& address : addresses) {
    const bool fits = request.interface.empty() || address.interface == request.interface;
    if (fits && !base::is_ipv6(address.address)) return address;
  }
  throw usage("this host has no address to serve the cluster with", "ip address shows none",
              "bring the network up, or say: --service ADDRESS/PREFIX --interface NAME");
}

/// The address by which the other host reaches this one: the service address in the take style,
/// else another one of the same subnet.
std::string choose_own_address(const std::vector<base::InterfaceAddress>& addresses,
                               const base::InterfaceAddress& service, bool alias) {
  if (!alias) return service.address;
  const base::Subnet subnet{.address = service.address, .prefix_length = service.prefix_length};
  for (const auto& address : addresses) {
    if (address.address != service.address && base::contains(subnet, address.address)) {
      return address.address;
    }
  }
  throw usage("this host has no address of its own beside the service address",
              "style alias needs one in " + base::to_text(subnet),
              "use --style take, or give this host a second address");
}

/// The first key that is there, or the one to be made.
std::string choose_key() {
  for (const char* key : {"/root/.ssh/id_ed25519", "/root/.ssh/id_ecdsa", "/root/.ssh/id_rsa"}) {
    if (::access(key, R_OK) == 0) return key;
  }
  return "/root/.ssh/id_ed25519";
}

FoundSite look_around(Environment& environment, const InitRequest& request) {
  const auto parts = base::split(request.peer, '=');
  if (parts.size() != 2 || !base::is_address(parts[1])) {
    throw usage("which host is the other management node?",
                request.peer.empty() ? "--peer is missing" : base::printable(request.peer),
                "hamn init --peer mn2=10.0.0.2");
  }
  base::LocalHost host{"localhost", environment.disk()};
  const auto addresses = base::local_addresses();
  const auto site = read_site_table(host);
  const auto value = [&](const std::string& key, const std::string& fallback) {
    const auto found = site.find(key);
    return found == site.end() || found->second.empty() ? fallback : found->second;
  };
  const auto service = choose_service(request, addresses, value("master", ""));
  FoundSite found;
  found.cluster = value("clustername", value("domain", "cluster"));
  found.own_name = request.name.empty() ? short_host_name(host) : request.name;
  found.peer_name = parts[0];
  found.peer_address = parts[1];
  found.style = request.style.empty() ? "take" : request.style;
  found.service = {.address = service.address, .prefix_length = service.prefix_length};
  found.interface = request.interface.empty() ? service.interface : request.interface;
  found.own_address = choose_own_address(addresses, service, found.style == "alias");
  found.hostname =
      request.hostname.empty() && found.style == "take" ? short_host_name(host) : request.hostname;
  found.install_directory = value("installdir", "/install");
  found.tftp_directory = value("tftpdir", "/tftpboot");
  found.key_file = choose_key();
  const auto version = host.run({.argv = {"/opt/xcat/bin/lsxcatd", "-v"}});
  found.notes.push_back(version.succeeded() ? "xCAT " + base::trim(version.output)
                                            : "xCAT is not installed or does not answer");
  found.notes.push_back(site.empty() ? "no site table" : "site.master = " + value("master", "?"));
  for (const auto& address : addresses) {
    found.notes.push_back(address.interface + " has " + address.address + "/" +
                          std::to_string(address.prefix_length));
  }
  return found;
}

void write_config(Environment& environment, const InitRequest& request) {
  const auto found = look_around(environment, request);
  const auto text = render_site(found);
  (void)base::parse_site(text, environment.config_path);  // what is written must work
  base::make_directories(environment.config_path.substr(0, environment.config_path.rfind('/')),
                         0755);
  base::replace_file(environment.disk(), {.path = environment.config_path, .content = text});
  put("Wrote " + environment.config_path + ": " + found.own_name + " (" + found.own_address +
      ") and " + found.peer_name + " (" + found.peer_address + "), service " + found.style + " " +
      base::to_text(found.service) + "\n");
}

base::RoleName choose_role(Environment& environment, const InitRequest& request) {
  if (const auto named = base::parse_role_name(request.role);
      named == base::RoleName::primary || named == base::RoleName::standby) {
    return *named;
  }
  if (!request.role.empty()) {
    throw usage("unknown role " + base::printable(request.role), "it is primary or standby",
                "hamn init --role primary");
  }
  if (const auto present = environment.find_role()) return present->name;
  base::LocalHost host{"localhost", environment.disk()};
  if (takeover::is_active(host, environment.site().units.xcatd)) return base::RoleName::primary;
  throw usage("is this the primary or the standby?",
              "xcatd does not run here, so both are possible",
              "hamn init --role primary, or: hamn init --role standby");
}

void set_role(Environment& environment, const InitRequest& request) {
  const auto name = choose_role(environment, request);
  const auto present = environment.find_role();
  if (present && present->name == name && request.epoch == 0) {
    put("This host is " + present->host + ", the " + base::to_text(name) + " of epoch " +
        std::to_string(present->epoch) + " already.\n");
    return;
  }
  if (present && present->name == base::RoleName::promoting && !request.force) {
    throw base::Error{{.what = "refusing to change the role of " + present->host,
                       .detail = "a takeover is under way here",
                       .hint = "finish it: hamn failover; or go back: hamn takeover undo",
                       .code = base::Exit::refused}};
  }
  const bool demotes_primary = present && present->name == base::RoleName::primary;
  if (demotes_primary && !request.force) {
    throw base::Error{{.what = "refusing to change the role of " + present->host,
                       .detail = "it is the primary of epoch " + std::to_string(present->epoch),
                       .hint = "if another host is in charge now: hamn init --role standby --force",
                       .code = base::Exit::refused}};
  }
  base::Role role;
  role.host = request.name.empty()
                  ? base::find_this_host(environment.site(), base::local_addresses())
                  : environment.site().host(request.name).name;
  role.name = name;
  // Never back: a lower epoch would make this host listen to a deposed primary.
  const std::uint64_t first = name == base::RoleName::primary ? 1 : 0;
  role.epoch = std::max(request.epoch, present ? present->epoch : first);
  role.since = environment.clock().wall();
  role.run = base::new_run_id(environment.clock());
  base::write_role(environment.disk(), environment.role_path(), role);
  put("This host is " + role.host + ", the " + base::to_text(name) + " of epoch " +
      std::to_string(role.epoch) + ".\n");
}

void tell_next_steps(Environment& environment) {
  const auto role = environment.role();
  const auto other = environment.there();
  const auto& site = environment.site();
  const bool pinned = pin_from_known_hosts(environment, other);
  std::string text;
  if (!pinned) {
    text += "Next: pin the host key of " + other + ": hamn init --pin " + other + "\n";
  }
  if (role.name == base::RoleName::primary) {
    text += "Next: copy " + site.path + " to " + other +
            ", and there run: hamn init --role standby\n"
            "Then: hamn sync run; hamn db replicate; hamn cron install\n";
  } else {
    text += "Next: on " + other + " run: hamn sync run; hamn db replicate; hamn cron install\n";
  }
  if (site.fences.empty()) {
    text += "Consider: a [[fence]] in " + site.path +
            ", so that a takeover can prove that the primary is off\n";
  }
  put(text);
}

base::Exit init(Environment& environment, const InitRequest& request) {
  require_root();
  if (!request.pin.empty()) return pin_host_key(environment, request.pin, request.fingerprint);
  const bool has_config = ::access(environment.config_path.c_str(), F_OK) == 0;
  if (!has_config || !request.peer.empty()) {
    if (has_config && !request.force) {
      throw usage("refusing to overwrite " + environment.config_path, "it is there already",
                  "leave out --peer to keep it, or add --force to write it anew");
    }
    write_config(environment, request);
  }
  set_role(environment, request);
  tell_next_steps(environment);
  return base::Exit::done;
}

}  // namespace

void add_init_commands(CLI::App& app, Environment& environment, Chosen& chosen) {
  auto* command = app.add_subcommand(
      "init", "Set this host up: write a configuration that fits it, and its role");
  auto request = std::make_shared<InitRequest>();
  command->add_option("--role", request->role, "primary or standby");
  command->add_option("--peer", request->peer, "The other management node: NAME=ADDRESS");
  command->add_option("--name", request->name, "Name of this host in the configuration");
  command->add_option("--style", request->style, "take or alias (docs/configuration.md)")
      ->check(CLI::IsMember({"take", "alias"}));
  command->add_option("--service", request->service, "Address that nodes know: ADDRESS/PREFIX");
  command->add_option("--hostname", request->hostname, "Host name that nodes know");
  command->add_option("--interface", request->interface, "Interface for the service address");
  command->add_option("--epoch", request->epoch, "Epoch to start from, after a lost role file")
      ->check(CLI::Range(std::uint64_t{1}, base::largest_epoch));
  command->add_option("--pin", request->pin, "Pin the ssh host key of this host, then end");
  command->add_option("--fingerprint", request->fingerprint,
                      "With --pin: the fingerprint that you read on its console");
  command->add_flag("--force", request->force, "Overwrite a configuration or a role");
  command->callback(
      [&, request] { chosen = [&, request] { return init(environment, *request); }; });
}

}  // namespace hamn::cli
