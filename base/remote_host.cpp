#include "base/remote_host.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/libssh2_host.h"
#include "base/openssh_host.h"
#include "base/text.h"

namespace hamn::base {

namespace {

constexpr std::string_view start_mark = "hamn-start ";
constexpr std::string_view end_mark = "hamn-end ";

bool is_variable_name(const std::string& text) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  constexpr std::string_view all =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return !text.empty() && letters.find(text.front()) != std::string_view::npos &&
         text.find_first_not_of(all) == std::string::npos;
}

/// What takes the command's environment from standard input, and what to send there.
struct Environment {
  std::string line;
  std::string input;
};

Environment take_environment(const Command& command) {
  Environment taken;
  for (const auto& [name, value] : command.environment) {
    if (!is_variable_name(name) || value.find_first_of(std::string_view{"\0\n", 2}) != value.npos) {
      throw Error{{.what = "cannot set the environment variable " + printable(name),
                   .detail = "its name is not one, or its value has more than one line",
                   .hint = "give it to the command as a file instead"}};
    }
    taken.line.append("IFS= read -r ").append(name).append("; export ").append(name).append("; ");
    taken.input.append(value).append("\n");
  }
  return taken;
}

/// Takes "hamn-start TAG PID" and what a login script said before it off the output. 0 if the line
/// never came.
long take_start(std::string& output, const std::string& tag) {
  const auto mark = std::string{start_mark} + tag + " ";
  const auto begin = output.find(mark);
  const auto end = output.find('\n', begin);
  if (begin == std::string::npos || end == std::string::npos) return 0;
  const auto from = begin + mark.size();
  const auto pid = parse_unsigned(std::string_view{output}.substr(from, end - from));
  output.erase(0, end + 1);
  return pid && *pid > 1 ? static_cast<long>(*pid) : 0;
}

struct EndMark {
  std::size_t begin;
  std::size_t size;
  int exit_code;
};

/// The line "hamn-end TAG CODE" in the error output; a daemon may have written on behind it.
std::optional<EndMark> find_end(std::string_view error_output, const std::string& tag) {
  const auto mark = "\n" + std::string{end_mark} + tag + " ";
  const auto begin = error_output.find(mark);
  if (begin == std::string_view::npos) return std::nullopt;
  const auto from = begin + mark.size();
  const auto end = error_output.find('\n', from);
  if (end == std::string_view::npos) return std::nullopt;
  const auto code = parse_unsigned(error_output.substr(from, end - from));
  if (!code || *code > 255) return std::nullopt;
  return EndMark{begin, end + 1 - begin, static_cast<int>(*code)};
}

/// Cuts an output that was collected with room for the marks to what the caller asked for.
void cut(std::string& output, std::uint64_t limit_bytes, bool& truncated) {
  if (output.size() <= limit_bytes) return;
  output.resize(limit_bytes);
  truncated = true;
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
  if (command.argv.empty()) {
    throw Error{{.what = "cannot run an empty command",
                 .detail = "it has no words",
                 .hint = "name a program in the configuration"}};
  }
  std::vector<std::string> words{"env", "LC_ALL=C"};
  words.insert(words.end(), command.argv.begin(), command.argv.end());
  if (command.user.empty()) return shell_line(words);
  // It stays in the process group, unlike runuser -c, and sets HOME and USER, unlike runuser -u.
  return shell_line(
      {"runuser", "-s", "/bin/sh", "--session-command=" + shell_line(words), "--", command.user});
}

Outcome RemoteHost::run(const Command& command) {
  constexpr std::uint64_t room_for_marks = 1024;
  const auto tag = random_digits(8);
  const auto environment = take_environment(command);
  Line line;
  // sshd makes the shell the leader of a new session, so its pid names the whole process group.
  line.text = "echo " + std::string{start_mark} + tag + " $$; " + environment.line +
              remote_line(command) + "; hamn_code=$?; printf '\\n" + std::string{end_mark} + tag +
              " %d\\n' $hamn_code >&2; exit $hamn_code";
  line.input = environment.input + command.input;
  line.time_limit = command.time_limit;
  line.output_limit_bytes = command.output_limit_bytes + room_for_marks;
  line.sees_to_its_end = command.sees_to_its_end;
  line.is_over = [&](const Outcome& so_far) {
    constexpr std::size_t searched = 65536;
    const std::string_view text = so_far.error_output;
    return find_end(text.substr(text.size() - std::min(searched, text.size())), tag).has_value();
  };
  auto outcome = run_line(line);
  const long group = take_start(outcome.output, tag);
  const auto end = find_end(outcome.error_output, tag);
  if (end) {
    outcome.exit_code = end->exit_code;
    outcome.timed_out = false;
    outcome.error_output.erase(end->begin, end->size);
  }
  cut(outcome.output, command.output_limit_bytes, outcome.truncated);
  cut(outcome.error_output, command.output_limit_bytes, outcome.truncated);
  if (!end && !outcome.timed_out && !outcome.truncated &&
      (outcome.exit_code == 255 || outcome.exit_code == 0)) {
    throw Error{{.what = "cannot tell how " + command.argv.front() + " ended on " + name(),
                 .detail = "the ssh connection was lost: " + trim(outcome.error_output),
                 .hint = reach_hint(settings_)}};
  }
  if (outcome.timed_out && group == 0) {
    throw Error{{.what = "cannot tell whether " + command.argv.front() + " ran on " + name(),
                 .detail = "the host did not answer within " + human_duration(command.time_limit),
                 .hint = reach_hint(settings_)}};
  }
  if (outcome.timed_out) {
    const Command kill{.argv = {"kill", "-KILL", "--", "-" + std::to_string(group)}};
    (void)run_line({.text = remote_line(kill), .time_limit = settings_.connect_limit});
  }
  return outcome;
}

std::unique_ptr<Stream> RemoteHost::open(const Command& command) {
  const auto environment = take_environment(command);
  auto stream = open_line(environment.line + remote_line(command) + "; exit $?");
  stream->write(environment.input, settings_.connect_limit);
  return stream;
}

std::optional<std::string> RemoteHost::read(const std::string& path, std::uint64_t limit_bytes) {
  constexpr std::uint64_t room_for_an_error = 4096;
  const Command cat{.argv = {"cat", "--", path},
                    .output_limit_bytes = std::max(limit_bytes + 1, room_for_an_error)};
  auto outcome = run(cat);
  const auto says = [&](const char* text) {
    return outcome.error_output.find(text) != std::string::npos;
  };
  if (outcome.exit_code != 0 && (says(": No such file or") || says(": Not a directory"))) {
    return std::nullopt;
  }
  const bool is_larger = outcome.truncated || outcome.output.size() > limit_bytes;
  if (!outcome.succeeded() || is_larger) {
    throw Error{{.what = "cannot read " + printable(path) + " on " + name(),
                 .detail = is_larger ? "it is larger than " + human_size(limit_bytes)
                                     : "cat " + describe(outcome, cat),
                 .hint = "look at the file on that host"}};
  }
  return std::move(outcome.output);
}

void RemoteHost::write(const FileWrite& file) {
  const auto slash = file.path.rfind('/');
  const auto base = file.path.substr(slash + 1);
  if (!file.path.starts_with("/") || base.empty()) {
    throw Error{{.what = "cannot write " + printable(file.path) + " on " + name(),
                 .detail = "not the absolute path of a file",
                 .hint = "give the whole path of a file"}};
  }
  const auto directory = slash == 0 ? std::string{"/"} : file.path.substr(0, slash);
  const auto temporary = file.path.substr(0, slash + 1) + "." + base + ".hamn-" + random_digits(6);
  std::array<char, 16> mode{};
  (void)std::snprintf(mode.data(), mode.size(), "%o", file.mode);
  const std::vector<Command> steps = {
      {.argv = {"install", "-m", "600", "/dev/null", temporary}},
      {.argv = {"dd", "of=" + temporary, "bs=1M", "conv=notrunc", "status=none"},
       .input = file.content},
      {.argv = {"chown", file.owner + (file.owner.find(':') == std::string::npos ? ":" : ""),
                temporary}},
      {.argv = {"chmod", mode.data(), temporary}},
      {.argv = {"sync", temporary}},
      {.argv = {"mv", "-fT", temporary, file.path}},
      {.argv = {"sync", directory}}};
  for (const auto& step : steps) {
    const auto outcome = run(step);
    if (outcome.succeeded()) continue;
    (void)run({.argv = {"rm", "-f", temporary}});
    throw Error{{.what = "cannot write " + printable(file.path) + " on " + name(),
                 .detail = step.argv.front() + " " + describe(outcome, step),
                 .hint = "look at the directory on that host: ls -ld " + shell_word(directory)}};
  }
}

Error unknown_host_key(const SshSettings& settings) {
  return Error{{.what = "cannot trust " + settings.name,
                .detail = "its host key is not in " + settings.known_hosts,
                .hint = "on its console read the fingerprint (ssh-keygen -lf "
                        "/etc/ssh/ssh_host_ed25519_key.pub), then pin it: hamn init --pin " +
                        settings.name}};
}

Error changed_host_key(const SshSettings& settings) {
  return Error{
      {.what = "refusing to talk to " + settings.name,
       .detail = "it shows another host key than the one pinned in " + settings.known_hosts,
       .hint = "if the host was reinstalled, pin its new key: hamn init --pin " + settings.name +
               "; if not, somebody else answers at " + settings.address,
       .code = Exit::refused}};
}

std::string reach_hint(const SshSettings& settings) {
  return "try: " + shell_line({"ssh", "-p", std::to_string(settings.port), "-o",
                               "UserKnownHostsFile=" + settings.known_hosts,
                               settings.user + "@" + settings.address, "true"});
}

std::unique_ptr<Host> make_ssh_host(const SshSettings& settings, const std::string& transport) {
  if (transport == "libssh2") return std::make_unique<Libssh2Host>(settings);
  if (transport == "openssh") return std::make_unique<OpensshHost>(settings);
  return std::make_unique<FallbackHost>(std::make_unique<Libssh2Host>(settings),
                                        std::make_unique<OpensshHost>(settings));
}

}  // namespace hamn::base
