#include "cron/systemd.h"

#include "base/text.h"

namespace hamn::cron {

std::string unit_word(const std::string& word) {
  std::string out;
  bool quote = word.empty();
  for (const char c : word) {
    if (c == '%' || c == '$') out += c;  // doubled: taken literally
    if (c == '"' || c == '\\') out += '\\';
    if (c == ' ' || c == '\t' || c == '\'' || c == '"' || c == ';') quote = true;
    out += c;
  }
  return quote ? "\"" + out + "\"" : out;
}

RenderedFile render_watch_unit(const std::vector<std::string>& argv) {
  std::vector<std::string> words;
  for (const auto& word : argv) words.push_back(unit_word(word));
  return {.path = "/etc/systemd/system/hamn-watch.service",
          .content =
              "# Written by hamn cron install; changes are lost.\n"
              "[Unit]\n"
              "Description=hamn: keep the standby current as files change\n"
              "Documentation=man:hamn(1)\n"
              "After=network-online.target\n"
              "StartLimitIntervalSec=0\n"
              "\n"
              "[Service]\n"
              "Type=notify\n"
              "ExecStart=" +
              base::join(words, " ") +
              "\n"
              "Restart=always\n"
              "RestartSec=5\n"
              "SuccessExitStatus=3 5 130\n"
              "Nice=5\n"
              "\n"
              "[Install]\n"
              "WantedBy=multi-user.target\n"};
}

std::vector<RenderedFile> render_units(const Job& job) {
  std::vector<std::string> words;
  for (const auto& word : job.argv) words.push_back(unit_word(word));
  const auto unit = "/etc/systemd/system/hamn-" + job.name;
  const auto milliseconds = std::to_string(job.every.count()) + "ms";
  return {{.path = unit + ".service",
           .content = "# Written by hamn cron install; changes are lost.\n"
                      "[Unit]\n"
                      "Description=hamn: " +
                      job.description +
                      "\n"
                      "Documentation=man:hamn(1)\n"
                      "After=network-online.target\n"
                      "\n"
                      "[Service]\n"
                      "Type=oneshot\n"
                      "ExecStart=" +
                      base::join(words, " ") +
                      "\n"
                      "SuccessExitStatus=3\n"
                      "Nice=5\n"
                      "IOSchedulingClass=best-effort\n"
                      "IOSchedulingPriority=6\n"
                      "TimeoutStartSec=infinity\n"},
          {.path = unit + ".timer",
           .content = "# Written by hamn cron install; changes are lost.\n"
                      "[Unit]\n"
                      "Description=hamn: " +
                      job.description +
                      ", again and again\n"
                      "\n"
                      "[Timer]\n"
                      "OnActiveSec=" +
                      milliseconds +
                      "\n"
                      "OnUnitInactiveSec=" +
                      milliseconds +
                      "\n"
                      "AccuracySec=100ms\n"
                      "\n"
                      "[Install]\n"
                      "WantedBy=timers.target\n"}};
}

}  // namespace hamn::cron
