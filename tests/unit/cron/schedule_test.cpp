#include "cron/schedule.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "cron/crontab.h"
#include "cron/systemd.h"
#include "tests/support/scripted_host.h"

namespace hamn::cron {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

base::Site site_with(const std::string& schedule) {
  return base::parse_site(
      "[host.mn1]\naddress = \"10.77.0.11\"\n[host.mn2]\naddress = "
      "\"10.77.0.12\"\n[service]\naddress = \"10.77.0.11/16\"\nhostname = "
      "\"mn1\"\n[schedule]\n" +
          schedule,
      "/etc/hamn/hamn.toml");
}

Lines lines_of(const base::Plan& plan) {
  Lines lines;
  for (const auto& action : plan.actions) {
    const auto* file = std::get_if<base::FileWrite>(&action.act);
    lines.push_back(file != nullptr ? "write " + file->path : base::to_text(action));
  }
  return lines;
}

const Job job{.name = "sync-install",
              .description = "copy the file set install to the standby",
              .argv = {"/usr/bin/hamn", "sync", "run"},
              .every = 10min};

TEST(CronFieldsTest, RoundsDownToWhatCronCanSay) {
  for (const auto& [every, fields] :
       std::vector<std::pair<base::Milliseconds, std::string>>{{5s, "* * * * *"},
                                                               {1min, "* * * * *"},
                                                               {90s, "* * * * *"},
                                                               {5min, "*/5 * * * *"},
                                                               {7min, "*/6 * * * *"},
                                                               {59min, "*/30 * * * *"},
                                                               {60min, "0 * * * *"},
                                                               {61min, "0 * * * *"},
                                                               {2h, "0 */2 * * *"},
                                                               {5h, "0 */4 * * *"},
                                                               {12h, "0 */12 * * *"},
                                                               {23h, "0 */12 * * *"},
                                                               {24h, "0 0 * * *"},
                                                               {240h, "0 0 * * *"}}) {
    EXPECT_EQ(cron_fields(every), fields) << every.count() << " ms";
  }
}

TEST(CronFieldsTest, TellsWhichJobsItCannotKeep) {
  auto fast = job;
  fast.name = "database";
  fast.every = 5s;
  EXPECT_EQ(rounded_jobs({job, fast}), (Lines{"database: every 5.00 s becomes every 1 min"}));
}

TEST(RenderCrontabTest, QuotesWordsForTheShellAndPercentForCron) {
  auto odd = job;
  odd.argv = {"/usr/bin/hamn", "--config", "/etc/my conf/100%.toml", "it's"};
  EXPECT_EQ(render_crontab({odd}),
            "# Written by hamn cron install; changes are lost.\n"
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
            "MAILTO=root\n"
            "# copy the file set install to the standby\n"
            "*/10 * * * * root /usr/bin/hamn --config '/etc/my conf/100\\%.toml' 'it'\\''s'\n");
}

TEST(UnitWordTest, QuotesWhatSystemdWouldSplitOrExpand) {
  for (const auto& [word, quoted] :
       std::vector<std::pair<std::string, std::string>>{{"plain", "plain"},
                                                        {"two words", "\"two words\""},
                                                        {"100%", "100%%"},
                                                        {"$HOME", "$$HOME"},
                                                        {"a\"b", "\"a\\\"b\""},
                                                        {"back\\slash", "back\\\\slash"},
                                                        {"it's", "\"it's\""},
                                                        {";", "\";\""},
                                                        {"", "\"\""}}) {
    EXPECT_EQ(unit_word(word), quoted) << word;
  }
}

TEST(RenderUnitsTest, MakesAServiceAndItsTimer) {
  const auto files = render_units(job);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].path, "/etc/systemd/system/hamn-sync-install.service");
  EXPECT_NE(files[0].content.find("\nExecStart=/usr/bin/hamn sync run\n"), std::string::npos);
  EXPECT_NE(files[0].content.find("\nSuccessExitStatus=3\n"), std::string::npos);
  EXPECT_NE(files[0].content.find("\nType=oneshot\n"), std::string::npos);
  EXPECT_EQ(files[1].path, "/etc/systemd/system/hamn-sync-install.timer");
  EXPECT_NE(files[1].content.find("\nOnUnitInactiveSec=600000ms\n"), std::string::npos);
  EXPECT_NE(files[1].content.find("\nWantedBy=timers.target\n"), std::string::npos);
}

