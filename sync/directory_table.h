#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/disk.h"
#include "sync/file_set.h"
#include "sync/wire.h"

namespace hamn::sync {

/// User and group numbers of the sender, translated by name as rsync does: 0 stays 0, a name that
/// is known here gives the number here, anything else keeps its number.
class OwnerMap {
 public:
  void learn(const Names& names);
  [[nodiscard]] std::uint32_t user(std::uint32_t id) const;
  [[nodiscard]] std::uint32_t group(std::uint32_t id) const;

 private:
  std::map<std::uint32_t, std::uint32_t> users_;
  std::map<std::uint32_t, std::uint32_t> groups_;
};

/// The directories that a sender has declared, on the receiver's side: the only place where what
/// the peer says becomes a directory of this host.
///
/// A directory is reached from the parent of its root as this host's own configuration names it;
/// below the root's top no link is followed. Descriptors are kept for the directories used last.
/// Throws Error if the peer breaks the rules, DiskError if this host's disk does not let it.
class DirectoryTable {
 public:
  DirectoryTable(base::Disk& disk, const FileSet& set);

  /// Takes a declaration; makes the directory if it is missing.
  void declare(const Enter& enter);
  [[nodiscard]] bool is_declared(std::uint32_t number) const;
  [[nodiscard]] bool is_declared(const DirectoryKey& key) const { return numbers_.contains(key); }
  /// Remembers that directory `number` cannot be used, and why.
  void give_up(std::uint32_t number, const std::string& why);
  /// Empty if the directory can be used.
  [[nodiscard]] const std::string& trouble(std::uint32_t number) const;
  [[nodiscard]] const DirectoryKey& key(std::uint32_t number) const;
  /// Throws Error unless the set may hold a file `name` there.
  void check_name(std::uint32_t number, const std::string& name) const;
  /// True if the set may hold `name` there.
  [[nodiscard]] bool holds(std::uint32_t number, const std::string& name, bool is_directory) const;
  /// As check_name() for a name that may have been a directory.
  void check_gone(std::uint32_t number, const std::string& name) const;
  /// As check_name(), and that the set's profile knows such an entry.
  void check_entry(std::uint32_t number, const Entry& entry) const;

  /// Descriptor; valid until some sixty others were opened.
  [[nodiscard]] int open(std::uint32_t number);
  [[nodiscard]] std::string path(std::uint32_t number) const;
  /// The directory at the top of the same root, or the parent for files at the top.
  [[nodiscard]] base::Fd open_top(std::uint32_t number);
  [[nodiscard]] std::string top_path(std::uint32_t number) const;

  /// Its content changed: settle() has to set its time again and to sync it.
  void touch(std::uint32_t number) { touched_.insert(number); }
  /// Gives touched directories the attributes that the sender declared, then syncs them.
  void settle(const OwnerMap& owners);

 private:
  struct Known {
    DirectoryKey key;
    Entry self;
    std::string trouble;
  };
  struct Opened {
    std::uint32_t number;
    base::Fd fd;
  };

  [[nodiscard]] const Known& at(std::uint32_t number) const;
  [[nodiscard]] std::optional<base::Fd> open_key(const DirectoryKey& key);
  void make(const DirectoryKey& key);
  [[nodiscard]] std::string top_of(const DirectoryKey& key) const;
  [[noreturn]] void refuse_path(const std::string& where) const;
  [[nodiscard]] const Root& root_of(const DirectoryKey& key) const;

  base::Disk& disk_;
  const FileSet& set_;
  std::map<std::uint32_t, Known> known_;
  std::map<DirectoryKey, std::uint32_t> numbers_;
  std::set<std::uint32_t> touched_;
  std::list<Opened> opened_;  ///< the one used last in front
};

/// Owner (if this process may), extended attributes, mode, time, in this order: a change of owner
/// clears setuid bits and capabilities. `file` may be a node. Owners are mapped, and extended
/// attributes left alone, in a compat set.
void set_attributes(base::Disk& disk, int file, const Entry& entry, const OwnerMap& owners,
                    Profile profile);

}  // namespace hamn::sync
