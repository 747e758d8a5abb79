#include "dbrepl/sqlite_driver.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "dbrepl/inspection.h"

namespace hamn::dbrepl {

namespace {

constexpr base::Milliseconds look_limit = std::chrono::minutes{2};
constexpr base::Milliseconds work_limit = std::chrono::minutes{5};
constexpr base::Milliseconds ship_limit = std::chrono::minutes{30};

std::string fact(const base::Facts& facts, const std::string& name) {
  const auto found = facts.find(name);
  return found == facts.end() ? std::string{} : found->second;
}

std::optional<PointNumber> number(const base::Facts& facts, const std::string& prefix) {
  const auto epoch = base::parse_unsigned(fact(facts, prefix + "epoch"));
  const auto generation = base::parse_unsigned(fact(facts, prefix + "generation"));
  if (!epoch || !generation) return std::nullopt;
  return PointNumber{.epoch = *epoch, .generation = *generation};
}

void add_number(base::Facts& facts, const std::string& prefix, const PointSummary& point) {
  facts[prefix + "epoch"] = std::to_string(point.epoch);
  facts[prefix + "generation"] = std::to_string(point.generation);
}

/// How long ago the primary equalled the point, by the primary's clock on both sides.
std::optional<base::Milliseconds> age_seen_from_primary(const Replica& seen) {
  const auto taken = base::parse_wall_time(fact(seen.standby.facts, "taken"));
  const auto now = base::parse_wall_time(fact(seen.primary.facts, "now"));
  if (!taken || !now) return std::nullopt;
  return base::age(*taken, *now);
}

/// The generation that the next snapshot has to exceed, where the primary would not come to it by
/// itself: it lost its own last snapshot, or counted anew.
std::optional<std::uint64_t> generation_to_exceed(const Replica& seen) {
  const auto highest = number(seen.standby.facts, "highest_");
  if (!highest) return std::nullopt;
  const auto own = number(seen.primary.facts, "snapshot_");
  if (own && own->epoch != highest->epoch) return std::nullopt;
  const bool same_content =
      fact(seen.primary.facts, "snapshot_content") == fact(seen.standby.facts, "highest_content");
  if (own && (*highest < *own || (*own == *highest && same_content))) return std::nullopt;
  return highest->generation;
}

std::string join_problems(const std::vector<PointSummary>& points) {
  std::vector<std::string> problems;
  for (const auto& point : points) {
    if (!point.problem.empty()) problems.push_back(point.id + ": " + point.problem);
  }
  return base::join(problems, "; ");
}

base::Facts facts_of(const KeptPoints& kept) {
  base::Facts facts{{"points", std::to_string(kept.points.size())},
                    {"now", base::to_text(kept.now)}};
  const auto damaged = join_problems(kept.points);
  if (!damaged.empty()) facts["damaged"] = damaged;
  const auto highest = std::find_if(kept.points.begin(), kept.points.end(),
                                    [](const PointSummary& point) { return point.generation > 0; });
  if (highest != kept.points.end()) {
    add_number(facts, "highest_", *highest);
    facts["highest_content"] = highest->content;
  }
  return facts;
}

}  // namespace

SqliteDriver::SqliteDriver(ReplicationContext context) : context_(std::move(context)) {}

base::Command SqliteDriver::hamn(const std::vector<std::string>& arguments,
                                 base::Milliseconds time_limit) const {
  base::Command command{.argv = context_.program, .time_limit = time_limit};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

std::string SqliteDriver::ask(base::Host& host, const std::vector<std::string>& arguments) const {
  const auto command = hamn(arguments, look_limit);
  auto outcome = host.run(command);
  if (outcome.succeeded() && !outcome.truncated) return std::move(outcome.output);
  throw base::Error{{.what = "cannot look at the database on " + host.name(),
                     .detail = to_text(command) + " " + base::describe(outcome, command),
                     .hint = "run that command by hand on " + host.name()}};
}

base::Finding SqliteDriver::inspect_live(base::Host& host) {
  const auto live = parse_live(ask(host, {"db", "inspect", "--json"}), host.name());
  base::Finding finding{.state = live.healthy ? base::State::done : base::State::blocked,
                        .why = live.healthy ? std::to_string(live.tables) + " tables in " +
                                                  live.directory + " on " + host.name()
                                            : "on " + host.name() + ", " + live.problem,
                        .facts = {{"engine", live.engine},
                                  {"directory", live.directory},
                                  {"position", live.position},
                                  {"tables", std::to_string(live.tables)},
                                  {"now", base::to_text(live.now)}}};
  if (live.snapshot) {
    add_number(finding.facts, "snapshot_", *live.snapshot);
    finding.facts["snapshot_content"] = live.snapshot->content;
  }
  return finding;
}

base::Finding SqliteDriver::inspect_points(base::Host& host) {
  const auto kept = parse_points(ask(host, {"db", "points", "--json"}), host.name());
  base::Finding finding{.state = base::State::due, .why = {}, .facts = facts_of(kept)};
  const auto good = std::find_if(kept.points.begin(), kept.points.end(),
                                 [](const PointSummary& point) { return point.problem.empty(); });
  if (good == kept.points.end()) {
    finding.why = host.name() + " has no recovery point of the database";
    if (!kept.points.empty()) {
      finding.state = base::State::blocked;
      finding.why += " that can be used: " + join_problems(kept.points);
    }
    return finding;
  }
  finding.state = base::State::done;
  finding.why = host.name() + " has " + good->id + ", equal to " + good->host + " at " +
                base::to_text(good->taken);
  finding.facts["id"] = good->id;
  finding.facts["host"] = good->host;
  finding.facts["taken"] = base::to_text(good->taken);
  finding.facts["age"] = base::human_duration(base::age(good->taken, kept.now));
  finding.facts["position"] = good->position;
  finding.facts["content"] = good->content;
  finding.facts["tables"] = std::to_string(good->tables.size());
  add_number(finding.facts, "", *good);
  return finding;
}

base::Finding SqliteDriver::inspect_promoted(base::Host& host, const base::Facts& promoted_from) {
  const auto id = fact(promoted_from, "id");
  if (id.empty()) {
    throw base::Error{
        {.what = "cannot tell whether the database on " + host.name() + " was put in charge",
         .detail = "no recovery point was named",
         .hint = "see which there are: hamn db points"}};
  }
  const auto comparison =
      parse_comparison(ask(host, {"db", "compare", "--point", id, "--json"}), host.name());
  if (comparison.equal) {
    return {.state = base::State::done,
            .why = "the tables on " + host.name() + " hold exactly " + id,
            .facts = {{"id", id}}};
  }
  const auto& found = comparison.differences;
  const std::vector<std::string> shown{
      found.begin(),
      found.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(found.size(), 5))};
  return {.state = base::State::due,
          .why = "the tables on " + host.name() + " differ from " + id + " in " +
                 std::to_string(found.size()) + ": " + base::join(shown, "; "),
          .facts = {{"id", id}, {"differences", base::join(found, "; ")}}};
}

void SqliteDriver::check_known(const Replica& seen) const {
  const bool standby_known = seen.standby.state != base::State::unknown;
  if (seen.primary.state == base::State::done && standby_known) return;
  const auto& side = seen.primary.state == base::State::done ? seen.standby : seen.primary;
  const auto& name = &side == &seen.standby ? context_.standby : context_.primary;
  throw base::Error{{.what = "cannot bring the database on " + context_.standby + " up to date",
                     .detail = side.why,
                     .hint = "look there: hamn db inspect (on " + name + ")"}};
}

base::Plan SqliteDriver::ship(const Replica& seen) const {
  std::vector<std::string> snapshot{"db", "snapshot"};
  if (const auto generation = generation_to_exceed(seen)) {
    snapshot.insert(snapshot.end(), {"--after", std::to_string(*generation)});
  }
  base::Plan plan;
  plan.add(base::run_on(context_.primary, "Copy the database at one moment",
                        hamn(snapshot, work_limit)));
  plan.add(base::run_on(context_.primary, "Ship the copy to " + context_.standby,
                        hamn({"sync", "run", "--set", "database"}, ship_limit)));
  plan.add(base::run_on(context_.standby, "Verify the copy and keep it as a recovery point",
                        hamn({"db", "accept"}, work_limit)));
  return plan;
}

base::Plan SqliteDriver::seed(const Replica& seen) const {
  check_known(seen);
  return ship(seen);
}

base::Plan SqliteDriver::catch_up(const Replica& seen) const {
  check_known(seen);
  const auto shipped = number(seen.standby.facts, "");
  const auto position = fact(seen.primary.facts, "position");
  const auto age = age_seen_from_primary(seen);
  const bool current = seen.standby.state == base::State::done && !position.empty() &&
                       position == fact(seen.standby.facts, "position") && shipped &&
                       shipped == number(seen.primary.facts, "snapshot_") && age &&
                       *age <= context_.fresh_for;
  return current ? base::Plan{} : ship(seen);
}

base::Plan SqliteDriver::promote(const base::Finding& points) const {
  const auto id = fact(points.facts, "id");
  if (points.state != base::State::done || id.empty()) {
    throw base::Error{
        {.what = "cannot put a database in charge on " + context_.standby,
         .detail = points.why,
         .hint = "see what copies there are: hamn db points (on " + context_.standby + ")",
         .code = base::Exit::refused}};
  }
  base::Plan plan;
  plan.add(base::run_on(context_.standby, "Put the tables of " + id + " in charge",
                        hamn({"db", "swap-in", "--point", id}, work_limit)));
  return plan;
}

base::Plan SqliteDriver::undo_promote(const base::Facts& promoted_from) const {
  base::Plan plan;
  if (fact(promoted_from, "id").empty()) return plan;
  plan.add(base::run_on(context_.standby, "Bring back the tables that were there before",
                        hamn({"db", "swap-back"}, work_limit)));
  return plan;
}

base::Plan SqliteDriver::demote(const base::Finding& /*live*/) const {
  return {};
}

base::Plan SqliteDriver::repoint(const NewIdentity& /*identity*/) const {
  return {};
}

base::Plan SqliteDriver::verify(const base::Finding& points) const {
  const auto id = fact(points.facts, "id");
  base::Plan plan;
  if (id.empty()) return plan;
  plan.add(base::run_on(context_.standby, "Check every table of " + id,
                        hamn({"db", "verify", "--point", id}, work_limit)));
  return plan;
}

}  // namespace hamn::dbrepl
