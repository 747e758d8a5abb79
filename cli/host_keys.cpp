#include "cli/host_keys.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "base/local_host.h"
#include "base/text.h"

namespace hamn::cli {

namespace {

/// "type key" of every line for one of the host's names; markers such as @revoked are left out.
std::vector<std::string> keys_in(const std::string& known_hosts_lines) {
  std::vector<std::string> keys;
  for (const auto& line : base::lines_of(known_hosts_lines)) {
    const auto words = base::words_of(line);
    if (words.size() < 3 || words[0].starts_with("#") || words[0].starts_with("@")) continue;
    keys.push_back(words[1] + " " + words[2]);
  }
  return keys;
}

/// Replaces all lines of this host in the file of pinned keys.
void pin(Environment& environment, const base::HostSettings& host,
         const std::vector<std::string>& keys) {
  const auto& path = environment.site().ssh.known_hosts;
  const auto names = host.address + "," + host.name;
  std::string text;
  for (const auto& line : base::lines_of(base::read_file(path).value_or(""))) {
    const auto words = base::words_of(line);
    if (words.empty() || words[0] == names) continue;
    text += line + "\n";
  }
  for (const auto& key : keys) text += names + " " + key + "\n";
  base::make_directories(path.substr(0, path.rfind('/')), 0755);
  base::replace_file(environment.disk(), {.path = path, .content = text});
}

bool is_pinned(Environment& environment, const base::HostSettings& host) {
  const auto text = base::read_file(environment.site().ssh.known_hosts).value_or("");
  for (const auto& line : base::lines_of(text)) {
    const auto words = base::words_of(line);
    if (words.empty()) continue;
    const auto names = base::split(words[0], ',');
    if (std::find(names.begin(), names.end(), host.address) != names.end()) return true;
  }
  return false;
}

bool says_yes() {
  if (::isatty(STDIN_FILENO) != 1) return false;
  const std::string question = "Is this the fingerprint that its console shows? (yes/no) ";
  (void)!::write(STDERR_FILENO, question.data(), question.size());
  std::array<char, 64> line{};
  return std::fgets(line.data(), line.size(), stdin) != nullptr && base::trim(line.data()) == "yes";
}

/// key → what ssh-keygen says of it: "256 SHA256:… comment (ED25519)".
using Offered = std::map<std::string, std::string>;

Offered fingerprints_of(base::Host& local, const std::vector<std::string>& keys) {
  Offered offered;
  for (const auto& key : keys) {
    const auto shown = local.run({.argv = {"ssh-keygen", "-l", "-f", "-"}, .input = key + "\n"});
    if (shown.succeeded()) offered[key] = base::trim(shown.output);
  }
  return offered;
}

Offered::const_iterator with_fingerprint(const Offered& offered, const std::string& fingerprint) {
  constexpr std::size_t length = 7 + 43;  // "SHA256:" and base64 of 256 bits
  if (fingerprint.size() != length || !fingerprint.starts_with("SHA256:")) return offered.end();
  return std::find_if(offered.begin(), offered.end(), [&](const auto& each) {
    const auto words = base::words_of(each.second);
    return words.size() > 1 && words[1] == fingerprint;
  });
}

Offered::const_iterator strongest(const Offered& offered) {
  for (const auto* type : {"ssh-ed25519", "ecdsa-", "ssh-rsa"}) {
    const auto found = std::find_if(offered.begin(), offered.end(),
                                    [&](const auto& each) { return each.first.starts_with(type); });
    if (found != offered.end()) return found;
  }
  return offered.begin();
}

}  // namespace

bool pin_from_known_hosts(Environment& environment, const std::string& name) {
  const auto& host = environment.site().host(name);
  if (is_pinned(environment, host)) return true;
  base::LocalHost local{"localhost", environment.disk()};
  std::vector<std::string> keys;
  for (const char* file : {"/etc/ssh/ssh_known_hosts", "/root/.ssh/known_hosts"}) {
    for (const auto& wanted : {host.address, host.name}) {
      const auto found = local.run({.argv = {"ssh-keygen", "-F", wanted, "-f", file}});
      if (!found.succeeded()) continue;
      for (auto& key : keys_in(found.output)) keys.push_back(std::move(key));
    }
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.empty()) return false;
  pin(environment, host, keys);
  put("Pinned the host key of " + name + " that this host's ssh already trusts.\n");
  return true;
}

base::Exit pin_host_key(Environment& environment, const std::string& name,
                        const std::string& fingerprint) {
  const auto& host = environment.site().host(name);
  base::LocalHost local{"localhost", environment.disk()};
  const base::Command scan{.argv = {"ssh-keyscan", "-T", "10", "-p",
                                    std::to_string(environment.site().ssh.port), host.address}};
  const auto scanned = local.run(scan);
  const auto keys = keys_in(scanned.output);
  if (keys.empty()) {
    throw base::Error{{.what = "cannot fetch the host key of " + name,
                       .detail = "ssh-keyscan " + base::describe(scanned, scan),
                       .hint = "check that sshd runs there: ssh-keyscan " + host.address}};
  }
  const auto offered = fingerprints_of(local, keys);
  const auto chosen =
      fingerprint.empty() ? strongest(offered) : with_fingerprint(offered, fingerprint);
  if (chosen != offered.end()) put(name + " shows " + chosen->second + "\n");
  const bool agreed = chosen != offered.end() && (!fingerprint.empty() || says_yes());
  if (!agreed) {
    throw base::Error{{.what = "the host key of " + name + " was not pinned",
                       .detail = fingerprint.empty() ? "it was not confirmed"
                                                     : "it has another fingerprint than " +
                                                           base::printable(fingerprint),
                       .hint = "on the console of " + name +
                               " run: ssh-keygen -lf "
                               "/etc/ssh/ssh_host_ed25519_key.pub; then: hamn init --pin " +
                               name + " --fingerprint SHA256:…",
                       .code = base::Exit::refused}};
  }
  // Only the one that was compared: a scan does not prove that the others are of that host.
  pin(environment, host, {chosen->first});
  put("Pinned the host key of " + name + ".\n");
  return base::Exit::done;
}

}  // namespace hamn::cli
