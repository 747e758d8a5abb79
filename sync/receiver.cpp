#include "sync/receiver.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/lock.h"
#include "base/role.h"
#include "base/text.h"
#include "sync/bytes.h"
#include "sync/set_receiver.h"

namespace hamn::sync {

namespace {

/// Ends a pass before it began.
struct Refused {
  Refusal refusal;
};

Refusal refusal_of(const base::Error& error) {
  return {.code = static_cast<std::uint8_t>(error.code()),
          .deposed = false,
          .epoch = 0,
          .what = error.what(),
          .detail = error.detail(),
          .hint = error.hint()};
}

/// Why this host does not receive from that sender; nothing if it does. Pure.
std::optional<Refusal> judge(const Hello& hello, const std::optional<base::Role>& role,
                             const std::string& host) {
  Refusal refusal{.code = static_cast<std::uint8_t>(base::Exit::refused),
                  .deposed = false,
                  .epoch = role ? role->epoch : 0,
                  .what = {},
                  .detail = {},
                  .hint = {}};
  if (hello.protocol != protocol_version) {
    refusal.what = host + " speaks another version of the protocol";
    refusal.detail = "it knows " + std::to_string(protocol_version) + ", the sender " +
                     std::to_string(hello.protocol);
    refusal.hint = "install the same version of hamn on both hosts";
  } else if (!role) {
    refusal.what = host + " is not set up to receive";
    refusal.detail = "it has no role yet";
    refusal.hint = "on " + host + " run: hamn init --role standby";
  } else if (hello.epoch < role->epoch) {
    refusal.deposed = true;
    refusal.what = host + " refuses files from a deposed primary";
    refusal.detail = "the cluster is in epoch " + std::to_string(role->epoch) + ", " + hello.host +
                     " in epoch " + std::to_string(hello.epoch);
    refusal.hint = "a takeover happened; " + hello.host + " must not push any more: hamn status";
  } else if (role->name != base::RoleName::standby) {
    refusal.what = host + " is not a standby";
    refusal.detail = "its role is " + base::to_text(role->name);
    refusal.hint = "find out which host is in charge: hamn status on both";
  } else {
    return std::nullopt;
  }
  return refusal;
}

const FileSet& find_set(const ReceiverPolicy& policy, const Hello& hello) {
  const auto found = std::find_if(policy.sets.begin(), policy.sets.end(),
                                  [&](const FileSet& set) { return set.name == hello.set; });
  const auto refuse = [&](const std::string& what, const std::string& detail) {
    throw base::Error{{.what = policy.host + " " + what,
                       .detail = detail,
                       .hint = "use the same /etc/hamn/hamn.toml on both hosts",
                       .code = base::Exit::refused}};
  };
  if (found == policy.sets.end()) {
    refuse("does not know the file set " + base::printable(hello.set),
           "its own configuration does not name it");
  }
  const bool same = std::equal(found->roots.begin(), found->roots.end(), hello.roots.begin(),
                               hello.roots.end(), [](const Root& own, const Root& theirs) {
                                 return own.destination_parent == theirs.destination_parent &&
                                        own.pattern == theirs.pattern;
                               });
  if (!same) refuse("has other paths in the file set " + hello.set, "the configurations differ");
  if (found->profile != hello.profile) {
    refuse("has another profile for the file set " + hello.set, "the configurations differ");
  }
  return *found;
}

/// A sender of a higher epoch is the new primary: the standby follows it.
void follow_epoch(const Hello& hello, base::Role role, const ReceiverPolicy& policy,
                  base::Disk& disk, base::Clock& clock) {
  if (hello.epoch == role.epoch) return;
  role.epoch = hello.epoch;
  role.since = clock.wall();
  role.run = hello.run;
  base::write_role(disk, policy.role_path, role);
}

class Session {
 public:
  Session(base::Stream& stream, const ReceiverPolicy& policy, base::Disk& disk, base::Clock& clock,
          std::shared_ptr<Outbox> outbox)
      : reader_(stream, stream_limit),
        policy_(policy),
        disk_(disk),
        clock_(clock),
        outbox_(std::move(outbox)) {}

  void run() {
    Message message;
    while (reader_.next(message)) {
      if (message.type != static_cast<std::uint8_t>(MessageType::hello)) {
        damaged_message("a pass must begin with hello");
      }
      one_pass(decode_hello(message.payload));
    }
  }

 private:
  void one_pass(const Hello& hello) {
    const auto role = base::read_role(policy_.role_path);
    if (const auto refusal = judge(hello, role, policy_.host)) throw Refused{*refusal};
    const auto& set = find_set(policy_, hello);
    const base::Lock lock{receiver_lock_path(policy_.run_directory, set.name),
                          "receiving " + set.name + " from " + hello.host, clock_};
    follow_epoch(hello, *role, policy_, disk_, clock_);
    try {
      receive_set(set, hello);
    } catch (const IndexDamaged&) {
      set_index_aside(receiver_index_path(policy_.state_directory, set.name));
      throw;
    }
  }

  void receive_set(const FileSet& set, const Hello& hello) {
    SetReceiver pass{policy_, set, hello, disk_, clock_, outbox_};
    Message message;
    do {
      if (!reader_.next(message)) damaged_message("the connection ended inside a pass");
    } while (pass.take(message));
  }

  BlockReader reader_;
  const ReceiverPolicy& policy_;
  base::Disk& disk_;
  base::Clock& clock_;
  std::shared_ptr<Outbox> outbox_;
};

}  // namespace

std::string receiver_index_path(const std::string& state_directory, const std::string& set) {
  return state_directory + "/sync/" + set + ".receiver.db";
}

std::string receiver_lock_path(const std::string& run_directory, const std::string& set) {
  return run_directory + "/receive-" + set + ".lock";
}

void receive(base::Stream& stream, const ReceiverPolicy& policy, base::Disk& disk,
             base::Clock& clock) {
  auto outbox = std::make_shared<Outbox>(stream, stream_limit);
  const auto tell = [&](const Refusal& refusal) {
    outbox->push(static_cast<std::uint8_t>(MessageType::refusal), encode(refusal));
    outbox->finish();
  };
  try {
    Session{stream, policy, disk, clock, outbox}.run();
    outbox->finish();
  } catch (const Refused& refused) {
    tell(refused.refusal);
    throw base::Error{{.what = refused.refusal.what,
                       .detail = refused.refusal.detail,
                       .hint = refused.refusal.hint,
                       .code = base::Exit::refused}};
  } catch (const base::Error& error) {
    tell(refusal_of(error));
    throw;
  }
}

}  // namespace hamn::sync
