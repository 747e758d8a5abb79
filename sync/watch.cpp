#include "sync/watch.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"

namespace hamn::sync {

namespace {

constexpr std::size_t most_directories = 5000;    ///< more of them: everything is quicker
constexpr base::Milliseconds longest_wait{1000};  ///< so that a lost role is noticed

}  // namespace

void Dirty::merge(const Dirty& other) {
  everything = everything || other.everything;
  directories.insert(other.directories.begin(), other.directories.end());
  if (directories.size() > most_directories) everything = true;
  if (everything) directories.clear();
}

Watch::Watch(const std::vector<FileSet>& sets, EventSource& source, WatchedPasses& passes,
             base::Clock& clock, const WatchTimes& times)
    : sets_(sets),
      source_(source),
      passes_(passes),
      clock_(clock),
      times_(times),
      first_event_(clock.steady()),
      last_event_(clock.steady() - times.quiet),
      last_pass_(clock.steady()),
      last_rescan_(clock.steady()),
      retry_at_(clock.steady()) {
  for (const auto& set : sets) dirty_[set.name].everything = true;
}

void Watch::run() {
  while (passes_.may_go_on()) step();
}

bool Watch::is_dirty() const {
  return std::any_of(dirty_.begin(), dirty_.end(),
                     [](const auto& each) { return !each.second.empty(); });
}

base::SteadyTime Watch::next_pass() const {
  auto at = std::min(last_pass_ + times_.heartbeat, last_rescan_ + times_.rescan);
  if (is_dirty()) {
    at = std::min({at, last_event_ + times_.quiet, first_event_ + times_.longest});
  }
  return failures_ > 0 ? std::max(at, retry_at_) : at;
}

void Watch::step() {
  const auto now = clock_.steady();
  const auto at = next_pass();
  if (at > now) {
    const auto rest = std::chrono::ceil<base::Milliseconds>(at - now);
    take(source_.wait(std::min(rest, longest_wait)));
  }
  if (clock_.steady() >= next_pass()) send_now();
}

void Watch::take(const ChangeEvents& found) {
  const bool was_dirty = is_dirty();
  bool any = found.lost;
  for (const auto& set : sets_) {
    auto& dirty = dirty_[set.name];
    if (found.lost) dirty.merge({.everything = true, .directories = {}});
    for (const auto& event : found.events) {
      if (!concerns(set, event)) continue;
      dirty.merge({.everything = false, .directories = {event.directory}});
      any = true;
    }
  }
  if (!any) return;
  last_event_ = clock_.steady();
  if (!was_dirty) first_event_ = last_event_;
}

void Watch::send_now() {
  const auto start = clock_.steady();
  if (start >= last_rescan_ + times_.rescan) {
    for (auto& [name, dirty] : dirty_) dirty.merge({.everything = true, .directories = {}});
    last_rescan_ = start;
  }
  std::map<std::string, Dirty> taken;
  for (auto& [name, dirty] : dirty_) std::swap(taken[name], dirty);
  try {
    const auto sent = passes_.send(taken);
    for (const auto& [name, dirty] : sent.again) dirty_[name].merge(dirty);
    if (sent.trouble.empty()) {
      if (failures_ > 0) base::log(base::Level::notice, "everything is sent again");
      failures_ = 0;
    } else {
      plan_retry(sent.trouble);
    }
  } catch (const base::Error& error) {
    for (const auto& [name, dirty] : taken) dirty_[name].merge(dirty);
    if (error.code() == base::Exit::refused || error.code() == base::Exit::interrupted ||
        error.code() == base::Exit::usage) {
      throw;
    }
    plan_retry(std::string{error.what()} + ": " + error.detail());
  }
  last_pass_ = clock_.steady();
  first_event_ = last_pass_;
  last_event_ = last_pass_;
}

void Watch::plan_retry(const std::string& trouble) {
  if (failures_ == 0) base::log(base::Level::warning, trouble);
  const auto doubled = times_.first_retry * (1U << std::min(failures_, 10U));
  const auto longest = std::min(times_.longest_retry, base::Milliseconds{doubled});
  // Between half of it and all of it, so that two agents do not keep step.
  const auto digits = base::unhex(base::random_digits(1)).value_or(std::string(1, '\0'));
  const auto part = static_cast<unsigned char>(digits.front());
  retry_at_ = clock_.steady() + longest / 2 + longest * part / 512;
  ++failures_;
}

}  // namespace hamn::sync
