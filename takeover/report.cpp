#include "takeover/report.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace hamn::takeover {

namespace {

using base::Event;
using base::Mark;

std::string fact(const Event& event, const std::string& name, const std::string& fallback = "") {
  const auto found = event.facts.find(name);
  return found == event.facts.end() ? fallback : found->second;
}

std::int64_t number(const Event& event, const std::string& name) {
  return static_cast<std::int64_t>(base::parse_unsigned(fact(event, name)).value_or(0));
}

std::string duration(std::int64_t milliseconds) {
  return base::human_duration(base::Milliseconds{milliseconds});
}

Mark mark_of(const std::string& result) {
  if (result == "done" || result == "already_done") return Mark::good;
  if (result == "failed" || result == "blocked") return Mark::bad;
  if (result == "left_open" || result == "not_executed") return Mark::warning;
  return Mark::neutral;
}

/// Collects what the events of one run say about each step.
struct StepRecord {
  std::string id;
  std::string title;
  std::string section;
  std::string result = "unfinished";
  std::string why = {};
  std::string follow_up = {};
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
};

struct RunRecord {
  const Event* started = nullptr;
  const Event* finished = nullptr;
  std::vector<const Event*> gates;
  std::vector<StepRecord> steps;
  std::vector<std::pair<std::string, std::pair<const Event*, const Event*>>> actions;

