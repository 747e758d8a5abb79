#include "takeover/identity.h"

#include <algorithm>

#include "base/text.h"
#include "takeover/addresses.h"

namespace hamn::takeover {

namespace {

using base::State;

std::string shown(const base::InterfaceAddress& address) {
  return address.address + "/" + std::to_string(address.prefix_length);
}

std::vector<base::InterfaceAddress> in_subnet(const std::vector<base::InterfaceAddress>& all,
                                              const std::string& interface,
                                              const base::Subnet& subnet) {
  std::vector<base::InterfaceAddress> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found),
               [&](const base::InterfaceAddress& each) {
                 return each.interface == interface && base::contains(subnet, each.address);
               });
  return found;
}

/// With slashes, since names of VLAN interfaces hold dots (sysctl(8)).
base::Action set_promote_secondaries(const std::string& host, const std::string& interface,
                                     std::vector<int> accepted = {0}) {
  return base::run_on(
      host, "Keep the other addresses when the first one of a subnet goes",
      {.argv = {"sysctl", "-q", "-w", "net/ipv4/conf/" + interface + "/promote_secondaries=1"}},
      std::move(accepted));
}

base::Action change_address(const std::string& host, const std::string& verb,
                            const std::string& address, const std::string& interface) {
  const auto sentence = verb == "add" ? "Bring up " + address : "Take away " + address;
  return base::run_on(host, sentence, {.argv = {"ip", "address", verb, address, "dev", interface}});
}

/// Present addresses as text, so that the plan depends on facts alone.
std::string to_fact(const std::vector<base::InterfaceAddress>& addresses) {
  std::vector<std::string> words;
  for (const auto& each : addresses) words.push_back(each.interface + "=" + shown(each));
  return base::join(words, " ");
}

std::vector<base::InterfaceAddress> from_fact(const std::string& text) {
  std::vector<base::InterfaceAddress> addresses;
  for (const auto& word : base::words_of(text)) {
    const auto equals = word.find('=');
    const auto subnet = base::parse_subnet(word.substr(equals + 1));
    if (equals == std::string::npos || !subnet) continue;
    addresses.push_back({.interface = word.substr(0, equals),
                         .address = subnet->address,
                         .prefix_length = subnet->prefix_length});
  }
  return addresses;
}

}  // namespace

base::Finding CheckAddressFree::check() {
  const auto& address = context_.site.service.address.address;
  if (context_.holds_service_address()) {
    return {.state = State::done, .why = address + " is on this host already", .facts = {}};
  }
  if (!context_.probes.has_link(context_.interface())) {
    return {.state = State::unknown,
            .why = "the link of " + context_.interface() + " is down",
            .facts = {}};
  }
  const auto owner =
      context_.probes.arp(context_.interface(), address, context_.site.takeover.address_probe);
  if (owner) {
    return {
        .state = State::blocked,
        .why = *owner + " answers for " + address + ": find that host and take it off the network",
        .facts = {{"mac", *owner}}};
  }
  return {.state = State::done, .why = "nobody answers for " + address, .facts = {}};
}

base::Plan CheckAddressFree::plan(const base::Finding& /*found*/) const {
  return {};
}

base::Plan plan_address(const std::string& host, const std::string& interface,
                        const base::Subnet& wanted, const std::string& own,
                        const std::vector<base::InterfaceAddress>& present) {
  const auto here = in_subnet(present, interface, wanted);
  const auto is_wanted = [&](const auto& each) { return each.address == wanted.address; };
  const auto position = std::find_if(here.begin(), here.end(), is_wanted);
  base::Plan plan;
  if (position != here.begin() && !here.empty()) {
    plan.add(set_promote_secondaries(host, interface));
  }
  if (position == here.end()) {
    plan.add(change_address(host, "add", base::to_text(wanted), interface));
  }
  // Each one that stands before it goes to the back of the list, one after the other, so that no
  // moment lacks more than one of them.
  for (auto each = here.begin(); each != position; ++each) {
    plan.add(change_address(host, "del", shown(*each), interface));
    plan.add(change_address(host, "add", shown(*each), interface));
  }
  const bool own_is_here =
      std::any_of(here.begin(), here.end(), [&](const auto& each) { return each.address == own; });
  const bool own_moves = own == wanted.address || !base::contains(wanted, own);
  if (!own_is_here && !own_moves) {
    plan.add(
        change_address(host, "add", own + "/" + std::to_string(wanted.prefix_length), interface));
  }
  return plan;
}

/// Addresses that stood here before an earlier run was cut off while it moved them.
std::vector<base::InterfaceAddress> TakeAddress::lost_addresses(
    const std::vector<base::InterfaceAddress>& present) const {
  const auto note = read_note(context_, addresses_note);
  if (!note) return {};
  const auto& own = context_.site.host(context_.here).address;  // comes back in any case
  auto lost = from_fact(note->at("addresses"));
  std::erase_if(lost, [&](const base::InterfaceAddress& each) {
    return each.address == own || std::find(present.begin(), present.end(), each) != present.end();
  });
  return lost;
}

