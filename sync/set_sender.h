#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "sync/index.h"
#include "sync/sender.h"
#include "sync/tree.h"

namespace hamn::sync {

/// The sender's part in the pass of one set. Internal to send_set().
class SetSender {
 public:
  SetSender(Connection& connection, const SendRequest& request, base::Clock& clock,
            base::Progress& progress);
  [[nodiscard]] SendResult run();

 private:
  /// A directory on the way down.
  struct Level {
    OpenDirectory directory;
    DirectoryKey key;
    std::uint32_t number = 0;  ///< 0: not declared yet
    Entry self;
  };
  /// An offer without its final answer.
  struct Outstanding {
    std::string directory_path;
    std::uint32_t directory = 0;
    Entry entry;
    std::uint64_t signature_bytes = 0;  ///< reserved for the signature that may come
    std::string signature;
    bool wants_delta = false;
  };
  struct InFlight {
    std::uint64_t batch;
    bool final;
    IndexBatch changes;
  };

  void greet();
  void walk_root(std::uint16_t root);
  void walk(Level& level, const std::vector<Entry>& parent_before);
  void walk_below(const Level& level, const DirectoryDiff& diff, const std::vector<Entry>& before);
  [[nodiscard]] bool may_skip(const std::string& path, const Entry& entry,
                              const std::vector<Entry>& before) const;
  [[nodiscard]] bool is_above(const OpenDirectory& directory) const;
  void declare(Level& level);
  void send_file(Level& level, const Entry& entry, const Entry* before, Change change);
  void send_small(Level& level, const Entry& entry, const Entry* before);
  void send_large(Level& level, const Entry& entry, const Entry* before);
  void send_gone(Level& level, const Entry& entry);
  void offer(Level& level, const Entry& entry, OfferKind kind);
  void send_content(const Outstanding& what, std::uint64_t id);
  [[nodiscard]] bool stream_content(LargeFile& file, Outstanding& what, std::uint64_t id);
  void push_small(const SmallFile& file, std::uint32_t directory);
  [[nodiscard]] bool report_unread(const SmallFile& file, const std::string& path);
  void name_owners(const Entry& entry);
  void record(std::uint32_t directory, Entry entry);

  void answer_replies();
  void handle(const Reply& reply);
  void on_verdict(const Verdict& verdict);
  void on_signature(const Signature& piece);
  void on_trouble(const Trouble& trouble);
  void on_done(const Done& done);
  void commit_if_full();
  void commit(bool final);
  void count(const Listing& listing);
  void note(Problem problem);
  void show();

  Connection& connection_;
  const SendRequest& request_;
  base::Clock& clock_;
  base::Progress& progress_;
  Index index_;
  IndexState state_;
  PassMode mode_ = PassMode::full;
  SendResult result_;
  std::uint64_t target_generation_ = 0;
  std::map<std::uint32_t, DirectoryKey> declared_;
  std::map<DirectoryKey, std::uint32_t> numbers_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ancestors_;  ///< device and inode
  std::map<std::uint64_t, Outstanding> outstanding_;
  std::deque<std::uint64_t> ready_;  ///< outstanding ones whose content is to be sent
  std::uint64_t reserved_signature_bytes_ = 0;
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
