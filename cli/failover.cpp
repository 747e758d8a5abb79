#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/interrupt.h"
#include "base/lock.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/takeover_report.h"
#include "takeover/fence.h"
#include "takeover/report.h"
#include "takeover/services.h"
#include "takeover/steps.h"

namespace hamn::cli {

namespace {

using takeover::StepResult;

struct FailoverRequest {
  bool plan = false;
  std::string yes;
  std::string primary_is_off;
  std::string accept_loss;
  std::string accept_open;
  std::string reason;
  std::string plan_id;
};

/// Shows a run while it goes on, one line per gate and step, on standard error.
class LiveTable : public takeover::RunObserver {
 public:
  explicit LiveTable(bool silent) : silent_(silent) {}

  void gate_looked(const takeover::Gate& gate, const base::Finding& found) override {
    const bool holds = found.state == base::State::done;
    say(std::string{holds ? "  gate  ok       " : "  gate  CLOSED   "} + std::string{gate.id()} +
        ": " + base::printable(found.why) + "\n");
  }
  void step_started(const takeover::Step& step) override {
    if (::isatty(STDERR_FILENO) == 1) say("  step  …        " + step.title());
  }
  void step_finished(const takeover::Step& step, StepResult result, const std::string& why,
                     base::Milliseconds elapsed) override {
    if (::isatty(STDERR_FILENO) == 1) say("\r\x1b[K");
    auto word = takeover::to_text(result);
    word.resize(std::max<std::size_t>(word.size(), 15), ' ');
    say("  step  " + word + std::string{step.id()} + ": " + base::printable(why) +
        (elapsed.count() >= 100 ? " (" + base::human_duration(elapsed) + ")" : "") + "\n");
  }

 private:
  void say(const std::string& text) const {
    if (!silent_) (void)!::write(STDERR_FILENO, text.data(), text.size());
  }
  bool silent_;
};

/// The name of the host to be replaced, typed by a person or given by --yes.
void confirm(const FailoverRequest& request, const std::string& primary) {
  std::string typed = request.yes;
  if (typed.empty() && ::isatty(STDIN_FILENO) == 1) {
    const auto question =
        "This host takes over from " + primary + ". Type " + primary + " to go on: ";
    (void)!::write(STDERR_FILENO, question.data(), question.size());
    std::array<char, 256> line{};
    if (std::fgets(line.data(), line.size(), stdin) != nullptr) typed = base::trim(line.data());
    base::stop_if_interrupted();
  }
  if (typed == primary) return;
  throw base::Error{
      {.what = "the takeover was not confirmed",
       .detail = typed.empty() ? "nothing was typed"
                               : "\"" + base::printable(typed) + "\" is not " + primary,
       .hint = "type the name of the host to be replaced, or: hamn failover --yes=" + primary,
       .code = base::Exit::usage}};
}

/// Everything that the steps refer to, kept together for the length of a run.
class Takeover {
 public:
  Takeover(Environment& environment, const FailoverRequest& request)
      : environment_(environment),
        role_(environment.role()),
        driver_(environment.driver(environment.own_program())),
        journal_(environment.open_journal("takeover")),
        context_{.site = environment.site(),
                 .here = environment.here(),
                 .primary = environment.there(),
                 .epoch = role_.epoch + (role_.name == base::RoleName::primary ? 0 : 1),
                 .run = journal_->run(),
                 .started = environment.clock().wall(),
                 .operator_name = operator_name(),
                 .statement = statement(environment, request),
                 .accept_open = request.accept_open,
                 .program = environment.own_program(),
                 .hosts = environment.hosts(),
                 .probes = probes_,
                 .driver = *driver_,
                 .cluster = {},
                 .clock = environment.clock()} {
    context_.cluster = read_cluster();
  }

  [[nodiscard]] takeover::Runbook runbook(takeover::RunObserver& observer) {
    return takeover::Runbook{takeover::make_failover(context_), environment_.hosts(), *journal_,
                             environment_.clock(), observer};
  }

  [[nodiscard]] base::Facts header(const FailoverRequest& request) const {
    const auto& site = environment_.site();
    base::Facts facts{
        {"verb", "failover"},
        {"operator", context_.operator_name},
        {"host", context_.here},
        {"primary", context_.primary},
        {"cluster", site.cluster},
        {"epoch", std::to_string(context_.epoch)},
        {"version", HAMN_VERSION},
        {"service", site.service.hostname + " " + base::to_text(site.service.address)}};
    if (!request.reason.empty()) facts["reason"] = request.reason;
    if (!context_.statement.empty()) facts["statement"] = context_.statement;
    if (!request.accept_open.empty()) facts["accept_open"] = request.accept_open;
    return facts;
  }