  StepRecord& step(const Event& event) {
    const auto id = fact(event, "step");
    const auto found = std::find_if(steps.begin(), steps.end(),
                                    [&](const StepRecord& each) { return each.id == id; });
    if (found != steps.end()) return *found;
    steps.push_back(
        {.id = id, .title = fact(event, "title", id), .section = fact(event, "section")});
    return steps.back();
  }
};

void take(RunRecord& record, const Event& event) {
  if (event.kind == "run_started") record.started = &event;
  if (event.kind == "run_finished") record.finished = &event;
  if (event.kind == "gate") record.gates.push_back(&event);
  if (event.kind == "step_started") {
    auto& step = record.step(event);
    step.start_ms = number(event, "at_ms");
    step.end_ms = step.start_ms;
    step.why = fact(event, "why");
  }
  if (event.kind == "step_finished") {
    auto& step = record.step(event);
    step.end_ms = number(event, "at_ms");
    step.result = fact(event, "result");
    step.why = fact(event, "why");
    step.follow_up = fact(event, "follow_up");
  }
  if (event.kind == "step_skipped") {
    auto& step = record.step(event);
    step.result = "not_executed";
    step.why = fact(event, "why");
  }
  if (event.kind == "action_started") {
    record.actions.push_back(
        {record.steps.empty() ? "" : record.steps.back().id, {&event, nullptr}});
  }
  if (event.kind == "action_finished" && !record.actions.empty()) {
    record.actions.back().second.second = &event;
  }
}

RunRecord collect(const base::JournalContent& journal, const std::string& run) {
  RunRecord record;
  for (const auto& event : journal.events) {
    if (event.run == run) take(record, event);
  }
  if (record.started == nullptr) {
    throw base::Error{{.what = "there is no run " + base::printable(run) + " in the journal",
                       .detail = base::human_count(list_runs(journal.events).size()) +
                                 " runs are written down there",
                       .hint = "hamn report list shows the runs",
                       .code = base::Exit::usage}};
  }
  return record;
}

base::Section summary_section(const RunRecord& record) {
  const auto& start = *record.started;
  base::FactList facts;
  const auto add = [&](const std::string& name, const std::string& key, const std::string& value) {
    if (!value.empty()) facts.items.push_back({.name = name, .value = value, .key = key});
  };
  add("Run", "run", start.run);
  add("Started", "started", base::to_text(start.time));
  if (record.finished != nullptr) {
    add("Took", "took", duration(number(*record.finished, "elapsed_ms")));
    add("Exit code", "exit_code", fact(*record.finished, "exit_code"));
  }
  add("Done by", "operator", fact(start, "operator"));
  add("Reason", "reason", fact(start, "reason"));
  add("Loss accepted", "accept_loss", fact(start, "accept_loss"));
  add("Incomplete services accepted", "accept_open", fact(start, "accept_open"));
  add("Statement", "statement", fact(start, "statement"));
  add("New primary", "host", fact(start, "host"));
  add("Old primary", "primary", fact(start, "primary"));
  add("Service identity", "service", fact(start, "service"));
  add("Epoch", "epoch", fact(start, "epoch"));
  add("Cluster", "cluster", fact(start, "cluster"));
  add("hamn", "version", fact(start, "version"));
  add("Plan", "plan_digest", fact(start, "plan_digest"));
  return {.key = "summary", .title = "Summary", .body = std::move(facts)};
}

base::Section recovery_section(const RunRecord& record) {
  base::FactList facts;
  std::optional<std::int64_t> oldest;
  for (const auto* gate : record.gates) {
    const auto age = fact(*gate, "fact.age_ms");
    if (age.empty()) continue;
    const auto age_ms = number(*gate, "fact.age_ms");
    oldest = std::max(oldest.value_or(0), age_ms);
    const auto id = fact(*gate, "gate");
    auto value =
        duration(age_ms) + " old (allowed: " + duration(number(*gate, "fact.limit_ms")) + ")";
    const auto point = fact(*gate, "fact.point");
    value += point.empty() ? ", generation " + fact(*gate, "fact.generation") + ", as of " +
                                 fact(*gate, "fact.as_of")
                           : ", point " + point + " of " + fact(*gate, "fact.taken");
    facts.items.push_back({.name = id == "database-age" ? "Database" : "Files: " + id.substr(6),
                           .value = value,
                           .key = id});
  }
  const bool refused = record.finished != nullptr && fact(*record.finished, "exit_code") == "5";
  const std::string lost = refused ? ": that much would have been lost"
                                   : ": what changed on the old primary after that is lost";
  facts.items.push_back({.name = refused ? "RPO" : "RPO reached",
                         .value = oldest ? duration(*oldest) + lost : "not known: no age was seen",
                         .key = "rpo"});
  const auto served = std::find_if(record.steps.begin(), record.steps.end(), [](const auto& step) {
    return step.id == "record-role" && (step.result == "done" || step.result == "already_done");
  });
  facts.items.push_back(
      {.name = "RTO reached",
       .value = served == record.steps.end()
                    ? "the takeover is not complete"
                    : duration(served->end_ms) + " from the command to the last verified service",
       .key = "rto"});
  return {.key = "recovery", .title = "Recovery point", .body = std::move(facts)};
}

/// What a gate saw, with the single probes and the reason for passing it all the same.
std::string gate_evidence(const base::Event& gate) {
  std::string evidence = fact(gate, "why");
  for (const auto& [name, value] : gate.facts) {
    const bool is_probe = name == "fact.arp" || name == "fact.ssh" || name == "fact.xcatd";
    if (is_probe) evidence += "\n" + name.substr(5) + ": " + value;
  }
  const auto reason = fact(gate, "override");
  return reason.empty() ? evidence : evidence + "\npassed by --accept-loss: " + reason;
}

base::Section gate_section(const RunRecord& record) {
  base::Table table{.columns = {{"gate", "Gate"}, {"state", "Holds"}, {"why", "Evidence"}},
                    .rows = {}};
  for (const auto* gate : record.gates) {
    const bool holds = fact(*gate, "state") == "done";
    const bool passed = !fact(*gate, "override").empty();
    table.rows.push_back(
        {.cells = {fact(*gate, "title"), holds ? "yes" : "no", gate_evidence(*gate)},
         .mark = holds ? Mark::good : (passed ? Mark::warning : Mark::bad)});
  }
  return {.key = "gates", .title = "Gates", .body = std::move(table)};
}

base::Section step_section(const RunRecord& record) {
  base::Table table{.columns = {{"step", "Step"},
                                {"result", "Result"},
                                {"took", "Took"},
                                {"section", "Section of the xCAT document"},
                                {"why", "Seen"}},
                    .rows = {}};
  for (const auto& step : record.steps) {
    table.rows.push_back({.cells = {step.id + ": " + step.title, step.result,
                                    duration(step.end_ms - step.start_ms), step.section, step.why},
                          .mark = mark_of(step.result)});
  }
  return {.key = "steps", .title = "Steps", .body = std::move(table)};
}

base::Section timeline_section(const RunRecord& record) {
  base::Timeline timeline;
  for (const auto& step : record.steps) {
    if (step.result == "not_executed") continue;
    timeline.bars.push_back({.label = step.id,
                             .start_ms = step.start_ms,
                             .end_ms = step.end_ms,
                             .mark = mark_of(step.result),
                             .note = step.why});
  }
  return {.key = "timeline", .title = "Timeline", .body = std::move(timeline)};
}

/// What a command printed, as far as a table has room for it.
std::string printed_by(const base::Event& ended) {
  constexpr std::size_t shown = 600;
  std::string text;
  for (const auto* stream : {"output", "error_output"}) {
    const auto words = fact(ended, stream);
    if (words.empty()) continue;
    text += "\n" + (words.size() > shown ? words.substr(0, shown) + " …" : words);
  }
  return text;
}

base::Section action_section(const RunRecord& record) {
  base::Table table{.columns = {{"step", "Step"},
                                {"host", "Host"},
                                {"exit_code", "Exit"},
                                {"took", "Took"},
                                {"command", "Command and output"}},
                    .rows = {}};
  for (const auto& [step, events] : record.actions) {
    const auto& [before, after] = events;
    std::string text = fact(*before, "sentence") + "\n" + fact(*before, "command");
    std::string code = "not known";
    std::string took;
    if (after != nullptr) {
      code = fact(*after, "exit_code", "ok");
      if (after->facts.contains("elapsed_ms")) took = duration(number(*after, "elapsed_ms"));
      text += printed_by(*after);
    }
    const bool fine = code == "0" || code == "ok";
    table.rows.push_back({.cells = {step, fact(*before, "host"), code, took, text},
                          .mark = fine ? Mark::good : Mark::warning});
  }
  return {.key = "actions", .title = "Commands", .body = std::move(table)};
}

base::Section follow_up_section(const RunRecord& record, const base::JournalContent& journal) {
  base::Prose prose;
  for (const auto& step : record.steps) {
    if (!step.follow_up.empty()) prose.paragraphs.push_back(step.id + ": " + step.follow_up);
  }
  const auto code = record.finished == nullptr ? "" : fact(*record.finished, "exit_code");
  if (record.finished == nullptr) {
    prose.paragraphs.emplace_back("The run was cut off. Go on with hamn failover.");
  }
  if (code == "1") {
    prose.paragraphs.emplace_back(
        "Nothing is served yet and pushes from the primary are refused. Go on with hamn failover, "
        "or go back with hamn takeover undo.");
  }
  if (code == "0" || code == "4" || code == "6") {
    prose.paragraphs.push_back("There is no standby now. Do not let " +
                               fact(*record.started, "primary") +
                               " come back on the network as it is: boot it without its cable, "
                               "make it a standby (hamn init --role standby --force), then sync to "
                               "it.");
    prose.paragraphs.push_back("The service address is up, but not part of " +
                               fact(*record.started, "host") +
                               "'s network configuration: enter it there, or it is gone after the "
                               "next boot.");
  }
  for (const auto& damage : journal.damage) {
    prose.paragraphs.push_back("The journal is damaged in line " + std::to_string(damage.line) +
                               ": " + damage.reason + ".");
  }
  if (prose.paragraphs.empty()) prose.paragraphs.emplace_back("Nothing.");
  return {.key = "follow_ups", .title = "To be followed up", .body = std::move(prose)};
}

}  // namespace

