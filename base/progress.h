#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"

namespace hamn::base {

/// How far a long run is. `total` may grow while it runs; 0 means not known.
struct Advance {
  std::string label;  ///< "install", "makedhcp -a"
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t done_files = 0;
  std::uint64_t total_files = 0;
};

/// Where a long run tells how far it is. Threads: one.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void show(const Advance& advance) = 0;
  /// Removes the line, so that the result stands alone.
  virtual void finish() = 0;
};

/// Says nothing: no terminal, `--quiet`, `--json`.
class NoProgress : public Progress {
 public:
  void show(const Advance& /*advance*/) override {}
  void finish() override {}
};

/// One line on the terminal, renewed at most ten times a second, with rate and remaining time once
/// they mean something.
class TerminalProgress : public Progress {
 public:
  explicit TerminalProgress(Clock& clock);
  void show(const Advance& advance) override;
  void finish() override;

 private:
  Clock& clock_;
  SteadyTime start_;
  SteadyTime shown_;
  bool visible_ = false;
};

/// The line without terminal control, for tests and for TerminalProgress. Pure.
[[nodiscard]] std::string progress_line(const Advance& advance, Milliseconds elapsed);

/// TerminalProgress if standard error is a terminal and `wanted`, else NoProgress.
[[nodiscard]] std::unique_ptr<Progress> make_progress(Clock& clock, bool wanted);

}  // namespace hamn::base
