#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/network.h"
#include "base/text.h"
#include "cli/commands.h"
#include "takeover/arp.h"

namespace hamn::cli {

namespace {

struct AnnounceRequest {
  std::string interface;
  std::string address;
  int rounds = 4;
};

/// The first round goes out at once and the command ends; a child of it repeats the announcement
/// for some seconds, since a neighbour ignores what comes within a second of its last update.
base::Exit announce(const AnnounceRequest& request) {
  require_root();
  const auto present = base::local_addresses();
  const bool is_here = std::any_of(present.begin(), present.end(), [&](const auto& each) {
    return each.interface == request.interface && each.address == request.address;
  });
  if (!is_here) {
    throw base::Error{{.what = "refusing to announce " + base::printable(request.address),
                       .detail = "it is not an address of " + base::printable(request.interface) +
                                 " on this host",
                       .hint = "see what is there: ip address",
                       .code = base::Exit::refused}};
  }
  takeover::arp_announce(request.interface, request.address, 1, base::Milliseconds{0});
  put("announced " + request.address + " on " + request.interface + ", to be repeated " +
      std::to_string(request.rounds - 1) + " times\n");
  if (request.rounds <= 1 || ::fork() != 0) return base::Exit::done;
  ::setsid();
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(fd);
  ::sleep(1);
  takeover::arp_announce(request.interface, request.address, request.rounds - 1,
                         std::chrono::seconds{1});
  return base::Exit::done;
}

}  // namespace

void add_net_commands(CLI::App& app, Environment& /*environment*/, Chosen& chosen) {
  auto* net = app.add_subcommand("net", "What a takeover does to the network, by hand");
  net->require_subcommand(1);
  auto* command =
      net->add_subcommand("announce", "Send gratuitous ARP for an address of this host");
  auto request = std::make_shared<AnnounceRequest>();
  command->add_option("--interface", request->interface, "Interface that holds the address")
      ->required();
  command->add_option("--address", request->address, "IPv4 address")->required();
  command->add_option("--rounds", request->rounds, "How often, a second apart")
      ->check(CLI::Range(1, 60))
      ->capture_default_str();
  command->callback([&chosen, request] { chosen = [request] { return announce(*request); }; });
}

}  // namespace hamn::cli
