#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "base/local_host.h"
#include "base/log.h"
#include "base/perform.h"
#include "base/text.h"
#include "cli/forced_command.h"
#include "cli/kept_file.h"
#include "cli/sync_commands.h"

namespace hamn::cli {

namespace {

constexpr std::uint64_t most_key_bytes = 65536;

struct AuthorizeRequest {
  std::string key_file;
  std::string authorized_keys = "/root/.ssh/authorized_keys";
  bool plan = false;
  bool replace = false;
};

/// The public key from the file that was named, or from the primary.
std::string find_key(Environment& environment, const AuthorizeRequest& request) {
  std::optional<std::string> text;
  std::string place = request.key_file;
  if (!request.key_file.empty()) {
    text = base::read_file(request.key_file, most_key_bytes);
  } else {
    place = environment.site().ssh.key_file + ".pub";
    auto& primary = environment.hosts().at(environment.there());
    text = primary.read(place, most_key_bytes);
    place += " on " + primary.name();
  }
  for (const auto& line : base::lines_of(text.value_or(""))) {
    if (const auto key = key_of(line)) return *key;
  }
  throw base::Error{{.what = "cannot find the public key of the primary",
                     .detail = base::printable(place) + (text ? " holds none" : " is not there"),
                     .hint = "bring it here by hand: hamn sync authorize --key FILE.pub",
                     .code = base::Exit::usage}};
}

/// What has to change; nothing if the file is right already.
base::Plan plan_authorize(Environment& environment, const AuthorizeRequest& request) {
  const auto line = authorized_line(find_key(environment, request), environment.own_program(),
                                    "hamn:" + environment.there());
  auto file = kept_file(request.authorized_keys, 0600);
  const auto keys = authorize(file.content, line, request.replace);
  if (!keys.other_line.empty() && !request.replace) {
    throw base::Error{
        {.what = "refusing to restrict a key that may do more now",
         .detail = "in " + file.path + " stands: " + base::printable(keys.other_line),
         .hint = "give hamn a key of its own (ssh.key), or take that one's rights away: hamn sync "
                 "authorize --replace",
         .code = base::Exit::refused}};
  }
  base::Plan plan;
  if (keys.text == file.content) return plan;
  const auto directory = file.path.substr(0, file.path.rfind('/'));
  if (::access(directory.c_str(), F_OK) != 0) {
    plan.add(base::run_on(environment.here(), "Make " + directory,
                          {.argv = {"install", "-d", "-m", "700", directory}}));
  }
  file.content = keys.text;
  plan.add(base::write_on(
      environment.here(),
      "Let the key of " + environment.there() + " run hamn receive, and " + "nothing else",
      std::move(file)));
  return plan;
}

base::Exit run_authorize(Environment& environment, const AuthorizeRequest& request) {
  require_root();
  const auto plan = plan_authorize(environment, request);
  if (plan.actions.empty()) {
    put("Nothing to do: the key of " + environment.there() + " is authorized.\n");
    return base::Exit::done;
  }
  if (request.plan) {
    for (const auto& action : plan.actions) {
      put(action.sentence + "\n    " + base::to_text(action) + "\n");
    }
    return base::Exit::done;
  }
  auto journal = environment.open_journal("activity");
  base::perform(plan, environment.hosts(), *journal);
  for (const auto& action : plan.actions) base::log(base::Level::info, action.sentence);
  return base::Exit::done;
}

}  // namespace

base::Exit run_forced(Environment& environment, const Chosen& receive) {
  const char* given = std::getenv("SSH_ORIGINAL_COMMAND");
  const auto command = recognise(given != nullptr ? given : "", environment.program());
  if (!command) {
    throw base::Error{{.what = environment.here() + " refuses this command",
                       .detail = "the key may only run hamn receive, hamn db points and hamn db "
                                 "accept; asked for: " +
                                 base::printable(given != nullptr ? given : "a shell"),
                       .hint = "use another key, or the same hamn and configuration on both hosts",
                       .code = base::Exit::refused}};
  }
  if (command->tag.empty() && command->arguments.front() == "receive") return receive();
  auto argv = environment.own_program();
  argv.insert(argv.end(), command->arguments.begin(), command->arguments.end());
  base::LocalHost local{environment.here(), environment.disk()};
  if (!command->tag.empty()) {
    put("hamn-start " + command->tag + " " + std::to_string(::getpgrp()) + "\n");
  }
  const auto outcome = local.run({.argv = argv, .time_limit = std::chrono::minutes{10}});
  put(outcome.output);
  auto said = outcome.error_output;
  if (!command->tag.empty()) {
    said += "\nhamn-end " + command->tag + " " + std::to_string(outcome.exit_code) + "\n";
  }
  (void)!::write(STDERR_FILENO, said.data(), said.size());
  return static_cast<base::Exit>(outcome.exit_code);
}

void add_sync_authorize_command(CLI::App& sync_command, Environment& environment, Chosen& chosen) {
  auto* command = sync_command.add_subcommand(
      "authorize", "On the standby: let the primary's key run hamn receive and nothing else");
  auto request = std::make_shared<AuthorizeRequest>();
  command->add_flag("--plan", request->plan, "Print what would be written");
  command->add_option("--key", request->key_file,
                      "File with the public key; without it, it is read from the primary");
  command->add_flag("--replace", request->replace,
                    "Also if the key may do more now: it loses that");
  command->add_option("--authorized-keys", request->authorized_keys, "Where it is written")
      ->capture_default_str();
  command->callback(
      [&, request] { chosen = [&, request] { return run_authorize(environment, *request); }; });
}

}  // namespace hamn::cli
