#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/host.h"

namespace hamn::test {

/// One call of a host.
struct Verb {
  std::string host;
  std::string name;       ///< "run", "open", "read" or "write"
  std::string text;       ///< the command line or the path
  base::Command command;  ///< of run and open
  base::FileWrite file;   ///< of write
};

/// The calls of one or several hosts in their common order. Threads: any.
class Recording {
 public:
  void add(Verb verb);
  [[nodiscard]] std::vector<Verb> verbs() const;
  /// "mn2: run systemctl stop xcatd", one line per call.
  [[nodiscard]] std::vector<std::string> lines() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::vector<Verb> verbs_;
};

/// Lets every call through to `inner` and writes it down first.
class RecordingHost : public base::Host {
 public:
  /// `recording` outlives the host.
  RecordingHost(std::unique_ptr<base::Host> inner, Recording& recording)
      : inner_(std::move(inner)), recording_(recording) {}
  [[nodiscard]] std::string name() const override { return inner_->name(); }
  base::Outcome run(const base::Command& command) override;
  [[nodiscard]] std::unique_ptr<base::Stream> open(const base::Command& command) override;
  [[nodiscard]] std::optional<std::string> read(const std::string& path,
                                                std::uint64_t limit_bytes) override;
  void write(const base::FileWrite& file) override;

 private:
  std::unique_ptr<base::Host> inner_;
  Recording& recording_;
};

/// When a failure strikes: instead of the work, or after it was done (the answer got lost).
enum class Strike { instead, afterwards };

/// Fails the n-th of its calls (from 1, all four verbs counted) and lets the others through.
class FailingHost : public base::Host {
 public:
  explicit FailingHost(std::unique_ptr<base::Host> inner) : inner_(std::move(inner)) {}
  /// The n-th call throws.
  void fail_at(std::size_t n, const base::Error& error, Strike strike = Strike::instead);
  /// The n-th call answers this if it is a run(), and throws Error if it is not.
  void fail_at(std::size_t n, base::Outcome outcome, Strike strike = Strike::instead);
  /// So many calls came.
  [[nodiscard]] std::size_t calls() const { return calls_; }

  [[nodiscard]] std::string name() const override { return inner_->name(); }
  base::Outcome run(const base::Command& command) override;
  [[nodiscard]] std::unique_ptr<base::Stream> open(const base::Command& command) override;
  [[nodiscard]] std::optional<std::string> read(const std::string& path,
                                                std::uint64_t limit_bytes) override;
  void write(const base::FileWrite& file) override;

 private:
  template <typename Work>
  auto work_or_fail(const Work& work);

  std::unique_ptr<base::Host> inner_;
  std::size_t calls_ = 0;
  std::size_t at_ = 0;
  Strike strike_ = Strike::instead;
  std::optional<base::Error> error_;
  base::Outcome outcome_;
};

/// "the connection to mn1 was lost": an Error as a broken ssh connection gives it.
[[nodiscard]] base::Error connection_lost(const std::string& host);

}  // namespace hamn::test
