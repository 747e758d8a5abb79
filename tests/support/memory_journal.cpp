#include "tests/support/memory_journal.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hamn::test {

void MemoryJournal::append(const std::string& kind, const base::Facts& facts) {
  ++appends_;
  if (const auto hook = before_.find(appends_); hook != before_.end()) hook->second();
  const auto number = events_.size() + 1;
  const auto time = clock_ != nullptr ? clock_->wall() : base::WallTime{base::Milliseconds{number}};
  events_.push_back({.number = number, .time = time, .run = run_, .kind = kind, .facts = facts});
  if (const auto hook = after_.find(appends_); hook != after_.end()) hook->second();
}

void MemoryJournal::fail_at(std::size_t n) {
  call_before(n, [] {
    throw base::Error{{.what = "cannot write the journal",
                       .detail = "the test said so",
                       .hint = "look at MemoryJournal::fail_at()"}};
  });
}

void MemoryJournal::call_before(std::size_t n, Hook hook) {
  before_[n] = std::move(hook);
}

void MemoryJournal::call_after(std::size_t n, Hook hook) {
  after_[n] = std::move(hook);
}

std::string MemoryJournal::kinds() const {
  std::vector<std::string> kinds;
  kinds.reserve(events_.size());
  for (const auto& event : events_) kinds.push_back(event.kind);
  return base::join(kinds, " ");
}

base::Facts MemoryJournal::facts_of(const std::string& kind) const {
  const auto is_it = [&](const base::Event& event) { return event.kind == kind; };
  const auto found = std::find_if(events_.begin(), events_.end(), is_it);
  EXPECT_EQ(1, std::count_if(events_.begin(), events_.end(), is_it))
      << "events of the kind " << kind << " among: " << kinds();
  return found == events_.end() ? base::Facts{} : found->facts;
}

}  // namespace hamn::test
