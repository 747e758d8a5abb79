#include "takeover/database.h"

#include "base/text.h"
#include "takeover/services.h"

namespace hamn::takeover {

namespace {

using base::State;

}  // namespace

base::Finding StopXcatd::check() {
  if (read_note(context_, serving_note)) {
    return {.state = State::done, .why = "the database is in charge here already", .facts = {}};
  }
  // One that is "activating" would come up on the tables while they are replaced.
  const auto state = base::trim(context_.local()
                                    .run({.argv = {"systemctl", "show", "--property=ActiveState",
                                                   "--value", context_.site.units.xcatd}})
                                    .output);
  if (state != "inactive" && state != "failed") {
    return {
        .state = State::due,
        .why = "xcatd is " + (state.empty() ? "in an unknown state" : state) + " on this standby",
        .facts = {}};
  }
  // A daemon that was started outside systemd (restartxcatd does that) holds the port all the same.
  const auto port = context_.probes.port("127.0.0.1", 3001, std::chrono::milliseconds{300}, false);
  if (port == PortAnswer::connected || port == PortAnswer::spoke) {
    return {.state = State::blocked,
            .why =
                "an xcatd that systemd does not know answers at port 3001; end it by hand: "
                "pgrep -f 'xcatd: SSL listener'",
            .facts = {}};
  }
  return {.state = State::done, .why = "xcatd is stopped", .facts = {}};
}

base::Plan StopXcatd::plan(const base::Finding& /*found*/) const {
  base::Plan plan;
  plan.add(base::run_on(context_.here, "Stop xcatd",
                        {.argv = {"systemctl", "stop", context_.site.units.xcatd},
                         .time_limit = std::chrono::minutes{2}}));
  return plan;
}

base::Finding PromoteDatabase::check() {
  std::string differences;
  // A note is no proof: until xcatd may have written to the tables they are compared. After that
  // they rightly differ, and replacing them would lose what nodes wrote.
  if (const auto note = read_note(context_, promoted_note)) {
    const base::Finding done{.state = State::done,
                             .why = "recovery point " + note->at("id") + " is in charge",
                             .facts = *note};
    if (read_note(context_, serving_note)) return done;
    const auto seen = context_.driver.inspect_promoted(context_.local(), *note);
    if (seen.state == State::done) return done;
    differences = seen.why;
  }
  auto points = context_.driver.inspect_points(context_.local());
  if (points.state != State::done) {
    return {.state = State::blocked, .why = points.why, .facts = points.facts};
  }
  points.state = State::due;
  points.why =
      "recovery point " + points.facts.at("id") + " of " + points.facts.at("taken") + " waits";
  if (!differences.empty()) points.why = differences;
  // What moves with the clock would make every look another plan.
  points.facts.erase("now");
  points.facts.erase("age");
  return points;
}

base::Plan PromoteDatabase::plan(const base::Finding& found) const {
  auto points = found;
  points.state = State::done;
  auto plan = context_.driver.promote(points);
  plan.add(base::write_on(context_.here, "Write down which recovery point is in charge",
                          note_file(context_, promoted_note, found.facts)));
  return plan;
}

base::Plan PromoteDatabase::undo(const base::Finding& before) const {
  auto plan = context_.driver.undo_promote(before.facts);
  plan.add(base::run_on(context_.here, "Forget the note",
                        {.argv = {"rm", "-f", note_path(context_, promoted_note)}}));
  return plan;
}

base::Finding RepointDatabase::check() {
  // xCAT falls back to SQLite files of old when its pointer is missing (xCAT 2.19, Table.pm): what
  // it would open has to be the kind of database that was promoted.
  const auto location =
      dbrepl::find_database(context_.local(), "/etc/xcat/cfgloc", context_.site.xcat_root);
  if (dbrepl::to_text(location.engine) != context_.driver.name()) {
    return {.state = State::blocked,
            .why = "xCAT would open " + dbrepl::to_text(location.engine) + " (" + location.origin +
                   ") although " + std::string{context_.driver.name()} +
                   " was replicated; put /etc/xcat/cfgloc in place",
            .facts = {}};
  }
  const auto plan = context_.driver.repoint({.hostname = context_.site.service.hostname,
                                             .address = context_.site.service.address.address});
  if (plan.actions.empty()) {
    return {.state = State::not_applicable,
            .why = std::string{context_.driver.name()} + " does not know addresses",
            .facts = {}};
  }
  return {.state = State::due, .why = "it still answers to the old address", .facts = {}};
}

base::Plan RepointDatabase::plan(const base::Finding& /*found*/) const {
  return context_.driver.repoint({.hostname = context_.site.service.hostname,
                                  .address = context_.site.service.address.address});
}

}  // namespace hamn::takeover
