#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/role.h"
#include "sync/delta.h"
#include "sync/directory_table.h"
#include "sync/file_writers.h"
#include "sync/index.h"
#include "sync/outbox.h"
#include "sync/receiver.h"
#include "sync/sparse.h"
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
    std::optional<SparseWriter> writer;  ///< nothing: the old copy's content is there already
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
  void on_node(const Node& node);
  void on_link(const Link& link);
  void on_present(const Present& present);
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
  void keep_staged(std::uint32_t directory, Staging::File file, const Entry& entry);
  [[nodiscard]] Staging::File stage_other(std::uint32_t directory,
                                          const std::function<void(int, const std::string&)>& make);
  [[nodiscard]] bool adjust_node(const Node& node);
  void make_node(const Node& node);
  [[nodiscard]] bool knows_leader(const Link& link);
  void put_link_in_place(const Link& link);
  void put_links_in_place();
  /// Marks a name for deletion, if the set holds it.
  void doom(std::uint32_t directory, const std::string& name);
  /// Marks a directory that stands where something else shall be.
  void make_way(std::uint32_t directory, const std::string& name);
  void delete_doomed(bool may_delete);
  [[nodiscard]] std::uint64_t count_below(int directory, const std::string& name);
  /// Names that the set has on this host, `doomed` ones included.
  [[nodiscard]] std::uint64_t count_names(std::uint64_t doomed);
  /// False if something in it stays, because the set does not hold it.
  [[nodiscard]] bool remove_tree(int directory, const std::string& name, const std::string& path,
                                 std::uint16_t root);
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
  std::map<std::uint32_t, std::set<std::string>> present_;  ///< of which a piece is missing
  std::set<std::pair<std::uint32_t, std::string>> doomed_;  ///< directory and name
  bool is_held_back_ = false;  ///< deletions are due that were not carried out
  std::vector<Link> links_;    ///< made when the batch's files are in place
  std::optional<Incoming> incoming_;
  std::optional<std::pair<std::uint32_t, int>> last_place_;  ///< directory, place in staging_
  FileWriters writers_;
};

}  // namespace hamn::sync
