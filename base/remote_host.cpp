#include "base/remote_host.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/error.h"
#include "base/hash.h"
#include "base/libssh2_host.h"
#include "base/openssh_host.h"
#include "base/text.h"

namespace hamn::base {

namespace {

constexpr const char* reach_hint = "check that the host is up and that ssh works there";

/// Takes "hamn-group PID" off the front of the output. 0 if the line never came.
long take_group(std::string& output) {
  constexpr std::string_view marker = "hamn-group ";
  const auto end = output.find('\n');
  if (!output.starts_with(marker) || end == std::string::npos) return 0;
  const auto pid = parse_unsigned(std::string_view{output}.substr(marker.size(), end - marker.size()));
  output.erase(0, end + 1);
  return pid && *pid > 1 ? static_cast<long>(*pid) : 0;
}

/// Uses the second transport once the first has said that it cannot serve this host.
class FallbackHost : public Host {
  template <typename Verb>
  auto with(const Verb& verb) {
    if (first_ != nullptr) {
      try {
        return verb(*first_);
      } catch (const UnsupportedBySsh&) {
        first_.reset();
      }
    }
    return verb(*second_);
  }

 public:
  FallbackHost(std::unique_ptr<Host> first, std::unique_ptr<Host> second)
      : first_(std::move(first)), second_(std::move(second)) {}
  [[nodiscard]] std::string name() const override { return second_->name(); }
  Outcome run(const Command& command) override {
    return with([&](Host& host) { return host.run(command); });
  }
  [[nodiscard]] std::unique_ptr<Stream> open(const Command& command) override {
    return with([&](Host& host) { return host.open(command); });
  }
  [[nodiscard]] std::optional<std::string> read(const std::string& path,
                                                std::uint64_t limit_bytes) override {
    return with([&](Host& host) { return host.read(path, limit_bytes); });
  }
  void write(const FileWrite& file) override {
    with([&](Host& host) { host.write(file); });
  }

 private:
  std::unique_ptr<Host> first_;
  std::unique_ptr<Host> second_;
};

}  // namespace

RemoteHost::RemoteHost(SshSettings settings) : settings_(std::move(settings)) {}

std::string remote_line(const Command& command) {
  std::vector<std::string> words;
  if (!command.user.empty()) words = {"runuser", "-u", command.user, "--"};
  words.emplace_back("env");
  words.emplace_back("LC_ALL=C");
  for (const auto& [variable, value] : command.environment) words.push_back(variable + "=" + value);
  words.insert(words.end(), command.argv.begin(), command.argv.end());
  return "exec " + shell_line(words);
}

Outcome RemoteHost::run(const Command& command) {
  // sshd makes the shell the leader of a new session, so its pid names the whole process group.
  auto outcome = run_line("echo hamn-group $$; " + remote_line(command), command);
  const long group = take_group(outcome.output);
  if (outcome.timed_out && group != 0) {
    const Command kill{.argv = {"kill", "-KILL", "--", "-" + std::to_string(group)},
                       .time_limit = settings_.connect_limit};
    (void)run_line(remote_line(kill), kill);
  }
  return outcome;
}

std::optional<std::string> RemoteHost::read(const std::string& path, std::uint64_t limit_bytes) {
  const auto present = run({.argv = {"test", "-e", path}});
  if (present.exit_code == 1) return std::nullopt;
  const Command cat{.argv = {"cat", "--", path}, .output_limit_bytes = limit_bytes};
  auto outcome = run(cat);
  if (!outcome.succeeded() || outcome.truncated) {
    throw Error{{.what = "cannot read " + path + " on " + name(),
                 .detail = outcome.truncated ? "it is larger than " + human_size(limit_bytes)
                                             : describe(outcome, cat),
                 .hint = "look at the file on that host"}};
  }
  return std::move(outcome.output);
}

void RemoteHost::write(const FileWrite& file) {
  const auto temporary = file.path + ".hamn-" + random_digits(6);
  std::array<char, 8> mode{};
  (void)std::snprintf(mode.data(), mode.size(), "%o", file.mode);
  const auto directory = file.path.substr(0, std::max<std::size_t>(1, file.path.rfind('/')));
  const std::vector<Command> steps = {
      {.argv = {"install", "-m", "600", "/dev/null", temporary}},
      {.argv = {"dd", "of=" + temporary, "bs=1M", "conv=notrunc,fsync", "status=none"},
       .input = file.content},
      {.argv = {"chown", file.owner, temporary}},
      {.argv = {"chmod", mode.data(), temporary}},
      {.argv = {"sync", temporary}},
      {.argv = {"mv", "-fT", temporary, file.path}},
      {.argv = {"sync", directory}}};
  for (const auto& step : steps) {
    const auto outcome = run(step);
    if (outcome.succeeded()) continue;
    (void)run({.argv = {"rm", "-f", temporary}});
    throw Error{{.what = "cannot write " + file.path + " on " + name(),
                 .detail = step.argv.front() + " " + describe(outcome, step),
                 .hint = reach_hint}};
  }
}

std::unique_ptr<Host> make_ssh_host(const SshSettings& settings, const std::string& transport) {
  if (transport == "libssh2") return std::make_unique<Libssh2Host>(settings);
  if (transport == "openssh") return std::make_unique<OpensshHost>(settings);
  return std::make_unique<FallbackHost>(std::make_unique<Libssh2Host>(settings),
                                        std::make_unique<OpensshHost>(settings));
}

}  // namespace hamn::base
