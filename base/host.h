#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/command.h"
#include "base/stream.h"

namespace hamn::base {

/// Content for one file, put in place as a whole: a reader sees the old file or the new one.
struct FileWrite {
  std::string path;  ///< absolute
  std::string content;
  unsigned mode = 0644;
  std::string owner = "root";  ///< user[:group]
  bool secret = false;         ///< content is never shown or journaled, only its size

  friend bool operator==(const FileWrite&, const FileWrite&) = default;
};

/// A machine that hamn works on: this one, or one reached by ssh. Five verbs, so that a test can
/// stand in for any machine.
///
/// Failure: Error if the host cannot be reached or the verb could not be carried out. A command
/// that runs and fails is an Outcome. Threads: one at a time per Host.
class Host {
 public:
  virtual ~Host() = default;
  /// The name in the configuration: "mn2".
  [[nodiscard]] virtual std::string name() const = 0;
  virtual Outcome run(const Command& command) = 0;
  /// Starts a command and connects to its standard input and output.
  [[nodiscard]] virtual std::unique_ptr<Stream> open(const Command& command) = 0;
  /// The content of a file of at most `limit_bytes`; nothing if there is no such file.
  [[nodiscard]] virtual std::optional<std::string> read(const std::string& path,
                                                        std::uint64_t limit_bytes) = 0;
  /// Writes beside, syncs, renames, syncs the directory.
  virtual void write(const FileWrite& file) = 0;
};

/// The hosts that a plan may name.
class Hosts {
 public:
  void add(std::unique_ptr<Host> host);
  /// Throws Error if no host has this name.
  [[nodiscard]] Host& at(const std::string& name);

 private:
  std::map<std::string, std::unique_ptr<Host>> hosts_;
};

constexpr std::uint64_t default_read_limit_bytes = 16ULL << 20U;

}  // namespace hamn::base
