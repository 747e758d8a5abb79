#include "takeover/report.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/takeover/world.h"

namespace hamn::takeover {
namespace {

/// The journal of a world as it would be on a real host.
base::JournalContent journal_of(const World& world) {
  base::JournalContent journal{.events = world.events, .damage = {}};
  for (auto& event : journal.events) {
    for (auto& [name, value] : event.facts) {
      const auto& directory = world.site.state_directory;
      for (auto at = value.find(directory); at != std::string::npos; at = value.find(directory)) {
        value.replace(at, directory.size(), "/var/lib/hamn");
      }
    }
  }
  return journal;
}

/// Compares with tests/golden/report; HAMN_UPDATE_GOLDEN=1 writes the file instead.
void expect_golden(const std::string& name, const std::string& text) {
  const auto path = std::string{HAMN_SOURCE_DIRECTORY} + "/tests/golden/report/" + name + ".txt";
  if (std::getenv("HAMN_UPDATE_GOLDEN") != nullptr) test::given_file(path, text);
  EXPECT_EQ(text, test::content_of(path)) << path;
}

base::Report report_of(const World& world, const std::string& run = "run-1") {
  return report_of_run(journal_of(world), run);
}

void given_failing(World& world, const std::string& command) {
  world.faults[command] = {.works = false, .outcome = {.exit_code = 1, .error_output = "no\n"}};
}

TEST(ReportTest, TellsARunThatDidEverything) {
  World world;
  auto orders = world.default_orders();
  orders.header["reason"] = "mn1 burns";
  (void)world.failover(orders);
  expect_golden("done", to_text(report_of(world)));
}

TEST(ReportTest, TellsARefusalAndWhatWouldHaveToBeTrue) {
  World world;
  world.state.primary = Life::works;
  world.given_point(std::chrono::hours{9});
  (void)world.failover();
  const auto report = report_of(world);
  EXPECT_EQ(report.verdict, "refused");
  EXPECT_EQ(report.mark, base::Mark::bad);
  expect_golden("refused", to_text(report));
}

TEST(ReportTest, TellsARunThatFailedBeforeAnythingWasServed) {
  World world;
  world.power_off_works = false;
  (void)world.failover();
  expect_golden("failed", to_text(report_of(world)));
}

TEST(ReportTest, TellsARunThatStoppedAfterThePointOfNoReturn) {
  World world;
  given_failing(world, "makedns");
  (void)world.failover();
  EXPECT_EQ(report_of(world).verdict, "incomplete");
  expect_golden("incomplete", to_text(report_of(world)));
}

TEST(ReportTest, TellsARunThatWentOnWhereAnotherOneHadStopped) {
  World world;
  given_failing(world, "makedns");
  (void)world.failover();
  world.faults.clear();
  (void)world.failover();
  expect_golden("resumed", to_text(report_of(world, "run-2")));
}

TEST(ReportTest, TellsARunThatWasCutOff) {
  World world;
  world.kill_at(70);
  EXPECT_THROW((void)world.failover(), Killed);
  const auto report = report_of(world);
  EXPECT_EQ(report.verdict, "unfinished");
  EXPECT_EQ(report.headline,
            "The run was cut off. Run hamn failover again: it goes on where it was.");
  expect_golden("unfinished", to_text(report));
}

TEST(ReportTest, SaysInItsFirstLinesThatALossWasAccepted) {
  World world;
  world.given_point(std::chrono::hours{9});
  auto orders = world.default_orders();
  orders.accept_loss = "nobody changed anything since";
  (void)world.failover(orders);
  const auto report = report_of(world);
  EXPECT_EQ(report.headline,
            "mn2 is the management node now. Loss of data was accepted: nobody changed anything "
            "since");
  EXPECT_NE(to_text(report).find("passed by --accept-loss: nobody changed anything since"),
            std::string::npos);
}

TEST(ReportTest, NamesWhatIsLeftToDo) {
  World world{{.console_limit = 2}};
  (void)world.failover();
  const auto report = report_of(world);
  EXPECT_EQ(report.verdict, "done with problems");
  EXPECT_EQ(report.mark, base::Mark::warning);
  EXPECT_NE(to_text(report).find("chtab key=consoleondemand site.value=yes; makeconservercf"),
            std::string::npos);
}

TEST(ReportTest, TellsThatTheJournalIsDamaged) {
  World world;
  (void)world.failover();
  auto journal = journal_of(world);
  journal.damage = {{.line = 7, .reason = "its hash does not fit"}};
  EXPECT_NE(to_text(report_of_run(journal, "run-1"))
                .find("The journal is damaged in line 7: its hash does not fit."),
            std::string::npos);
}

TEST(ReportTest, IsOneHtmlPageWithATimelineAndWithoutReferences) {
  World world;
  (void)world.failover();
  const auto html = to_html(report_of(world));
  EXPECT_NE(html.find("<svg"), std::string::npos);
  EXPECT_NE(html.find("start-xcatd"), std::string::npos);
  for (const auto* reference : {"src=", "<link", "<script", "@import", "url("}) {
    EXPECT_EQ(html.find(reference), std::string::npos) << reference;
  }
}

TEST(ReportTest, SaysSoIfThereIsNoSuchRun) {
  try {
    (void)report_of_run({}, "run-9");
    ADD_FAILURE() << "it reported a run that never was";
  } catch (const base::Error& error) {
    EXPECT_STREQ(error.what(), "there is no run run-9 in the journal");
    EXPECT_EQ(error.code(), base::Exit::usage);
  }
}

TEST(ReportTest, ListsAllRunsOldestFirst) {
  World world;
  world.kill_at(20);
  EXPECT_THROW((void)world.failover(), Killed);
  world.kill_at(0);
  world.state.primary_has_power = true;
  world.state.primary = Life::works;
  (void)world.failover();
  world.state.primary = Life::silent;
  (void)world.failover();
  std::vector<std::string> lines;
  for (const auto& run : list_runs(world.events)) {
    EXPECT_EQ(run.verb, "failover");
    EXPECT_EQ(run.host, "mn2");
    lines.push_back(run.run + " " + run.result);
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"run-1 unfinished", "run-2 refused", "run-3 done"}));
  EXPECT_TRUE(list_runs({}).empty());
}

TEST(ReportTest, HasAWordForEveryExitCode) {
  for (const auto& [code, word] : std::map<std::string, std::string>{{"0", "done"},
                                                                     {"1", "failed"},
                                                                     {"2", "usage"},
                                                                     {"3", "locked"},
                                                                     {"4", "done with problems"},
                                                                     {"5", "refused"},
                                                                     {"6", "incomplete"},
                                                                     {"130", "interrupted"},
                                                                     {"", "unfinished"},
                                                                     {"77", "unfinished"}}) {
    EXPECT_EQ(result_word(code), word);
  }
}

}  // namespace
}  // namespace hamn::takeover
