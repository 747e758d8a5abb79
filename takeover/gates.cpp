#include "takeover/gates.h"

#include "base/text.h"
#include "sync/receiver.h"
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
      return {.state = State::done, .why = context_.here + " is in the middle of this takeover",
              .facts = facts};
    case base::RoleName::primary:
      return {.state = State::blocked,
              .why = context_.here + " is the primary already, since " + base::to_text(role.since) +
                     ". There is nothing to take over.",
              .facts = facts};
    case base::RoleName::deposed:
      return {.state = State::blocked,
              .why = context_.here + " was deposed and is not current. Next: make it a standby "
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
    return answer(State::unknown, "this host's own network link is down, so nothing can be said "
                                  "about " + primary + ". Next: ip link; check the cable");
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
                      facts["arp"] + "; ssh " + facts["ssh"] + "). It would have to be off. Next: "
                      "switch its power off by hand, or configure [[fence]]");
  }
  if (statement.empty()) {
    return answer(State::blocked,
                  primary + " is silent, but silence is no proof that it is off, and no [[fence]] "
                  "is configured. Next: go and see; if it is off: hamn failover --primary-is-off=" +
                      primary);
  }
  return answer(State::done, primary + " is silent, and it was stated: " + statement);
}

base::Finding PrimaryDownGate::look() {
  if (const auto note = read_note(context_, primary_off_note)) {
    return {.state = State::done, .why = "recorded earlier in this takeover: " + note->at("evidence"),
            .facts = {}};
  }
  const auto& host = context_.site.host(context_.primary);
  const bool moved = host.address == context_.site.service.address.address &&
                     context_.holds_service_address();
  const auto evidence =
      look_at_host(context_.probes, context_.interface(), host.address, moved);
  if (moved) {
    return {.state = State::unknown,
            .why = "its address is on this host although nothing of a takeover is recorded. Next: "
                   "find out how it came here: ip address",
            .facts = facts_of(evidence)};
  }
  return judge_primary(evidence, context_.primary, !context_.site.fences.empty(),
                       context_.statement);
}

base::Finding judge_age(const std::string& what, base::Milliseconds age,
                        base::Milliseconds limit) {
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

base::Finding DatabaseAgeGate::look() {
  auto found = context_.driver.inspect_points(context_.local());
  if (found.state != State::done) return found;
  const auto taken = base::parse_wall_time(found.facts.at("taken"));
  if (!taken) return {.state = State::unknown, .why = "its time cannot be read", .facts = {}};
  auto answer = judge_age("recovery point " + found.facts.at("id"),
                          base::age(*taken, context_.started), context_.site.database.max_age);
  answer.facts["point"] = found.facts.at("id");
  answer.facts["taken"] = found.facts.at("taken");
  return answer;
}

FileSetAgeGate::FileSetAgeGate(const Context& context, const base::FileSetSettings& set)
    : context_(context), set_(set), id_("files-" + set.name) {}

base::Finding FileSetAgeGate::look() {
  const auto path = sync::receiver_index_path(context_.site.state_directory, set_.name);
  const auto state = sync::read_index_state(path);
  if (!state) {
    return {.state = State::blocked,
            .why = "nothing of it was ever received. Next: if it can be done without: hamn failover "
                   "--accept-loss \"reason\"",
            .facts = {}};
  }
  if (!state->complete) {
    return {.state = State::blocked,
            .why = "its first copy was never finished. Next: if it can be done without: hamn "
                   "failover --accept-loss \"reason\"",
            .facts = {}};
  }
  auto answer = judge_age("the copy", base::age(state->as_of, context_.started), set_.max_age);
  answer.facts["generation"] = std::to_string(state->generation);
  answer.facts["as_of"] = base::to_text(state->as_of);
  answer.facts["files"] = std::to_string(state->files);
  answer.facts["bytes"] = std::to_string(state->bytes);
  return answer;
}

}  // namespace hamn::takeover
