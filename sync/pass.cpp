#include "sync/pass.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"

namespace hamn::sync {

namespace {

base::Facts facts_of(const SendResult& result) {
  return {{"set", result.set},
          {"generation", std::to_string(result.generation)},
          {"as_of", base::to_text(result.as_of)},
          {"files", std::to_string(result.files)},
          {"bytes", std::to_string(result.bytes)},
          {"files_sent", std::to_string(result.files_sent)},
          {"bytes_sent", std::to_string(result.bytes_sent)},
          {"wire_bytes", std::to_string(result.wire_bytes)},
          {"names_deleted", std::to_string(result.names_deleted)},
          {"problems", std::to_string(result.problem_count)},
          {"elapsed_ms", std::to_string(result.elapsed.count())}};
}

/// The far end's own last words belong into the error: "hamn: command not found".
base::Error with_far_end(const base::Error& error, const std::string& host,
                         const base::Ending& ending) {
  auto text = error.text();
  const auto words = base::trim(ending.error_output);
  if (!words.empty()) text.detail += "\n" + host + " says: " + words;
  if (ending.exit_code == 127) {
    text.hint = "install hamn on " + host + ", or set [ssh] program in /etc/hamn/hamn.toml";
  }
  return base::Error{std::move(text)};
}

}  // namespace

void journal_result(const SendResult& result, base::Journal& journal) {
  if (result.changed || result.problem_count > 0) journal.append("set_synced", facts_of(result));
}

std::vector<SendResult> run_pass(base::Host& receiver, const PassRequest& request,
                                 base::Journal& journal, base::Clock& clock,
                                 base::Progress& progress) {
  std::vector<SendResult> results;
  Connection connection{receiver.open({.argv = request.receive})};
  for (const auto& set : request.sets) {
    const SendRequest one{.set = set,
                          .host = request.host,
                          .run = journal.run(),
                          .epoch = request.epoch,
                          .state_directory = request.state_directory,
                          .accept_emptied = request.accept_emptied,
                          .deletes = request.deletes,
                          .accept_deletions = request.accept_deletions};
    try {
      results.push_back(send_set(connection, one, clock, progress));
    } catch (const PeerRefused&) {
      throw;
    } catch (const base::Error& error) {
      progress.finish();
      if (error.code() == base::Exit::interrupted || error.code() == base::Exit::refused) throw;
      throw with_far_end(error.within("cannot sync " + set.name + " to " + receiver.name()),
                         receiver.name(), connection.abort());
    }
    journal_result(results.back(), journal);
  }
  (void)connection.finish();
  return results;
}

namespace {

constexpr std::size_t shown_problems = 20;

/// Real problems first; of the rest a count per kind.
base::Section problem_section(const std::vector<SendResult>& results) {
  base::Table table{.columns = {{"kind", "Kind"}, {"path", "Path"}, {"detail", "What"}},
                    .rows = {}};
  std::vector<const Problem*> problems;
  for (const auto& result : results) {
    for (const auto& problem : result.problems) problems.push_back(&problem);
  }
  std::stable_partition(problems.begin(), problems.end(),
                        [](const auto* problem) { return !is_note(problem->kind); });
  std::map<std::string, std::uint64_t> left_out;
  for (const auto* problem : problems) {
    if (table.rows.size() >= shown_problems) {
      ++left_out[to_text(problem->kind)];
      continue;
    }
    table.rows.push_back(
        {.cells = {to_text(problem->kind), problem->path, problem->detail},
         .mark = is_note(problem->kind) ? base::Mark::neutral : base::Mark::warning});
  }
  for (const auto& [kind, count] : left_out) {
    table.rows.push_back({.cells = {kind, "and " + base::human_count(count) + " more", ""}});
  }
  return {.key = "problems", .title = "Problems and notes", .body = std::move(table)};
}

}  // namespace

base::Report report_of(const std::vector<SendResult>& results, const std::string& receiver) {
  base::Report report{.title = "Files to " + receiver,
                      .mark = base::Mark::good,
                      .verdict = "done",
                      .headline = receiver + " is up to date.",
                      .sections = {}};
  base::Table sets{.columns = {{"set", "Set"},
                               {"generation", "Generation"},
                               {"files", "Files"},
                               {"bytes", "Size"},
                               {"files_sent", "Sent"},
                               {"bytes_sent", "Content sent"},
                               {"wire_bytes", "On the wire"},
                               {"names_deleted", "Deleted"},
                               {"problems", "Problems"},
                               {"elapsed", "Time"}},
                   .rows = {}};
  std::uint64_t count = 0;
  bool has_any = false;
  for (const auto& result : results) {
    count += result.problem_count;
    has_any = has_any || !result.problems.empty();
    sets.rows.push_back(
        {.cells = {result.set, std::to_string(result.generation), base::human_count(result.files),
                   base::human_size(result.bytes), base::human_count(result.files_sent),
                   base::human_size(result.bytes_sent), base::human_size(result.wire_bytes),
                   base::human_count(result.names_deleted), std::to_string(result.problem_count),
                   base::human_duration(result.elapsed)},
         .mark = result.problem_count > 0 ? base::Mark::warning : base::Mark::good});
  }
  if (count > 0) {
    report.mark = base::Mark::warning;
    report.verdict = "done with problems";
    report.headline =
        base::human_count(count) + " problems: not everything could be brought up to date.";
  }
  report.sections.push_back({.key = "sets", .title = "Sets", .body = std::move(sets)});
  if (has_any) report.sections.push_back(problem_section(results));
  return report;
}

}  // namespace hamn::sync