std::string result_word(const std::string& exit_code) {
  static const std::map<std::string, std::string> words{{"0", "done"},
                                                        {"1", "failed"},
                                                        {"2", "usage"},
                                                        {"3", "locked"},
                                                        {"4", "done with problems"},
                                                        {"5", "refused"},
                                                        {"6", "incomplete"},
                                                        {"130", "interrupted"}};
  const auto found = words.find(exit_code);
  return found == words.end() ? "unfinished" : found->second;
}

std::vector<RunSummary> list_runs(const std::vector<Event>& events) {
  std::vector<RunSummary> runs;
  for (const auto& event : events) {
    if (event.kind == "run_started") {
      runs.push_back({.run = event.run,
                      .started = event.time,
                      .verb = fact(event, "verb"),
                      .host = fact(event, "host"),
                      .result = "unfinished",
                      .headline = "it was cut off; its journal ends in the middle"});
    }
    if (event.kind != "run_finished") continue;
    const auto found = std::find_if(runs.begin(), runs.end(),
                                    [&](const RunSummary& each) { return each.run == event.run; });
    if (found == runs.end()) continue;
    found->result = result_word(fact(event, "exit_code"));
    found->headline = fact(event, "headline");
  }
  return runs;
}

base::Report report_of_run(const base::JournalContent& journal, const std::string& run) {
  const auto record = collect(journal, run);
  const auto& start = *record.started;
  const auto code = record.finished == nullptr ? "" : fact(*record.finished, "exit_code");
  base::Report report;
  report.title = "Failover of " + fact(start, "cluster") + " from " + fact(start, "primary") +
                 " to " + fact(start, "host");
  report.verdict = result_word(code);
  report.mark = code == "0" ? Mark::good : (code == "4" ? Mark::warning : Mark::bad);
  report.headline = record.finished == nullptr
                        ? "The run was cut off. Run hamn failover again: it goes on where it was."
                        : fact(*record.finished, "headline");
  const auto loss = fact(start, "accept_loss");
  if (!loss.empty()) report.headline += " Loss of data was accepted: " + loss;
  report.sections.push_back(summary_section(record));
  report.sections.push_back(recovery_section(record));
  report.sections.push_back(gate_section(record));
  report.sections.push_back(timeline_section(record));
  report.sections.push_back(step_section(record));
  report.sections.push_back(action_section(record));
  report.sections.push_back(follow_up_section(record, journal));
  return report;
}

}  // namespace hamn::takeover
