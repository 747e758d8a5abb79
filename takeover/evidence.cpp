#include "takeover/evidence.h"

#include <array>

#include "base/worker.h"

namespace hamn::takeover {

namespace {

constexpr base::Milliseconds look_limit{1500};
constexpr int ssh_port = 22;
constexpr int xcatd_port = 3001;

bool kernel_answers(PortAnswer answer) {
  return answer == PortAnswer::connected || answer == PortAnswer::refused ||
         answer == PortAnswer::spoke;
}

}  // namespace

std::string to_text(PortAnswer answer) {
  switch (answer) {
    case PortAnswer::spoke:
      return "answers";
    case PortAnswer::connected:
      return "accepts connections but says nothing";
    case PortAnswer::refused:
      return "refused by a running host";
    case PortAnswer::no_answer:
      return "no answer";
    case PortAnswer::unreachable:
      return "no way there";
  }
  return "no answer";
}

std::string to_text(Liveness liveness) {
  switch (liveness) {
    case Liveness::alive:
      return "alive";
    case Liveness::mostly_dead:
      return "mostly dead";
    case Liveness::silent:
      return "silent";
    case Liveness::unknown:
      return "unknown";
  }
  return "unknown";
}

Liveness classify(const Evidence& evidence) {
  // After the address moved here, asking it would be asking ourselves.
  if (!evidence.own_link || evidence.address_is_here) return Liveness::unknown;
  // xcatd speaks TLS and waits for the client, so a connection is all it can show.
  const bool xcatd_runs = kernel_answers(evidence.xcatd) && evidence.xcatd != PortAnswer::refused;
  if (evidence.ssh == PortAnswer::spoke) return Liveness::alive;
  if (xcatd_runs && evidence.ssh != PortAnswer::connected) return Liveness::alive;
  if (evidence.arp || kernel_answers(evidence.ssh) || kernel_answers(evidence.xcatd)) {
    return Liveness::mostly_dead;
  }
  return Liveness::silent;
}

base::Facts facts_of(const Evidence& evidence) {
  base::Facts facts{{"verdict", to_text(classify(evidence))},
                    {"own_link", evidence.own_link ? "up" : "down"}};
  if (evidence.address_is_here) {
    facts["address"] = "already on this host";
    return facts;
  }
  facts["arp"] = evidence.arp ? "answered by " + *evidence.arp : "no answer";
  facts["ssh"] = to_text(evidence.ssh);
  facts["xcatd"] = to_text(evidence.xcatd);
  return facts;
}

Evidence look_at_host(Probes& probes, const std::string& interface, const std::string& address,
                      bool address_is_here) {
  Evidence evidence;
  evidence.own_link = probes.has_link(interface);
  evidence.address_is_here = address_is_here;
  if (!evidence.own_link || address_is_here) return evidence;
  base::Worker ssh{[&] { evidence.ssh = probes.port(address, ssh_port, look_limit, true); }};
  base::Worker xcatd{[&] { evidence.xcatd = probes.port(address, xcatd_port, look_limit, false); }};
  evidence.arp = probes.arp(interface, address, look_limit * 2 / 3);
  ssh.join();
  xcatd.join();
  return evidence;
}

}  // namespace hamn::takeover
