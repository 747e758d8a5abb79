#include <CLI/CLI.hpp>
#include <memory>

#include "base/interrupt.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/notify.h"
#include "cli/sync_commands.h"
#include "sync/pass.h"
#include "sync/watch.h"

namespace hamn::cli {

namespace {

struct WatchRequest {
  bool service = false;
  std::string source = "auto";
};

/// Passes over one connection that stays open.
class ConnectedPasses : public sync::WatchedPasses {
 public:
  ConnectedPasses(Environment& environment, const std::vector<sync::FileSet>& sets)
      : environment_(environment), sets_(sets), journal_(environment.open_journal("activity")) {
    for (const auto& set : sets) {
      locks_.emplace_back(environment.site().run_directory + "/sync-" + set.name + ".lock",
                          "hamn sync watch", environment.clock());
    }
  }

  [[nodiscard]] bool may_go_on() override {
    base::stop_if_interrupted();
    const auto role = environment_.find_role();
    return role && role->name == base::RoleName::primary;
  }

  [[nodiscard]] sync::SentPasses send(const std::map<std::string, sync::Dirty>& dirty) override {
    sync::SentPasses sent;
    if (!may_go_on()) return sent;
    for (const auto& set : sets_) {
      const auto& what = dirty.at(set.name);
      connect();  // without a standby no set can be sent
      try {
        send_one(set, what, sent);
      } catch (const sync::PeerRefused& refused) {
        connection_.reset();
        if (refused.is_deposed()) become_deposed(environment_, environment_.role(), refused);
        throw;
      } catch (const base::Error& error) {
        connection_.reset();
        if (error.code() == base::Exit::interrupted) throw;
        sent.again[set.name].merge(what);
        sent.trouble = "set " + set.name + ": " + error.what() + ": " + error.detail();
      }
    }
    if (sent.trouble.empty()) {
      notify_systemd("STATUS=The standby is current as of " +
                     base::to_text(environment_.clock().wall()));
    } else {
      notify_systemd("STATUS=" + base::printable(sent.trouble));
    }
    return sent;
  }

 private:
  void connect() {
    if (connection_ != nullptr) return;
    auto program = environment_.program();
    program.emplace_back("receive");
    auto& receiver = environment_.hosts().at(environment_.there());
    connection_ = std::make_unique<sync::Connection>(receiver.open({.argv = program}));
  }

  void send_one(const sync::FileSet& set, const sync::Dirty& what, sync::SentPasses& sent) {
    sync::SendRequest request{.set = set,
                              .host = environment_.here(),
                              .run = journal_->run(),
                              .epoch = environment_.role().epoch,
                              .state_directory = environment_.site().state_directory};
    if (!what.everything) request.dirty = what.directories;
    const auto result = sync::send_set(*connection_, request, environment_.clock(), progress_);
    sync::journal_result(result, *journal_);
    for (const auto& problem : result.problems) {
      const bool is_refused = problem.kind == sync::ProblemKind::not_written;
      if (is_refused) sent.trouble = problem.path + ": " + problem.detail;
      if (is_refused || problem.kind == sync::ProblemKind::unstable) {
        sent.again[set.name].directories.insert(problem.path.substr(0, problem.path.rfind('/')));
      }
    }
  }

  Environment& environment_;
  const std::vector<sync::FileSet>& sets_;
  std::unique_ptr<base::FileJournal> journal_;
  base::NoProgress progress_;
  std::vector<base::Lock> locks_;
  std::unique_ptr<sync::Connection> connection_;
};

/// Timers and units are the same on both hosts: a service waits until this host is the primary.
void wait_for_role(Environment& environment) {
  notify_systemd("READY=1");
  for (;;) {
    const auto role = environment.find_role();
    if (role && role->name == base::RoleName::primary) return;
    notify_systemd("STATUS=Waiting: this host is not the primary");
    environment.clock().sleep(std::chrono::seconds{2});
    base::stop_if_interrupted();
  }
}

std::unique_ptr<sync::EventSource> open_source(Environment& environment,
                                               const WatchRequest& request,
                                               const std::vector<sync::FileSet>& sets) {
  const auto every = environment.site().watch.poll;
  if (request.source == "polling") return sync::make_polling_source(environment.clock(), every);
  if (request.source == "fanotify") return sync::make_fanotify_source(sets);
  if (request.source == "inotify") return sync::make_inotify_source(sets);
  std::string problem;
  auto source = sync::choose_event_source(sets, environment.clock(), every, problem);
  if (!problem.empty()) {
    base::log(base::Level::warning, "watching by " + source->name() + ": " + problem);
  }
  return source;
}

[[noreturn]] void refuse(const std::string& detail) {
  throw base::Error{{.what = "refusing to push files from a host that is not the primary",
                     .detail = detail,
                     .hint = "run it on the primary: hamn status tells which one it is",
                     .code = base::Exit::refused}};
}

base::Exit watch(Environment& environment, const WatchRequest& request) {
  require_root();
  if (request.service) {
    wait_for_role(environment);
  } else if (environment.role().name != base::RoleName::primary) {
    refuse("the role of this host is " + base::to_text(environment.role().name));
  }
  std::vector<sync::FileSet> sets;
  for (const auto& [name, settings] : environment.site().file_sets) {
    sets.push_back(sync::make_file_set(settings));
  }
  ConnectedPasses passes{environment, sets};
  const auto source = open_source(environment, request, sets);
  base::log(base::Level::info,
            "watching " + std::to_string(sets.size()) + " file sets by " + source->name());
  const auto& times = environment.site().watch;
  sync::Watch agent{sets,
                    *source,
                    passes,
                    environment.clock(),
                    {.quiet = times.quiet,
                     .longest = times.longest,
                     .heartbeat = times.heartbeat,
                     .rescan = times.rescan}};
  agent.run();
  refuse("its role changed while it watched");
}

}  // namespace

void add_sync_watch_command(CLI::App& sync_command, Environment& environment, Chosen& chosen) {
  auto* command = sync_command.add_subcommand(
      "watch", "Keep the standby current as files change (on the primary)");
  auto request = std::make_shared<WatchRequest>();
  command->add_flag("--service", request->service,
                    "For systemd: wait while this host is not the primary");
  command->add_option("--source", request->source, "auto, fanotify, inotify or polling")
      ->check(CLI::IsMember({"auto", "fanotify", "inotify", "polling"}))
      ->capture_default_str();
  command->callback(
      [&, request] { chosen = [&, request] { return watch(environment, *request); }; });
}

}  // namespace hamn::cli
