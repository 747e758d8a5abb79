#include "base/progress.h"

#include <unistd.h>

#include "base/text.h"

namespace hamn::base {

namespace {

constexpr Milliseconds renewal{100};
constexpr Milliseconds settled{1000};
constexpr double longest_forecast_ms = 30.0 * 86'400'000;  // beyond that it means nothing

void put(const std::string& text) {
  (void)!::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

std::string progress_line(const Advance& advance, Milliseconds elapsed) {
  std::string line = printable(advance.label) + ": ";
  line += human_count(advance.done_files);
  if (advance.total_files > 0) line += " of " + human_count(advance.total_files);
  line += " files";
  if (advance.done_bytes > 0 || advance.total_bytes > 0) {
    line += ", " + human_size(advance.done_bytes);
    if (advance.total_bytes > 0) line += " of " + human_size(advance.total_bytes);
  }
  if (elapsed < settled || advance.done_bytes == 0) return line;
  const auto rate =
      static_cast<double>(advance.done_bytes) * 1000 / static_cast<double>(elapsed.count());
  line += ", " + human_size(static_cast<std::uint64_t>(rate)) + "/s";
  if (advance.total_bytes > advance.done_bytes) {
    const auto rest_ms =
        static_cast<double>(advance.total_bytes - advance.done_bytes) / rate * 1000;
    if (rest_ms < longest_forecast_ms) {
      line += ", " + human_duration(Milliseconds{static_cast<long long>(rest_ms)}) + " left";
    }
  }
  return line;
}

TerminalProgress::TerminalProgress(Clock& clock) : clock_(clock), start_(clock.steady()) {}

void TerminalProgress::show(const Advance& advance) {
  const auto now = clock_.steady();
  if (visible_ && now - shown_ < renewal) return;
  shown_ = now;
  visible_ = true;
  put("\r\x1b[K" + progress_line(advance, std::chrono::duration_cast<Milliseconds>(now - start_)));
}

void TerminalProgress::finish() {
  if (visible_) put("\r\x1b[K");
  visible_ = false;
}

std::unique_ptr<Progress> make_progress(Clock& clock, bool wanted) {
  if (wanted && ::isatty(STDERR_FILENO) == 1) return std::make_unique<TerminalProgress>(clock);
  return std::make_unique<NoProgress>();
}

}  // namespace hamn::base