  [[nodiscard]] std::string success() const {
    const auto& service = environment_.site().service;
    return context_.here + " is the management node now, as " +
           (service.hostname.empty() ? "" : service.hostname + " ") + "at " +
           service.address.address + ".";
  }

  [[nodiscard]] const std::string& run() const { return journal_->run(); }

  /// For a command that carries out one step of another process's run.
  [[nodiscard]] takeover::Context context_with(std::uint64_t epoch, std::string statement) const {
    return {.site = context_.site,
            .here = context_.here,
            .primary = context_.primary,
            .epoch = epoch,
            .run = context_.run,
            .started = context_.started,
            .operator_name = context_.operator_name,
            .statement = std::move(statement),
            .accept_open = {},
            .program = context_.program,
            .hosts = context_.hosts,
            .probes = context_.probes,
            .driver = context_.driver,
            .cluster = {},
            .clock = context_.clock};
  }

 private:
  static std::string statement(Environment& environment, const FailoverRequest& request) {
    if (request.primary_is_off.empty()) return {};
    const auto primary = environment.there();
    if (request.primary_is_off == primary) return primary + " is off";
    throw base::Error{{.what = "the statement names another host",
                       .detail = base::printable(request.primary_is_off) + " is not " + primary,
                       .hint = "hamn failover --primary-is-off=" + primary,
                       .code = base::Exit::usage}};
  }

  /// The recovery point until xcatd has the tables; after that what it has, so that what an
  /// administrator corrects with xCAT's commands counts.
  [[nodiscard]] takeover::Cluster read_cluster() const {
    if (takeover::read_note(context_, takeover::serving_note)) {
      return takeover::make_cluster(
          takeover::read_sqlite_cluster(environment_.database_location().directory));
    }
    const auto point = dbrepl::newest_point(
        dbrepl::database_directories(environment_.site().state_directory).points);
    if (!point) return {};  // a gate refuses
    return takeover::make_cluster(takeover::read_sqlite_cluster(point->directory));
  }