base::Finding TakeAddress::check() {
  const auto present = local_addresses_of(context_.local());
  const auto& wanted = context_.site.service.address;
  const auto plan = plan_address(context_.here, context_.interface(), wanted,
                                 context_.site.host(context_.here).address, present);
  const auto here = in_subnet(present, context_.interface(), wanted);
  const bool held = std::any_of(here.begin(), here.end(),
                                [&](const auto& each) { return each.address == wanted.address; });
  base::Facts facts{{"addresses", to_fact(present)}};
  const auto lost = to_fact(lost_addresses(present));
  if (!lost.empty()) facts["lost"] = lost;
  if (plan.actions.empty() && lost.empty()) {
    return {.state = State::done,
            .why = wanted.address + " is the first address of " + context_.interface(),
            .facts = facts};
  }
  return {.state = State::due,
          .why = wanted.address + (held ? " is not the first address of " : " is not on ") +
                 context_.interface(),
          .facts = facts};
}

base::Plan TakeAddress::plan(const base::Finding& found) const {
  const auto& wanted = context_.site.service.address;
  const auto present = from_fact(found.facts.at("addresses"));
  const auto moves = plan_address(context_.here, context_.interface(), wanted,
                                  context_.site.host(context_.here).address, present);
  base::Plan plan;
  // A second run must not forget what the first one took away; what is there now is the rest.
  auto before = in_subnet(present, context_.interface(), wanted);
  const auto lost = found.facts.contains("lost") ? from_fact(found.facts.at("lost"))
                                                 : std::vector<base::InterfaceAddress>{};
  before.insert(before.end(), lost.begin(), lost.end());
  std::erase_if(before, [&](const auto& each) { return each.address == wanted.address; });
  if (!before.empty() && !moves.actions.empty()) {
    plan.add(base::write_on(context_.here, "Write down which addresses are here",
                            note_file(context_, addresses_note, {{"addresses", to_fact(before)}})));
  }
  plan.append(moves);
  for (const auto& each : lost) {
    plan.add(change_address(context_.here, "add", shown(each), each.interface));
  }
  return plan;
}

base::Plan TakeAddress::undo(const base::Finding& before) const {
  const auto& wanted = context_.site.service.address;
  const auto present = from_fact(before.facts.at("addresses"));
  const bool was_here = std::any_of(present.begin(), present.end(), [&](const auto& each) {
    return each.address == wanted.address;
  });
  base::Plan plan;
  if (was_here) return plan;
  // A run that was cut off may have left one of the others away. Exit code 2: it is there.
  for (const auto& each : in_subnet(present, context_.interface(), wanted)) {
    plan.add(base::run_on(context_.here, "Make sure that " + shown(each) + " is here",
                          {.argv = {"ip", "address", "add", shown(each), "dev", each.interface}},
                          {0, 2}));
  }
  // The way back does not end at an interface that is gone.
  plan.add(set_promote_secondaries(context_.here, context_.interface(), {0, 1, 255}));
  // Exit code 2: it is not there (any more).
  plan.add(base::run_on(
      context_.here, "Take away " + base::to_text(wanted),
      {.argv = {"ip", "address", "del", base::to_text(wanted), "dev", context_.interface()}},
      {0, 2}));
  plan.add(base::run_on(context_.here, "Forget the note",
                        {.argv = {"rm", "-f", note_path(context_, addresses_note)}}));
  return plan;
}

base::Finding AnnounceAddress::check() {
  if (base::is_ipv6(context_.site.service.address.address)) {
    return {.state = State::not_applicable,
            .why = "the kernel announces IPv6 addresses itself",
            .facts = {}};
  }
  return {.state = State::due, .why = "caches of the nodes may hold the old MAC", .facts = {}};
}

base::Plan AnnounceAddress::plan(const base::Finding& /*found*/) const {
  base::Plan plan;
  plan.add(base::run_on(context_.here, "Send gratuitous ARP requests and replies",
                        context_.hamn({"net", "announce", "--interface", context_.interface(),
                                       "--address", context_.site.service.address.address})));
  return plan;
}

base::Finding AnnounceAddress::verify(const std::vector<base::Outcome>& outcomes) {
  const bool sent = !outcomes.empty() && outcomes.back().succeeded();
  return {.state = sent ? State::done : State::due,
          .why = sent ? base::trim(outcomes.back().output) : "nothing was sent",
          .facts = {}};
}

base::Finding TakeHostname::check() {
  const auto& wanted = context_.site.service.hostname;
  if (wanted.empty()) {
    return {.state = State::not_applicable, .why = "the host name stays as it is", .facts = {}};
  }
  const auto kernel = base::trim(context_.local().run({.argv = {"hostname"}}).output);
  const auto file = base::trim(context_.local().read("/etc/hostname", 4096).value_or(""));
  base::Facts facts{{"kernel", kernel}, {"file", file}};
  if (kernel == wanted && file == wanted) {
    return {.state = State::done, .why = "the host name is " + wanted, .facts = facts};
  }
  return {.state = State::due, .why = "the host name is " + kernel, .facts = facts};
}

namespace {

base::Plan plan_hostname(const std::string& host, const std::string& name,
                         const std::string& name_in_file) {
  base::Plan plan;
  plan.add(base::write_on(host, "Set the host name for the next boot",
                          {.path = "/etc/hostname", .content = name_in_file + "\n"}));
  plan.add(base::run_on(host, "Set the host name", {.argv = {"hostname", name}}));
  return plan;
}

}  // namespace

base::Plan TakeHostname::plan(const base::Finding& /*found*/) const {
  const auto& name = context_.site.service.hostname;
  return plan_hostname(context_.here, name, name);
}

base::Plan TakeHostname::undo(const base::Finding& before) const {
  const auto& kernel = before.facts.at("kernel");
  const auto& file = before.facts.at("file");
  return plan_hostname(context_.here, kernel, file.empty() ? kernel : file);
}

}  // namespace hamn::takeover
