#include "cli/takeover_report.h"

#include <utility>

#include "base/log.h"
#include "takeover/report.h"

namespace hamn::cli {

WrittenReport::WrittenReport(Environment& environment, std::string run)
    : environment_(environment), run_(std::move(run)) {}

WrittenReport::~WrittenReport() {
  try {
    write_report(environment_, run_);
  } catch (const base::Error& error) {
    base::log(base::Level::warning, std::string{"the report could not be written: "} +
                                        error.what() + "; later: hamn report show " + run_);
  }
}

std::string WrittenReport::path(const std::string& form) const {
  return report_path(environment_, run_, form);
}

std::string report_path(Environment& environment, const std::string& run, const std::string& form) {
  return environment.site().state_directory + "/reports/" + run + "." + form;
}

void write_report(Environment& environment, const std::string& run) {
  const auto journal = base::read_journal(environment.journal_path("takeover"));
  const auto report = takeover::report_of_run(journal, run);
  base::make_directories(environment.site().state_directory + "/reports", 0700);
  const auto write = [&](const std::string& form, const std::string& content) {
    base::replace_file(
        environment.disk(),
        {.path = report_path(environment, run, form), .content = content, .mode = 0600});
  };
  write("txt", base::to_text(report));
  write("json", base::to_json(report));
  write("html", base::to_html(report));
}

}  // namespace hamn::cli
