#pragma once

#include <string>

#include "cli/environment.h"

namespace hamn::cli {

/// Writes the report of a takeover run as text, JSON and HTML when it goes out of scope, however
/// the run ended: also after a refusal, an error or an interruption. What cannot be written is told
/// on standard error; the journal has it all the same.
class WrittenReport {
 public:
  WrittenReport(Environment& environment, std::string run);
  WrittenReport(const WrittenReport&) = delete;
  WrittenReport& operator=(const WrittenReport&) = delete;
  ~WrittenReport();
  /// "html", "json" or "txt".
  [[nodiscard]] std::string path(const std::string& form) const;

 private:
  Environment& environment_;
  std::string run_;
};

/// Renders the run from the journal and replaces the three files.
void write_report(Environment& environment, const std::string& run);
[[nodiscard]] std::string report_path(Environment& environment, const std::string& run,
                                      const std::string& form);

}  // namespace hamn::cli
