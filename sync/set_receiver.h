#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/role.h"
#include "sync/delta.h"
#include "sync/directory_table.h"
#include "sync/file_writers.h"
#include "sync/index.h"
#include "sync/outbox.h"
#include "sync/receiver.h"
#include "sync/staging.h"

namespace hamn::sync {

/// The receiver's part in the pass of one set: from Welcome to the last Done. Internal to
/// receive().
///
/// Trouble with one name is told to the sender and the pass goes on; an Error ends the pass.
class SetReceiver {
 public:
  SetReceiver(const ReceiverPolicy& policy, const FileSet& set, const Hello& hello,
              base::Disk& disk, base::Clock& clock, std::shared_ptr<Outbox> outbox);
  /// Takes one message. False when the pass is over.
  [[nodiscard]] bool take(const Message& message);

 private:
  /// A file whose content is coming in.
  struct Incoming {
    Begin begin;
    Staging::File staged;
    std::uint64_t written_bytes = 0;
    std::uint64_t sync_started_bytes = 0;
    base::Xxh128 hash;
    base::Fd basis;
    std::unique_ptr<Patcher> patcher;
    std::string trouble;  ///< the rest of its content is read and dropped
  };
  /// A staged file that waits for its commit.
  struct Waiting {
    std::uint32_t directory;
    Entry entry;
    bool has_failed = false;
  };

  void choose_mode();
  void on_enter(const Enter& enter);
  void on_file(File file);
  void on_offer(const Offer& offer);
  void on_begin(Begin begin);
  void on_data(std::string_view bytes);
  void on_end(const End& end);
  void on_gone(const Gone& gone);
  void on_commit(const Commit& commit);

  [[nodiscard]] bool accept_as_it_is(const Offer& offer);
  void ask_for(const Offer& offer);
  void answer(std::uint64_t id, VerdictKind kind, const base::Hash128& content = {});
  void trouble(std::uint32_t directory, const std::string& name, const std::string& detail);
  [[nodiscard]] Staging::File stage(std::uint32_t directory);
  [[nodiscard]] int place_of(std::uint32_t directory);
  void finish_writing();
  void write_piece(std::string_view bytes);
  void take_piece(std::string_view bytes);
  void keep(std::uint32_t directory, Staging::File file, const Entry& entry);
  void finish_incoming(const End& end);
  void fail_incoming(const std::string& why);
  void put_staged_in_place();
  void check_role() const;

  const ReceiverPolicy& policy_;
  const FileSet& set_;
  Hello hello_;
  base::Disk& disk_;
  base::Clock& clock_;
  std::shared_ptr<Outbox> outbox_;
  Index index_;
  IndexState state_;
  PassMode mode_ = PassMode::full;
  DirectoryTable directories_;
  OwnerMap owners_;
  Staging staging_;
  IndexBatch batch_;
  std::vector<Waiting> waiting_;
  std::optional<Incoming> incoming_;
  std::optional<std::pair<std::uint32_t, int>> last_place_;  ///< directory, place in staging_
  FileWriters writers_;
};

}  // namespace hamn::sync
