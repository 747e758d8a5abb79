#include "takeover/gates.h"

#include "base/text.h"
#include "sync/index.h"
#include "sync/receiver.h"
#include "takeover/database.h"
#include "takeover/fence.h"

namespace hamn::takeover {

namespace {

using base::State;

}  // namespace

base::Finding StandbyGate::look() {
  const auto text = context_.local().read(context_.role_path(), 1U << 16U);
  if (!text) {
    return {.state = State::blocked,
            .why = "hamn was never set up on " + context_.here + ". Next: hamn init --role standby",
            .facts = {}};
  }
  const auto role = base::parse_role(*text, context_.role_path());
  base::Facts facts{{"role", base::to_text(role.name)}, {"epoch", std::to_string(role.epoch)}};
  switch (role.name) {
    case base::RoleName::standby:
      return {.state = State::done, .why = context_.here + " is the standby", .facts = facts};
    case base::RoleName::promoting:
      return {.state = State::done,
              .why = context_.here + " is in the middle of this takeover",
              .facts = facts};
    case base::RoleName::primary:
      return {.state = State::blocked,
              .why = context_.here + " is the primary already, since " + base::to_text(role.since) +
                     ". There is nothing to take over.",
              .facts = facts};
    case base::RoleName::deposed:
      return {.state = State::blocked,
              .why = context_.here +
                     " was deposed and is not current. Next: make it a standby "
                     "again and sync: hamn init --role standby",
              .facts = facts};
  }
  return {.state = State::unknown, .why = "unknown role", .facts = facts};
}

base::Finding judge_primary(const Evidence& evidence, const std::string& primary,
                            bool can_be_fenced, const std::string& statement) {
  auto facts = facts_of(evidence);
  const auto answer = [&](State state, const std::string& why) {
    return base::Finding{.state = state, .why = why, .facts = facts};
  };
  if (!evidence.own_link) {
    return answer(State::unknown,
                  "this host's own network link is down, so nothing can be said "
                  "about " +
                      primary + ". Next: ip link; check the cable");
  }
  const auto liveness = classify(evidence);
  if (liveness == Liveness::alive) {
    return answer(State::blocked,
                  primary + " is alive (ssh " + facts["ssh"] + "; xcatd " + facts["xcatd"] +
                      "). Two management nodes would destroy the cluster. It would have to be off. "
                      "Next: shut it down or switch its power off, then run this again");
  }
  if (can_be_fenced) {
    return answer(State::done, primary + " is " + to_text(liveness) +
                                   "; it is switched off and its power state read before anything "
                                   "else happens");
  }
  if (liveness == Liveness::mostly_dead) {
    return answer(State::blocked,
                  primary + " is mostly dead: its services are down but its kernel answers (arp " +
                      facts["arp"] + "; ssh " + facts["ssh"] +
                      "). It would have to be off. Next: "
                      "switch its power off by hand, or configure [[fence]]");
  }
  if (statement.empty()) {
    return answer(
        State::blocked,
        primary +
            " is silent, but silence is no proof that it is off, and no [[fence]] "
            "is configured. Next: go and see; if it is off: hamn failover --primary-is-off=" +
            primary);
  }
  return answer(State::done, primary + " is silent, and it was stated: " + statement);
}

base::Finding PrimaryDownGate::look() {
  const auto note = read_note(context_, primary_off_note);
  const auto& host = context_.site.host(context_.primary);
  const bool moved =
      host.address == context_.site.service.address.address && context_.holds_service_address();
  const auto evidence = look_at_host(context_.probes, context_.interface(), host.address, moved);
  // A note of an earlier run counts only as long as nothing speaks against it.
  if (note && (moved || classify(evidence) == Liveness::silent)) {
    return {.state = State::done,
            .why = "recorded earlier in this takeover: " + note->at("evidence"),
            .facts = facts_of(evidence)};
  }
  if (moved) {
    return {.state = State::unknown,
            .why =
                "its address is on this host although nothing of a takeover is recorded. Next: "
                "find out how it came here: ip address",
            .facts = facts_of(evidence)};
  }
  return judge_primary(evidence, context_.primary, !context_.site.fences.empty(),
                       context_.statement);
}

base::Finding judge_age(const std::string& what, base::Milliseconds age, base::Milliseconds limit) {
  base::Facts facts{{"age_ms", std::to_string(age.count())},
                    {"limit_ms", std::to_string(limit.count())}};
  const auto text = what + " is " + base::human_duration(age) + " old";
  if (age <= limit) return {.state = State::done, .why = text, .facts = facts};
  return {.state = State::blocked,
          .why = text + ", more than the " + base::human_duration(limit) +
                 " that are allowed; what changed since is lost. Next: if that is acceptable: hamn "
                 "failover --accept-loss \"reason\"",
          .facts = facts};
}

base::Finding judge_time(const std::string& what, base::WallTime made, base::WallTime now,
                         base::Milliseconds limit) {
  if (!base::is_ahead(made, now)) return judge_age(what, base::age(made, now), limit);
  return {
      .state = State::blocked,
      .why = what + " is of " + base::to_text(made) + ", but here it is only " +
             base::to_text(now) +
             ": how old it is cannot be told. Next: set the clock of this host (date), then run "
             "this again",
      .facts = {}};
}

base::Finding AddressFreeGate::look() {
  const auto& address = context_.site.service.address.address;
  if (context_.holds_service_address()) {
    return {.state = State::done, .why = address + " is on this host already", .facts = {}};
  }
  const bool is_stated = context_.site.fences.empty() && !context_.statement.empty();
  if (!is_stated && !read_note(context_, primary_off_note) && !is_read_off(context_)) {
    return {.state = State::done,
            .why = "looked at once " + context_.primary + " is known to be off",
            .facts = {}};
  }
  const auto owner =
      context_.probes.arp(context_.interface(), address, context_.site.takeover.address_probe);
  if (!owner) return {.state = State::done, .why = "nobody answers for " + address, .facts = {}};
  return {.state = State::blocked,
          .why = *owner + " answers for " + address + " although " + context_.primary +
                 " is off. Next: find that host and take it off the network",
          .facts = {{"mac", *owner}}};
}

namespace {

/// What is decided about loss is decided when pushes are frozen: a run that is resumed later loses
/// nothing more. Once the recovery point is in charge, going on is the only way.
base::WallTime moment_of_decision(const Context& context) {
  const auto text = context.local().read(context.role_path(), 1U << 16U);
  if (!text) return context.started;
  const auto role = base::parse_role(*text, context.role_path());
  return role.name == base::RoleName::promoting ? role.since : context.started;
}

base::Finding settle(const Context& context, base::Finding found) {
  if (found.state == State::blocked && read_note(context, promoted_note)) {
    found.state = State::done;
    found.why =
        found.why.substr(0, found.why.find(". Next:")) + "; decided earlier in this takeover";
  }
  return found;
}

}  // namespace

base::Finding DatabaseAgeGate::look() {
  auto found = context_.driver.inspect_points(context_.local());
  if (found.state != State::done) {
    // Without a copy there is no loss that could be accepted.
    if (found.state == State::blocked) found.state = State::due;
    found.why += ". Next: hamn db points";
    return found;
  }
  const auto taken = base::parse_wall_time(found.facts.at("taken"));
  if (!taken) return {.state = State::unknown, .why = "its time cannot be read", .facts = {}};
  auto answer = judge_time("recovery point " + found.facts.at("id"), *taken,
                           moment_of_decision(context_), context_.site.database.max_age);
  answer.facts["point"] = found.facts.at("id");
  answer.facts["taken"] = found.facts.at("taken");
  return settle(context_, answer);
}

FileSetAgeGate::FileSetAgeGate(const Context& context, const base::FileSetSettings& set)
    : context_(context), set_(set), id_("files-" + set.name) {}

base::Finding FileSetAgeGate::look() {
  const auto path = sync::receiver_index_path(context_.site.state_directory, set_.name);
  std::optional<sync::IndexState> state;
  std::string damage;
  try {
    state = sync::read_index_state(path);
  } catch (const sync::IndexDamaged& error) {
    damage =
        std::string{"how old the copy is cannot be told: "} + error.what() + ": " + error.detail();
  }
  if (!state || !state->complete) {
    const std::string why = !damage.empty() ? damage
                            : state         ? "its first copy was never finished"
                                            : "nothing of it was ever received";
    return settle(context_, {.state = State::blocked,
                             .why = why + ". Next: if it can be done without: hamn failover "
                                          "--accept-loss \"reason\"",
                             .facts = {}});
  }
  auto answer = judge_time("the copy", state->as_of, moment_of_decision(context_), set_.max_age);
  answer.facts["generation"] = std::to_string(state->generation);
  answer.facts["as_of"] = base::to_text(state->as_of);
  answer.facts["files"] = std::to_string(state->files);
  answer.facts["bytes"] = std::to_string(state->bytes);
  return settle(context_, answer);
}

}  // namespace hamn::takeover