TEST(MakeJobsTest, MakesAJobPerFileSetAndOneForTheDatabase) {
  const auto jobs = make_jobs(site_with("sync-etc = \"5min\"\n"), {"hamn", "--config", "/x"});
  Lines lines;
  for (const auto& each : jobs) {
    lines.push_back(each.name + " " + base::human_duration(each.every) + " " +
                    base::join(each.argv, " "));
  }
  EXPECT_EQ(lines,
            (Lines{"database 1 min hamn --config /x db replicate --scheduled",
                   "sync-credentials 1 min hamn --config /x sync run --set credentials --scheduled",
                   "sync-etc 5 min hamn --config /x sync run --set etc --scheduled",
                   "sync-install 10 min hamn --config /x sync run --set install --scheduled"}));
}

TEST(PlanInstallTest, WritesUnitsAndStartsTheirTimers) {
  const auto plan = plan_install(site_with(""), "mn1", {job}, {});
  EXPECT_EQ(lines_of(plan),
            (Lines{"write /etc/systemd/system/hamn-sync-install.service",
                   "write /etc/systemd/system/hamn-sync-install.timer", "systemctl daemon-reload",
                   "systemctl enable --now --quiet hamn-sync-install.timer"}));
}

TEST(PlanInstallTest, RemovesJobsThatAreNoMoreAndTheOtherStyle) {
  const Lines present{"/etc/cron.d/hamn", "/etc/systemd/system/hamn-sync-gone.service",
                      "/etc/systemd/system/hamn-sync-gone.timer",
                      "/etc/systemd/system/hamn-sync-install.timer"};
  const auto lines = lines_of(plan_install(site_with(""), "mn1", {job}, present));
  ASSERT_GE(lines.size(), 3U);
  EXPECT_EQ(lines[0], "systemctl disable --now --quiet hamn-sync-gone.timer");
  EXPECT_EQ(lines[1],
            "rm -f /etc/cron.d/hamn /etc/systemd/system/hamn-sync-gone.service "
            "/etc/systemd/system/hamn-sync-gone.timer");
  EXPECT_EQ(lines[2], "systemctl daemon-reload");
}

TEST(PlanInstallTest, WritesOneCrontabAndStopsTheTimers) {
  const Lines present{"/etc/systemd/system/hamn-sync-install.service",
                      "/etc/systemd/system/hamn-sync-install.timer"};
  EXPECT_EQ(lines_of(plan_install(site_with("style = \"crontab\"\n"), "mn1", {job}, present)),
            (Lines{"systemctl disable --now --quiet hamn-sync-install.timer",
                   "rm -f /etc/systemd/system/hamn-sync-install.service "
                   "/etc/systemd/system/hamn-sync-install.timer",
                   "systemctl daemon-reload", "write /etc/cron.d/hamn"}));
}

TEST(PlanRemoveTest, StopsTimersBeforeItRemovesThem) {
  EXPECT_EQ(lines_of(plan_remove(
                "mn1", {"/etc/systemd/system/hamn-a.service", "/etc/systemd/system/hamn-a.timer"})),
            (Lines{"systemctl disable --now --quiet hamn-a.timer",
                   "rm -f /etc/systemd/system/hamn-a.service /etc/systemd/system/hamn-a.timer",
                   "systemctl daemon-reload"}));
  EXPECT_TRUE(plan_remove("mn1", {}).actions.empty());
}

TEST(InstalledFilesTest, ListsOnlyWhatIsHamnsOwn) {
  test::ScriptedHost host{"mn1"};
  host.answer({"find"}, test::printed("/etc/systemd/system/hamn-b.timer\n/etc/cron.d/hamn-notes\n"
                                      "/etc/systemd/system/hamn-b.service\n/etc/cron.d/hamn\n"
                                      "/etc/systemd/system/hamn-b.mount\n"));
  EXPECT_EQ(installed_files(host), (Lines{"/etc/cron.d/hamn", "/etc/systemd/system/hamn-b.service",
                                          "/etc/systemd/system/hamn-b.timer"}));
}

}  // namespace
}  // namespace hamn::cron
