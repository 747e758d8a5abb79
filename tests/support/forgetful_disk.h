#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/disk.h"

namespace hamn::test {

/// Thrown by a ForgetfulDisk whose power was cut. Not an exception class, so that nobody handles
/// it.
struct PowerCut {};

/// What a disk may have kept when the power comes back.
enum class PowerLoss {
  /// Only what was synced: contents by sync_file(), names by sync_directory(). The harshest state
  /// that POSIX allows: a file whose name was not synced is gone although its content was, and a
  /// rename between two directories comes apart if only one of them was synced.
  forget_all_unsynced,
  /// All names and attributes, as with journaled metadata, but only synced contents: a file that
  /// was never synced is empty, one that was changed since has its old content.
  keep_names_forget_content,
  /// All names, attributes and sizes; bytes that were not synced are zero.
  keep_names_zero_content
};
constexpr std::array all_power_losses{PowerLoss::forget_all_unsynced,
                                      PowerLoss::keep_names_forget_content,
                                      PowerLoss::keep_names_zero_content};
[[nodiscard]] std::string to_text(PowerLoss loss);

/// When in an operation the power is cut.
enum class Moment {
  before,  ///< nothing of it happens
  during   ///< half of a write happens; other operations happen as a whole
};
[[nodiscard]] std::string to_text(Moment moment);

/// A disk over a real directory tree that forgets what was not synced.
///
/// Everything happens in the tree at once, as a running system sees it. power_cut() then puts the
/// tree into a state that a disk could have after the power was lost. What was there when the disk
/// was made lasts; what is changed past this disk (by plain system calls) counts as not synced.
/// Directories outside of the tree can be used, but they forget nothing. Threads: any.
class ForgetfulDisk : public base::Disk {
 public:
  /// `root` is an existing directory; its inode stays the same over power cuts.
  explicit ForgetfulDisk(std::string root);

  /// So many operations came that change the tree or make it last.
  [[nodiscard]] std::size_t operations() const;
  /// The name of the last one: "rename".
  [[nodiscard]] std::string last_operation() const;
  /// The n-th operation (from 1) throws PowerCut, and so does everything after it until
  /// power_cut() was called.
  void cut_at(std::size_t n, Moment moment = Moment::before);
  /// Loses the power now and brings it back. Descriptors from before it are worth nothing.
  void power_cut(PowerLoss loss);
  /// As if everything had been synced.
  void everything_lasts();

  [[nodiscard]] base::Fd open_root(const std::string& path) override;
  [[nodiscard]] std::optional<base::Fd> open_directory(int directory,
                                                       const std::string& path) override;
  [[nodiscard]] std::optional<base::Fd> open_file(int directory, const std::string& name) override;
  [[nodiscard]] std::optional<base::FileStatus> status(int directory,
                                                       const std::string& name) override;
  [[nodiscard]] base::FileStatus status_of(int file) override;
  [[nodiscard]] std::optional<base::Fd> open_node(int directory, const std::string& name) override;
  [[nodiscard]] std::string link_target(int node) override;
  [[nodiscard]] std::vector<std::string> attribute_names(int file) override;
  [[nodiscard]] std::optional<std::string> attribute(int file, const std::string& name) override;
  [[nodiscard]] std::vector<std::string> list(int directory) override;
  void make_directory(int directory, const std::string& name, unsigned mode) override;
  [[nodiscard]] base::Fd create_file(int directory, const std::string& name,
                                     unsigned mode) override;
  void write(int file, std::string_view data, std::uint64_t offset) override;
  void truncate(int file, std::uint64_t size_bytes) override;
  void set_owner(int file, std::uint32_t uid, std::uint32_t gid) override;
  void set_mode(int file, std::uint32_t mode) override;
  void set_modified(int file, base::FileTime time) override;
  void set_attribute(int file, const std::string& name, std::string_view value) override;
  void remove_attribute(int file, const std::string& name) override;
  void make_symlink(int directory, const std::string& name, const std::string& target) override;
  void make_node(int directory, const std::string& name, base::FileType type,
                 std::uint64_t device_number) override;
  void make_link(int from, const std::string& old_name, int to,
                 const std::string& new_name) override;
  void rename(int from, const std::string& old_name, int to, const std::string& new_name) override;
  void remove_file(int directory, const std::string& name) override;
  void remove_directory(int directory, const std::string& name) override;
  void sync_file(int file) override;
  void sync_directory(int directory) override;
  void sync_filesystem(int directory) override;

 private:
  using Id = std::uint64_t;
  using Place = std::pair<std::uint64_t, std::uint64_t>;  ///< device and inode number
  struct Inode {
    base::FileStatus status;
    std::string content;                ///< of a file; of a link its target
    std::map<std::string, Id> entries;  ///< of a directory
  };
  using Tree = std::map<Id, Inode>;

  void throw_if_off() const;
  /// Counts an operation and does it, unless the power is cut before or during it.
  void operate(const std::string& name, const std::function<void()>& whole,
               const std::function<void()>& half = {});
  [[nodiscard]] Id id_of(const base::FileStatus& status);
  [[nodiscard]] Tree capture();
  void capture_below(const std::string& path, Id id, Tree& tree);
  void restore(const Tree& tree);
  void restore_below(const std::string& path, const Inode& directory, const Tree& tree,
                     std::map<Id, std::string>& made);
  void remember_new(int directory, const std::string& name);
  void make_last(int file);

  std::string root_;
  Id root_id_ = 0;
  base::RealDisk real_;
  mutable std::recursive_mutex mutex_;
  std::map<Place, Id> live_;  ///< inode numbers are used again, ids are not
  Id next_id_ = 1;
  Tree synced_;
  std::size_t operations_ = 0;
  std::size_t cut_at_ = 0;
  Moment moment_ = Moment::before;
  bool is_off_ = false;
  std::string last_operation_;
};

/// What must hold after a power cut, wherever it came.
struct CrashTest {
  /// Makes what is there before. It lasts.
  std::function<void(const std::string& root)> given;
  std::function<void(base::Disk& disk, const std::string& root)> work;
  /// Looks at the tree after the power came back. `finished`: work() had returned.
  std::function<void(const std::string& root, bool finished)> check;
};

/// Runs the work once for every operation in it, both moments and every kind of loss, cut there,
/// and once uncut for every kind of loss; checks each time. Answers how many cuts there were.
std::size_t cut_power_everywhere(const CrashTest& test);

}  // namespace hamn::test
