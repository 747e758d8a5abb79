#include <gtest/gtest.h>

#include "base/text.h"
#include "takeover/evidence.h"
#include "takeover/gates.h"

namespace hamn::takeover {
namespace {

using base::State;
using namespace std::chrono_literals;

constexpr PortAnswer every_answer[] = {PortAnswer::spoke, PortAnswer::connected,
                                       PortAnswer::refused, PortAnswer::no_answer,
                                       PortAnswer::unreachable};

Evidence seen(std::optional<std::string> arp, PortAnswer ssh, PortAnswer xcatd) {
  return {.own_link = true,
          .address_is_here = false,
          .arp = std::move(arp),
          .ssh = ssh,
          .xcatd = xcatd};
}

/// The table, written down a second time in other words.
Liveness expected(bool arp, PortAnswer ssh, PortAnswer xcatd) {
  if (ssh == PortAnswer::spoke) return Liveness::alive;
  const bool xcatd_accepts = xcatd == PortAnswer::spoke || xcatd == PortAnswer::connected;
  const bool ssh_hangs = ssh == PortAnswer::connected;
  if (xcatd_accepts && !ssh_hangs) return Liveness::alive;
  const bool nothing = !arp && (ssh == PortAnswer::no_answer || ssh == PortAnswer::unreachable) &&
                       (xcatd == PortAnswer::no_answer || xcatd == PortAnswer::unreachable);
  return nothing ? Liveness::silent : Liveness::mostly_dead;
}

TEST(ClassifyTest, KnowsEveryCombinationOfAnswers) {
  for (const bool arp : {false, true}) {
    for (const auto ssh : every_answer) {
      for (const auto xcatd : every_answer) {
        const auto mac = arp ? std::optional<std::string>{"02:00:00:00:00:0b"} : std::nullopt;
        EXPECT_EQ(to_text(classify(seen(mac, ssh, xcatd))), to_text(expected(arp, ssh, xcatd)))
            << "arp " << arp << ", ssh " << to_text(ssh) << ", xcatd " << to_text(xcatd);
        auto blind = seen(mac, ssh, xcatd);
        blind.own_link = false;
        EXPECT_EQ(classify(blind), Liveness::unknown);
        auto self = seen(mac, ssh, xcatd);
        self.address_is_here = true;
        EXPECT_EQ(classify(self), Liveness::unknown);
      }
    }
  }
}

TEST(ClassifyTest, TakesOnlyAHostThatAnswersNothingAtAllForSilent) {
  EXPECT_EQ(classify(seen({}, PortAnswer::no_answer, PortAnswer::unreachable)), Liveness::silent);
  EXPECT_EQ(classify(seen("02:…", PortAnswer::no_answer, PortAnswer::no_answer)),
            Liveness::mostly_dead);
  EXPECT_EQ(classify(seen({}, PortAnswer::refused, PortAnswer::no_answer)), Liveness::mostly_dead);
}

struct Judgement {
  Evidence evidence;
  bool can_be_fenced;
  std::string statement;
  State state;
  std::string why;
};

const std::string mac = "02:00:00:00:00:0b";

const std::vector<Judgement> judgements{
    {seen(mac, PortAnswer::spoke, PortAnswer::connected), true, "mn1 is off", State::blocked,
     "mn1 is alive (ssh answers; xcatd accepts connections but says nothing). Two management nodes "
     "would destroy the cluster. It would have to be off. Next: shut it down or switch its power "
     "off, then run this again"},
    {seen(mac, PortAnswer::connected, PortAnswer::no_answer), true, "", State::done,
     "mn1 is mostly dead; it is switched off and its power state read before anything else "
     "happens"},
    {seen({}, PortAnswer::no_answer, PortAnswer::no_answer), true, "", State::done,
     "mn1 is silent; it is switched off and its power state read before anything else happens"},
    {seen(mac, PortAnswer::connected, PortAnswer::no_answer), false, "mn1 is off", State::blocked,
     "mn1 is mostly dead: its services are down but its kernel answers (arp answered by "
     "02:00:00:00:00:0b; ssh accepts connections but says nothing). It would have to be off. Next: "
     "switch its power off by hand, or configure [[fence]]"},
    {seen({}, PortAnswer::no_answer, PortAnswer::no_answer), false, "", State::blocked,
     "mn1 is silent, but silence is no proof that it is off, and no [[fence]] is configured. Next: "
     "go and see; if it is off: hamn failover --primary-is-off=mn1"},
    {seen({}, PortAnswer::no_answer, PortAnswer::no_answer), false, "mn1 is off", State::done,
     "mn1 is silent, and it was stated: mn1 is off"},
    {{},
     true,
     "mn1 is off",
     State::unknown,
     "this host's own network link is down, so nothing can be said about mn1. Next: ip link; check "
     "the cable"}};

TEST(JudgePrimaryTest, SaysWhyAndWhatToDoNext) {
  for (const auto& each : judgements) {
    const auto found = judge_primary(each.evidence, "mn1", each.can_be_fenced, each.statement);
    EXPECT_EQ(found.why, each.why);
    EXPECT_EQ(base::to_text(found.state), base::to_text(each.state)) << each.why;
    EXPECT_EQ(found.facts.at("verdict"), to_text(classify(each.evidence)));
  }
}

TEST(JudgePrimaryTest, NeverPassesAnAlivePrimaryAndNeverSilenceWithoutProof) {
  for (const auto ssh : every_answer) {
    for (const auto xcatd : every_answer) {
      for (const auto& arp : {std::optional<std::string>{}, std::optional<std::string>{mac}}) {
        const auto evidence = seen(arp, ssh, xcatd);
        for (const bool fence : {false, true}) {
          for (const auto* statement : {"", "mn1 is off"}) {
            const auto state = judge_primary(evidence, "mn1", fence, statement).state;
            const auto liveness = classify(evidence);
            const bool may_pass = liveness != Liveness::alive &&
                                  (fence || (liveness == Liveness::silent && *statement != '\0'));
            EXPECT_EQ(state == State::done, may_pass)
                << to_text(liveness) << ", fence " << fence << ", statement " << statement;
          }
        }
      }
    }
  }
}

TEST(JudgeAgeTest, AllowsTheLimitItselfAndNothingBeyond) {
  const auto young = judge_age("the copy", 1h, 1h);
  EXPECT_EQ(young.state, State::done);
  EXPECT_EQ(young.why, "the copy is 1 h old");
  EXPECT_EQ(young.facts, (base::Facts{{"age_ms", "3600000"}, {"limit_ms", "3600000"}}));
  const auto old = judge_age("recovery point p1", 9h, 1h);
  EXPECT_EQ(old.state, State::blocked);
  EXPECT_EQ(old.why,
            "recovery point p1 is 9 h old, more than the 1 h that are allowed; what changed since "
            "is lost. Next: if that is acceptable: hamn failover --accept-loss \"reason\"");
  EXPECT_EQ(judge_age("it", 0ms, 0ms).state, State::done);
}

TEST(EvidenceTest, SaysWhatWasSeenInWords) {
  EXPECT_EQ(facts_of(seen({}, PortAnswer::unreachable, PortAnswer::refused)),
            (base::Facts{{"verdict", "mostly dead"},
                         {"own_link", "up"},
                         {"arp", "no answer"},
                         {"ssh", "no way there"},
                         {"xcatd", "refused by a running host"}}));
  EXPECT_EQ(facts_of({.own_link = true, .address_is_here = true, .arp = {}}),
            (base::Facts{
                {"verdict", "unknown"}, {"own_link", "up"}, {"address", "already on this host"}}));
}

}  // namespace
}  // namespace hamn::takeover
