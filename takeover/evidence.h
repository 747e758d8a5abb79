#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/plan.h"

namespace hamn::takeover {

/// What a TCP port did when it was asked.
enum class PortAnswer {
  spoke,       ///< connected, and the service said something: it works
  connected,   ///< the kernel accepted, but nothing was said: the service may hang
  refused,     ///< the kernel answered that nobody listens: the host runs
  no_answer,   ///< nothing came back in time
  unreachable  ///< the network says that there is no way
};
/// For people: "refused by a running host".
[[nodiscard]] std::string to_text(PortAnswer answer);

/// What can be seen of the primary from here.
struct Evidence {
  bool own_link = false;           ///< this host's own cable works
  bool address_is_here = false;    ///< the primary's address is already on this host
  std::optional<std::string> arp;  ///< MAC that answers for the primary's address
  PortAnswer ssh = PortAnswer::no_answer;
  PortAnswer xcatd = PortAnswer::no_answer;

  friend bool operator==(const Evidence&, const Evidence&) = default;
};

/// What the evidence means. Only "silent" is compatible with a host that is off, and it proves
/// nothing: a host that is merely cut off is silent too.
enum class Liveness {
  alive,        ///< a service answers
  mostly_dead,  ///< the kernel answers, services do not: fence it
  silent,       ///< nothing answers
  unknown       ///< this host cannot see: its own link is down
};
/// For people: "mostly dead".
[[nodiscard]] std::string to_text(Liveness liveness);

/// The decision table. Pure.
[[nodiscard]] Liveness classify(const Evidence& evidence);
/// One sentence per probe, for people and for the report. Pure.
[[nodiscard]] base::Facts facts_of(const Evidence& evidence);

/// Eyes on the network, so that a test can close or replace them. Looking changes nothing.
class Probes {
 public:
  virtual ~Probes() = default;
  /// Who answers for `address` on `interface`, asked for `limit`.
  [[nodiscard]] virtual std::optional<std::string> arp(const std::string& interface,
                                                       const std::string& address,
                                                       base::Milliseconds limit) = 0;
  /// Connects and waits for the first byte. `speaks_first` is false for services that wait for the
  /// client (TLS): connecting is all that they can show.
  [[nodiscard]] virtual PortAnswer port(const std::string& address, int number,
                                        base::Milliseconds limit, bool speaks_first) = 0;
  [[nodiscard]] virtual bool has_link(const std::string& interface) = 0;
  /// Addresses that `server` gives for the names, asked over UDP port 53; names without an answer
  /// within `limit` are missing from the result.
  [[nodiscard]] virtual std::map<std::string, std::string> dns(
      const std::string& server, const std::vector<std::string>& names,
      base::Milliseconds limit) = 0;
};

/// The real network.
class NetworkProbes : public Probes {
 public:
  [[nodiscard]] std::optional<std::string> arp(const std::string& interface,
                                               const std::string& address,
                                               base::Milliseconds limit) override;
  [[nodiscard]] PortAnswer port(const std::string& address, int number, base::Milliseconds limit,
                                bool speaks_first) override;
  [[nodiscard]] bool has_link(const std::string& interface) override;
  [[nodiscard]] std::map<std::string, std::string> dns(const std::string& server,
                                                       const std::vector<std::string>& names,
                                                       base::Milliseconds limit) override;
};

/// Asks everything about the host at `address` at the same time.
[[nodiscard]] Evidence look_at_host(Probes& probes, const std::string& interface,
                                    const std::string& address, bool address_is_here);

}  // namespace hamn::takeover
