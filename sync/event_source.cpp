#include "sync/event_source.h"

#include <algorithm>

#include "base/error.h"

namespace hamn::sync {

namespace {

class PollingSource : public EventSource {
 public:
  PollingSource(base::Clock& clock, base::Milliseconds every)
      : clock_(clock), every_(every), next_(clock.steady() + every) {}

  [[nodiscard]] std::string name() const override { return "polling"; }

  [[nodiscard]] ChangeEvents wait(base::Milliseconds limit) override {
    const auto now = clock_.steady();
    if (now < next_) {
      const auto rest = std::chrono::ceil<base::Milliseconds>(next_ - now);
      clock_.sleep(std::min(limit, rest));
    }
    if (clock_.steady() < next_) return {};
    next_ = clock_.steady() + every_;
    return {.events = {}, .lost = true};
  }

 private:
  base::Clock& clock_;
  base::Milliseconds every_;
  base::SteadyTime next_;
};

}  // namespace

std::unique_ptr<EventSource> make_polling_source(base::Clock& clock, base::Milliseconds every) {
  return std::make_unique<PollingSource>(clock, every);
}

std::unique_ptr<EventSource> choose_event_source(const std::vector<FileSet>& sets,
                                                 base::Clock& clock, base::Milliseconds poll_every,
                                                 std::string& problem) {
  for (const auto make : {make_fanotify_source, make_inotify_source}) {
    try {
      return make(sets);
    } catch (const base::Error& error) {
      if (!problem.empty()) problem += "; ";
      problem += std::string{error.what()} + ": " + error.detail();
    }
  }
  return make_polling_source(clock, poll_every);
}

bool concerns(const FileSet& set, const ChangeEvent& event) {
  return std::any_of(set.roots.begin(), set.roots.end(), [&](const Root& root) {
    if (event.directory == root.source_parent) {
      return event.name.empty() || matches(root.pattern, event.name);
    }
    const auto parent = root.source_parent == "/" ? "/" : root.source_parent + "/";
    if (!event.directory.starts_with(parent)) return false;
    const auto rest = event.directory.substr(parent.size());
    return matches(root.pattern, rest.substr(0, rest.find('/')));
  });
}

}  // namespace hamn::sync
