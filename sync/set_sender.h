#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "sync/index.h"
#include "sync/page_hashes.h"
#include "sync/sender.h"
#include "sync/tree.h"
#include "sync/walker.h"

namespace hamn::sync {

/// The sender's part in the pass of one set. Internal to send_set().
class SetSender {
 public:
  SetSender(Connection& connection, const SendRequest& request, base::Clock& clock,
            base::Progress& progress);
  [[nodiscard]] SendResult run();

 private:
  /// A directory of the walk, for later.
  struct Place {
    DirectoryKey key;
    Entry self;
  };
  /// A directory whose changes are being sent.
  struct Level {
    const OpenDirectory& directory;
    DirectoryKey key;
    std::uint32_t number = 0;  ///< 0: not declared yet
    Entry self;
    std::shared_ptr<const Place> place = {};  ///< when it was needed
    std::uint64_t remembered_inode = 0;  ///< goes into the index in place of its own; 0: its own
  };
  /// An offer without its final answer.
  struct Outstanding {
    std::string directory_path;
    std::uint32_t directory = 0;
    Entry entry;
    std::uint64_t signature_bytes = 0;  ///< reserved for the signature that may come
    std::string signature;
    bool wants_delta = false;
    std::shared_ptr<const PageHashes> pages;  ///< the delta is made with these
    bool has_same_content = false;            ///< which showed when it was read
  };
  /// The name of a hard-linked file that the receiver has or gets as a file of its own.
  struct Leader {
    std::shared_ptr<const Place> place;
    std::string name;
  };
  /// One more name of such a file.
  struct PendingLink {
    std::uint32_t directory = 0;
    std::string directory_path;
    std::shared_ptr<const Place> place;
    Entry entry;
  };
  struct InFlight {
    std::uint64_t batch;
    bool final;
    IndexBatch changes;
  };

  void greet();
  void walk_root(std::uint16_t root);
  void walk_below(const std::shared_ptr<FoundDirectory>& top);
  void send_directory(FoundDirectory& found);
  /// What differs between the index's entries of a directory and its listing, but for directories.
  void send_changes(Level& level, const std::vector<Entry>& before, Listing& listing);
  void declare(Level& level);
  std::uint32_t declare(const DirectoryKey& key, const Entry& self, const Entry& remembered);
  void send_file(Level& level, const Entry& entry, const Entry* before, Change change);
  void send_small(Level& level, const Entry& entry, const Entry* before);
  void send_large(Level& level, const Entry& entry, const Entry* before);
  [[nodiscard]] bool send_changed_pages(Level& level, const Entry& entry, const Entry& before);
  void send_node(std::uint32_t directory, const Entry& entry, const Entry* before);
  /// Remembers the names of hard-linked files that the receiver has already.
  void know_leaders(Level& level, const std::vector<Entry>& now, const DirectoryDiff& diff);
  [[nodiscard]] static std::shared_ptr<const Place> place_of(Level& level);
  /// True if `entry` may be another name of a file that the receiver has or gets: it follows at the
  /// end of the pass.
  [[nodiscard]] bool is_linked(Level& level, const Entry& entry, const Entry* before);
  void send_links();
  void send_link(const PendingLink& link, const Leader& leader);
  /// The directory of something that was offered, opened again.
  [[nodiscard]] std::optional<OpenDirectory> reopen(const Outstanding& what) const;
  [[nodiscard]] bool is_faithful() const { return request_.set.profile == Profile::faithful; }
  void send_gone(Level& level, const Entry& entry);
  /// Tells all names of a directory, so that the receiver finds those that are too many.
  void send_present(const Level& level, const Listing& listing);
  /// Sends what is gone at the end of a pass that deletes.
  void send_deletions();
  [[nodiscard]] bool deletes() const { return request_.set.deletes || request_.deletes; }
  /// Lets this pass delete nothing if a root looks emptied, unmounted or replaced.
  void distrust(Level& level, const Entry* before, const Listing& listing);
  void on_deleted(const Deleted& deleted);
  void offer(Level& level, const Entry& entry, OfferKind kind);
  void send_content(const Outstanding& what, std::uint64_t id);
  [[nodiscard]] bool stream_content(LargeFile& file, Outstanding& what, std::uint64_t id);
  [[nodiscard]] bool stream_pages(LargeFile& file, Outstanding& what, std::uint64_t id);
  void keep_pages(const Outstanding& what, const PageHashes& hashes);
  void push_small(const SmallFile& file, std::uint32_t directory);
  [[nodiscard]] bool report_unread(const SmallFile& file, const std::string& path);
  void name_owners(const Entry& entry);
  void record(std::uint32_t directory, const Entry& entry);

  void answer_replies();
  void handle(const Reply& reply);
  [[nodiscard]] bool is_mistaken(const Outstanding& what, const base::Hash128& there) const;
  void on_verdict(const Verdict& verdict);
  void on_signature(const Signature& piece);
  void on_trouble(const Trouble& trouble);
  void on_done(const Done& done);
  void commit_if_full();
  void commit(bool final);
  void count(const FoundDirectory& found);
  void note(Problem problem);
  void show();

  Connection& connection_;
  const SendRequest& request_;
  base::Clock& clock_;
  base::Progress& progress_;
  Index index_;
  PageStore page_store_;
  IndexState state_;
  PassMode mode_ = PassMode::full;
  SendResult result_;
  std::uint64_t target_generation_ = 0;
  std::map<std::uint32_t, DirectoryKey> declared_;
  std::map<DirectoryKey, std::uint32_t> numbers_;
  std::map<std::uint64_t, Outstanding> outstanding_;
  std::deque<std::uint64_t> ready_;  ///< outstanding ones whose content is to be sent
  std::uint64_t reserved_signature_bytes_ = 0;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Leader> leaders_;  ///< by device and inode
  std::vector<PendingLink> links_;
  std::vector<std::pair<std::uint32_t, std::string>> gone_;  ///< of a pass that deletes
  bool is_incomplete_ = false;  ///< not all of the source was seen: nothing may be deleted
  IndexBatch batch_;
  IndexBatch accepted_;  ///< belongs to whichever batch is confirmed next
  std::deque<InFlight> in_flight_;
  std::set<std::uint32_t> named_users_;
  std::set<std::uint32_t> named_groups_;
  std::uint64_t next_id_ = 1;
  std::uint64_t next_batch_ = 1;
  std::uint64_t entries_since_commit_ = 0;
  std::uint64_t bytes_since_commit_ = 0;
  bool finished_ = false;
};

}  // namespace hamn::sync
