#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/takeover_report.h"
#include "takeover/report.h"

namespace hamn::cli {

namespace {

base::JournalContent journal_of(Environment& environment) {
  return base::read_journal(environment.journal_path("takeover"));
}

base::Exit list(Environment& environment) {
  base::Table table{.columns = {{"run", "Run"},
                                {"started", "Started"},
                                {"result", "Result"},
                                {"headline", "What came of it"}},
                    .rows = {}};
  for (const auto& run : takeover::list_runs(journal_of(environment).events)) {
    table.rows.push_back({.cells = {run.run, base::to_text(run.started), run.result, run.headline},
                          .mark = run.result == "done" ? base::Mark::good : base::Mark::warning});
  }
  show(environment, {.title = "Takeovers on " + environment.here(),
                     .mark = base::Mark::neutral,
                     .verdict = "done",
                     .headline = table.rows.empty() ? "None yet." : "The newest one comes last.",
                     .sections = {{"runs", "Runs", std::move(table)}}});
  return base::Exit::done;
}

std::string newest_run(const base::JournalContent& journal) {
  const auto runs = takeover::list_runs(journal.events);
  if (!runs.empty()) return runs.back().run;
  throw base::Error{{.what = "there is no report",
                     .detail = "no takeover was ever run here",
                     .hint = "hamn failover --plan shows what one would do",
                     .code = base::Exit::usage}};
}

base::Exit show_run(Environment& environment, const std::string& run, bool html) {
  const auto journal = journal_of(environment);
  const auto report = takeover::report_of_run(journal, run.empty() ? newest_run(journal) : run);
  if (html) {
    put(base::to_html(report));
  } else {
    show(environment, report);
  }
  return base::Exit::done;
}

base::Exit verify(Environment& environment) {
  const auto journal = journal_of(environment);
  base::Prose prose;
  for (const auto& damage : journal.damage) {
    prose.paragraphs.push_back("line " + std::to_string(damage.line) + ": " + damage.reason);
  }
  const bool good = journal.damage.empty();
  show(environment, {.title = "Journal of takeovers on " + environment.here(),
                     .mark = good ? base::Mark::good : base::Mark::bad,
                     .verdict = good ? "intact" : "damaged",
                     .headline = good ? base::human_count(journal.events.size()) +
                                            " events, each of them as it was written."
                                      : "It is not as it was written.",
                     .sections = {{"damage", "Damage", std::move(prose)}}});
  return good ? base::Exit::done : base::Exit::problems;
}

struct ShowRequest {
  std::string run;
  bool html = false;
};

}  // namespace

void add_report_commands(CLI::App& app, Environment& environment, Chosen& chosen) {
  auto* report = app.add_subcommand("report", "Reports about takeovers, made from the journal");
  report->require_subcommand(1);
  report->add_subcommand("list", "List all runs")->callback([&] {
    chosen = [&] { return list(environment); };
  });
  auto request = std::make_shared<ShowRequest>();
  auto* show_command = report->add_subcommand("show", "Show one run, the newest one if not named");
  show_command->add_option("run", request->run, "Which run, as hamn report list names it");
  show_command->add_flag("--html", request->html, "As an HTML page");
  show_command->callback([&, request] {
    chosen = [&, request] { return show_run(environment, request->run, request->html); };
  });
  report->add_subcommand("verify", "Check that the journal is as it was written")->callback([&] {
    chosen = [&] { return verify(environment); };
  });
}

}  // namespace hamn::cli
