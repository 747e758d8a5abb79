#include "tests/support/wrapping_hosts.h"

namespace hamn::test {

void Recording::add(Verb verb) {
  const std::lock_guard lock{mutex_};
  verbs_.push_back(std::move(verb));
}

std::vector<Verb> Recording::verbs() const {
  const std::lock_guard lock{mutex_};
  return verbs_;
}

std::vector<std::string> Recording::lines() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> lines;
  lines.reserve(verbs_.size());
  for (const auto& verb : verbs_) lines.push_back(verb.host + ": " + verb.name + " " + verb.text);
  return lines;
}

void Recording::clear() {
  const std::lock_guard lock{mutex_};
  verbs_.clear();
}

base::Outcome RecordingHost::run(const base::Command& command) {
  recording_.add(
      {.host = name(), .name = "run", .text = to_text(command), .command = command, .file = {}});
  return inner_->run(command);
}

std::unique_ptr<base::Stream> RecordingHost::open(const base::Command& command) {
  recording_.add(
      {.host = name(), .name = "open", .text = to_text(command), .command = command, .file = {}});
  return inner_->open(command);
}

std::optional<std::string> RecordingHost::read(const std::string& path, std::uint64_t limit_bytes) {
  recording_.add({.host = name(), .name = "read", .text = path, .command = {}, .file = {}});
  return inner_->read(path, limit_bytes);
}

void RecordingHost::write(const base::FileWrite& file) {
  recording_.add({.host = name(), .name = "write", .text = file.path, .command = {}, .file = file});
  inner_->write(file);
}

void FailingHost::fail_at(std::size_t n, const base::Error& error, Strike strike) {
  at_ = n;
  strike_ = strike;
  error_ = error;
}

void FailingHost::fail_at(std::size_t n, base::Outcome outcome, Strike strike) {
  at_ = n;
  strike_ = strike;
  error_ = std::nullopt;
  outcome_ = std::move(outcome);
}

template <typename Work>
auto FailingHost::work_or_fail(const Work& work) {
  if (++calls_ == at_) {
    if (strike_ == Strike::afterwards) (void)work();
    throw error_.value_or(connection_lost(name()));
  }
  return work();
}

base::Outcome FailingHost::run(const base::Command& command) {
  if (calls_ + 1 == at_ && !error_) {
    ++calls_;
    if (strike_ == Strike::afterwards) (void)inner_->run(command);
    return outcome_;
  }
  return work_or_fail([&] { return inner_->run(command); });
}

std::unique_ptr<base::Stream> FailingHost::open(const base::Command& command) {
  return work_or_fail([&] { return inner_->open(command); });
}

std::optional<std::string> FailingHost::read(const std::string& path, std::uint64_t limit_bytes) {
  return work_or_fail([&] { return inner_->read(path, limit_bytes); });
}

void FailingHost::write(const base::FileWrite& file) {
  work_or_fail([&] {
    inner_->write(file);
    return true;
  });
}

base::Error connection_lost(const std::string& host) {
  return base::Error{{.what = "the connection to " + host + " was lost",
                      .detail = "the test said so",
                      .hint = "look at FailingHost::fail_at()"}};
}

}  // namespace hamn::test