  Environment& environment_;
  base::Role role_;
  takeover::NetworkProbes probes_;
  std::unique_ptr<dbrepl::ReplicationDriver> driver_;
  std::unique_ptr<base::FileJournal> journal_;
  takeover::Context context_;
};

void print_preview(const std::vector<takeover::StepPreview>& preview, bool json) {
  const auto id = takeover::digest(preview).substr(0, 12);
  if (json) {
    auto steps = nlohmann::ordered_json::array();
    for (const auto& step : preview) {
      auto actions = nlohmann::ordered_json::array();
      for (const auto& action : step.plan.actions) {
        actions.push_back({{"host", action.host},
                           {"sentence", action.sentence},
                           {"command", base::to_text(action)}});
      }
      steps.push_back({{"step", step.id},
                       {"title", step.title},
                       {"section", step.section},
                       {"state", base::to_text(step.found.state)},
                       {"why", step.found.why},
                       {"actions", actions}});
    }
    put(nlohmann::ordered_json{{"plan_id", id}, {"steps", steps}}.dump(2) + "\n");
    return;
  }
  std::string text;
  for (const auto& step : preview) {
    text += step.id + ": " + step.title + "\n    [" + base::to_text(step.found.state) + "] " +
            base::printable(step.found.why) + "\n";
    for (const auto& action : step.plan.actions) {
      text += "    " + action.host + "# " + base::printable(base::to_text(action)) + "\n";
    }
  }
  text += "\nNothing was changed. Plan " + id +
          "; to carry out exactly this: hamn failover --plan-id " + id + "\n";
  put(text);
}

base::Exit failover(Environment& environment, const FailoverRequest& request) {
  require_root();
  if (request.plan) {
    LiveTable nothing{true};
    Takeover takeover{environment, request};
    print_preview(takeover.runbook(nothing).preview(), environment.json);
    return base::Exit::done;
  }
  const base::Lock lock{environment.site().run_directory + "/takeover.lock", "hamn failover",
                        environment.clock()};
  confirm(request, environment.there());
  Takeover takeover{environment, request};
  LiveTable table{environment.quiet || environment.json};
  auto runbook = takeover.runbook(table);
  const WrittenReport report{environment, takeover.run()};
  const auto outcome = runbook.run({.accept_loss = request.accept_loss,
                                    .plan_digest = request.plan_id,
                                    .success = takeover.success(),
                                    .header = takeover.header(request)});
  if (environment.json) {
    const int code = static_cast<int>(outcome.code);
    const nlohmann::json answer{{"run", takeover.run()},
                                {"result", takeover::result_word(std::to_string(code))},
                                {"exit_code", code},
                                {"headline", outcome.headline},
                                {"report", report.path("html")}};
    put(answer.dump(2) + "\n");
  } else {
    put(base::printable(outcome.headline) + "\nReport: " + report.path("html") +
        " (or: hamn report show)\n");
  }
  return outcome.code;
}

struct RecordOffRequest {
  std::uint64_t epoch = 0;
  std::string statement;
};

/// A step of a failover (its plan names it): the last look at the primary's power state.
base::Exit record_off(Environment& environment, const RecordOffRequest& request) {
  require_root();
  FailoverRequest none;
  Takeover takeover{environment, none};
  const auto context = takeover.context_with(request.epoch, request.statement);
  put(takeover::record_primary_off(context, std::chrono::seconds{20}) + "\n");
  return base::Exit::done;
}

/// Events of the takeover that is under way: since the last one that ended well or was undone.
std::vector<base::Event> unfinished_events(Environment& environment) {
  std::vector<base::Event> events;
  for (auto& event : base::read_journal(environment.journal_path("takeover")).events) {
    const bool over = (event.kind == "run_finished" || event.kind == "undo_finished") &&
                      (event.facts["exit_code"] == "0" || event.facts["exit_code"] == "4");
    if (over) {
      events.clear();
    } else {
      events.push_back(std::move(event));
    }
  }
  return events;
}

base::Exit undo(Environment& environment) {
  require_root();
  const base::Lock lock{environment.site().run_directory + "/takeover.lock", "hamn takeover undo",
                        environment.clock()};
  const auto role = environment.role();
  if (role.name != base::RoleName::promoting) {
    throw base::Error{{.what = "there is no takeover to undo",
                       .detail = "the role of " + role.host + " is " + base::to_text(role.name),
                       .hint = "hamn status shows what is under way",
                       .code = base::Exit::refused}};
  }
  const auto events = unfinished_events(environment);
  LiveTable table{environment.quiet || environment.json};
  Takeover takeover{environment, {}};
  const auto outcome = takeover.runbook(table).undo(events);
  put(outcome.headline + "\n");
  return outcome.code;
}

}  // namespace

void add_failover_commands(CLI::App& app, Environment& environment, Chosen& chosen) {
  auto* command = app.add_subcommand("failover", "Take over from a dead primary (on the standby)");
  auto request = std::make_shared<FailoverRequest>();
  command->add_flag("--plan", request->plan, "Print what would be done; change nothing");
  command->add_option("--yes", request->yes,
                      "Name of the host to be replaced, instead of typing it");
  command->add_option("--primary-is-off", request->primary_is_off,
                      "Your word that this host is off, where no fence method can prove it");
  command->add_option("--accept-loss", request->accept_loss,
                      "Reason to go on with copies that are older than allowed; for this run only");
  command->add_option("--accept-open", request->accept_open,
                      "Reason to be the primary although some services are not complete");
  command->add_option("--reason", request->reason, "Why; stands in the report");
  command->add_option("--plan-id", request->plan_id,
                      "Carry out only this plan, as --plan named it");
  command->callback(
      [&, request] { chosen = [&, request] { return failover(environment, *request); }; });
  auto* takeover_command = app.add_subcommand("takeover", "A takeover that is under way");
  takeover_command->require_subcommand(1);
  takeover_command
      ->add_subcommand("undo", "Go back to being a standby, before the point of no return")
      ->callback([&] { chosen = [&] { return undo(environment); }; });
  auto* record = takeover_command->add_subcommand(
      "record-off", "Read the primary's power state and write it down (a step of failover)");
  auto off = std::make_shared<RecordOffRequest>();
  record->add_option("--epoch", off->epoch, "Epoch that the takeover begins")->required();
  record->add_option("--statement", off->statement, "What the administrator stated");
  record->callback([&, off] { chosen = [&, off] { return record_off(environment, *off); }; });
}

}  // namespace hamn::cli
