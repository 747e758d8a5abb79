#include "base/journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "tests/support/fake_clock.h"
#include "tests/support/forgetful_disk.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unsynced_disk.h"

namespace hamn::base {

namespace fs = std::filesystem;
using test::content_of;
using test::FakeClock;
using test::given_file;
using test::TemporaryDirectory;

class JournalTest : public testing::Test {
 protected:
  FileJournal journal(const std::string& run = "run-1") { return {disk_, clock_, path_, run}; }

  /// Three events, one with every kind of odd character in its facts.
  void given_three_events() {
    auto journal = this->journal();
    journal.append("run_started", {{"verb", "failover"}});
    clock_.advance(Milliseconds{1500});
    journal.append("action_started", {{"host", "mn2"}, {"command", "echo \"a\tb\\\" ü €\x01"}});
    journal.append("run_finished", {});
  }

  std::vector<std::string> kinds() const {
    std::vector<std::string> kinds;
    for (const auto& event : read_journal(path_).events) kinds.push_back(event.kind);
    return kinds;
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_ / "state/journal.jsonl";
  test::UnsyncedDisk disk_;
  FakeClock clock_;
};

using Kinds = std::vector<std::string>;

TEST_F(JournalTest, KeepsWhatWasAppended) {
  given_three_events();
  const auto content = read_journal(path_);
  EXPECT_TRUE(content.damage.empty());
  ASSERT_EQ(3U, content.events.size());
  const auto& event = content.events[1];
  EXPECT_EQ(2U, event.number);
  EXPECT_EQ("2026-11-21T03:04:07.178Z", to_text(event.time));
  EXPECT_EQ("run-1", event.run);
  EXPECT_EQ("action_started", event.kind);
  EXPECT_EQ((Facts{{"host", "mn2"}, {"command", "echo \"a\tb\\\" ü €\x01"}}), event.facts);
}

TEST_F(JournalTest, IsEmptyWhereThereIsNone) {
  const auto content = read_journal(directory_ / "nothing");
  EXPECT_TRUE(content.events.empty());
  EXPECT_TRUE(content.damage.empty());
}

TEST_F(JournalTest, KeepsItsFileFromOthers) {
  given_three_events();
  EXPECT_EQ(fs::perms{0600}, fs::status(path_).permissions());
  EXPECT_EQ(fs::perms{0700}, fs::status(directory_ / "state").permissions());
}

TEST_F(JournalTest, WritesEveryLineAsDocumented) {
  journal().append("run_started", {{"verb", "failover"}});
  const auto text = content_of(path_);
  ASSERT_TRUE(text.ends_with("}\n"));
  const auto line = nlohmann::json::parse(text);
  EXPECT_EQ("run_started", line["event"]);
  EXPECT_EQ("origin", line["prev"]);
  auto hashed = line;
  hashed.erase("hash");
  EXPECT_EQ(sha256(hashed.dump()), line["hash"]);
}

TEST_F(JournalTest, GoesOnWhereAnotherRunStopped) {
  given_three_events();
  journal("run-2").append("run_started", {});
  const auto content = read_journal(path_);
  EXPECT_TRUE(content.damage.empty());
  EXPECT_EQ(4U, content.events.at(3).number);
  EXPECT_EQ("run-2", content.events.at(3).run);
}

TEST_F(JournalTest, ReplacesInvalidUtf8InFactsAndStaysReadable) {
  auto journal = this->journal();
  journal.append("a\xff", {{"file", "caf\xe9"}, {"na\xc0me", "x"}, {"torn", "\xe2\x82"}});
  journal.append("b", {});
  const auto content = read_journal(path_);
  EXPECT_TRUE(content.damage.empty());
  ASSERT_EQ(2U, content.events.size());
  EXPECT_EQ("caf\xef\xbf\xbd", content.events[0].facts.at("file"));
  EXPECT_EQ("x", content.events[0].facts.at("na\xef\xbf\xbdme"));
}

TEST_F(JournalTest, KeepsEventsOfAnySize) {
  const std::string large(300'000, 'x');
  auto journal = this->journal();
  journal.append("large", {{"output", large}});
  journal.append("after", {});
  EXPECT_EQ(large, read_journal(path_).events.at(0).facts.at("output"));
  this->journal("run-2").append("more", {});
  EXPECT_EQ((Kinds{"large", "after", "more"}), kinds());
}

TEST_F(JournalTest, CutsOffATornLastLineAndSaysSo) {
  given_three_events();
  const auto whole = content_of(path_);
  given_file(path_, whole + "{\"event\":\"half");
  EXPECT_EQ(4U, read_journal(path_).damage.at(0).line);
  EXPECT_EQ("is torn (as by a power cut)", read_journal(path_).damage.at(0).reason);
  journal("run-2").append("run_started", {});
  const auto content = read_journal(path_);
  EXPECT_TRUE(content.damage.empty());
  EXPECT_EQ(
      (Kinds{"run_started", "action_started", "run_finished", "journal_recovered", "run_started"}),
      kinds());
  EXPECT_EQ("14", content.events.at(3).facts.at("cut_bytes"));
}

TEST_F(JournalTest, SurvivesBeingCutAtEveryByte) {
  given_three_events();
  const auto whole = content_of(path_);
  const auto ends = [&] {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      if (whole[i] == '\n') found.push_back(i + 1);
    }
    return found;
  }();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto complete = static_cast<std::size_t>(
        std::count_if(ends.begin(), ends.end(), [&](std::size_t end) { return end <= size; }));
    const bool is_torn = size > 0 && whole[size - 1] != '\n';
    const auto cut = parse_journal(std::string_view{whole}.substr(0, size));
    EXPECT_EQ(complete, cut.events.size()) << size;
    EXPECT_EQ(is_torn ? 1U : 0U, cut.damage.size()) << size;
    path_ = directory_ / std::to_string(size);
    given_file(path_, whole.substr(0, size));
    journal("run-2").append("after", {});
    const auto recovered = read_journal(path_);
    EXPECT_TRUE(recovered.damage.empty()) << size;
    EXPECT_EQ(complete + (is_torn ? 2 : 1), recovered.events.size()) << size;
    EXPECT_EQ(recovered.events.size(), recovered.events.back().number) << size;
  }
}

TEST_F(JournalTest, NoticesEveryBitThatTurnsOver) {
  given_three_events();
  const auto whole = content_of(path_);
  const auto lines = lines_of(whole);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto line =
        1 + std::count(whole.begin(), whole.begin() + static_cast<long>(bit / 8), '\n');
    const auto content = parse_journal(damaged);
    ASSERT_FALSE(content.damage.empty()) << "bit " << bit;
    EXPECT_EQ(static_cast<std::uint64_t>(line), content.damage.front().line) << "bit " << bit;
    EXPECT_FALSE(content.damage.front().reason.empty());
  }
}

TEST_F(JournalTest, NoticesLinesThatWereTakenOutExchangedOrRepeated) {
  given_three_events();
  const auto lines = lines_of(content_of(path_));
  const auto damage_of = [](const std::vector<std::string>& changed) {
    return parse_journal(join(changed, "\n") + "\n").damage;
  };
  EXPECT_TRUE(damage_of(lines).empty());
  EXPECT_EQ(2U, damage_of({lines[0], lines[2]}).at(0).line);
  EXPECT_EQ(1U, damage_of({lines[1], lines[2]}).at(0).line);
  EXPECT_EQ(1U, damage_of({lines[1], lines[0], lines[2]}).at(0).line);
  EXPECT_EQ(3U, damage_of({lines[0], lines[1], lines[1], lines[2]}).at(0).line);
  EXPECT_EQ("does not follow the line before it", damage_of({lines[1]}).at(0).reason);
}

TEST_F(JournalTest, NamesWhatIsWrongWithALine) {
  struct Case {
    const char* line;
    const char* reason;
  };
  const std::vector<Case> cases{
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{\"n\":1", "not a JSON object"},
      {"{}", "has no text field \"time\""},
      {R"({"event":"e","facts":{},"hash":"h","n":1,"prev":"p","run":"r","time":7})",
       "has no text field \"time\""},
      {R"({"event":"e","facts":{},"hash":"h","n":-1,"prev":"p","run":"r","time":"t"})",
       "has no number, no facts, or more than belongs there"},
      {R"({"event":"e","facts":{"a":1},"hash":"h","n":1,"prev":"p","run":"r","time":"t"})",
       "has no number, no facts, or more than belongs there"},
      {R"({"event":"e","facts":{},"hash":"h","n":1,"prev":"p","run":"r","time":"t","x":1})",
       "has no number, no facts, or more than belongs there"},
      {R"({"event":"e","facts":{},"hash":"h","n":2,"n":1,"prev":"p","run":"r","time":"t"})",
       "is not written the way hamn writes"},
      {R"({"event":"e","facts":{},"hash":"h","n":1,"prev":"p","run":"r","time":"t"})",
       "its hash does not fit its content"}};
  for (const auto& each : cases) {
    const auto content = parse_journal(std::string{each.line} + "\n");
    ASSERT_EQ(1U, content.damage.size()) << each.line;
    EXPECT_EQ(each.reason, content.damage[0].reason) << each.line;
    EXPECT_TRUE(content.events.empty());
  }
}

TEST_F(JournalTest, NoticesATimeThatNeverWasEvenIfTheHashFits) {
  nlohmann::json line{{"event", "e"}, {"facts", nlohmann::json::object()},
                      {"n", 1},       {"prev", "origin"},
                      {"run", "r"},   {"time", "2026-13-01T00:00:00.000Z"}};
  line["hash"] = sha256(line.dump());
  EXPECT_EQ("has an impossible time", parse_journal(line.dump() + "\n").damage.at(0).reason);
}

TEST_F(JournalTest, LeavesADamagedLineInTheMiddleWhereItIs) {
  given_three_events();
  auto lines = lines_of(content_of(path_));
  lines[1] = "damaged";
  given_file(path_, join(lines, "\n") + "\n");
  journal("run-2").append("run_started", {});
  const auto content = read_journal(path_);
  EXPECT_EQ((Kinds{"run_started", "run_finished", "run_started"}), kinds());
  ASSERT_EQ(2U, content.damage.size());
  EXPECT_EQ(2U, content.damage[0].line);
  EXPECT_EQ(3U, content.damage[1].line);
  EXPECT_EQ("damaged", lines_of(content_of(path_)).at(1));
}

TEST_F(JournalTest, StartsANewChainBehindADamagedLastLine) {
  given_three_events();
  auto lines = lines_of(content_of(path_));
  lines[2] = "damaged";
  given_file(path_, join(lines, "\n") + "\n");
  journal("run-2").append("run_started", {});
  const auto content = read_journal(path_);
  EXPECT_EQ((Kinds{"run_started", "action_started", "run_started"}), kinds());
  EXPECT_EQ(1U, content.damage.size()) << "the good lines still follow each other";
}

TEST_F(JournalTest, TakesUpWhatOthersAppendedMeanwhile) {
  auto one = journal("run-1");
  auto two = journal("run-2");
  one.append("a", {});
  two.append("b", {});
  one.append("c", {});
  two.append("d", {});
  EXPECT_TRUE(read_journal(path_).damage.empty());
  EXPECT_EQ((Kinds{"a", "b", "c", "d"}), kinds());
}

TEST_F(JournalTest, KeepsTheChainWholeWhenSeveralProcessesAppend) {
  constexpr int processes = 4;
  constexpr int events = 25;
  std::vector<pid_t> children;
  for (int p = 0; p < processes; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto journal = this->journal("run-" + std::to_string(p));  // they also race to make the file
      for (int i = 0; i < events; ++i) journal.append("e", {{"i", std::to_string(i)}});
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(0, status);
  }
  const auto content = read_journal(path_);
  EXPECT_TRUE(content.damage.empty());
  ASSERT_EQ(static_cast<std::size_t>(processes * events), content.events.size());
  std::map<std::string, int> seen;
  for (std::size_t i = 0; i < content.events.size(); ++i) {
    EXPECT_EQ(i + 1, content.events[i].number);
    EXPECT_EQ(std::to_string(seen[content.events[i].run]++), content.events[i].facts.at("i"));
  }
}

TEST_F(JournalTest, RefusesToWriteIntoAFileThatWasRemoved) {
  auto journal = this->journal();
  journal.append("a", {});
  fs::remove(path_);
  EXPECT_THROW(journal.append("b", {}), DiskError);
}

TEST_F(JournalTest, StartsAgainWhenSomebodyCutTheFileShorter) {
  auto journal = this->journal();
  journal.append("a", {});
  journal.append("b", {});
  fs::resize_file(path_, 0);
  journal.append("c", {});
  const auto content = read_journal(path_);
  EXPECT_TRUE(content.damage.empty());
  EXPECT_EQ((Kinds{"c"}), kinds());
}

TEST(JournalCrashTest, LosesNoConfirmedEventWhereverThePowerIsCut) {
  // What append() confirmed before the cut, told by a file that the test keeps outside of the disk.
  const TemporaryDirectory outside;
  const test::CrashTest crash{
      .given =
          [&](const std::string& root) {
            test::UnsyncedDisk real;
            FakeClock clock;
            FileJournal journal{real, clock, root + "/journal", "run-0"};
            journal.append("before", {});
            given_file(outside / "confirmed", "1");
          },
      .work =
          [&](Disk& disk, const std::string& root) {
            FakeClock clock;
            FileJournal journal{disk, clock, root + "/journal", "run-1"};
            for (int i = 2; i <= 3; ++i) {
              journal.append("e", {{"i", std::to_string(i)}});
              given_file(outside / "confirmed", std::to_string(i));
            }
          },
      .check =
          [&](const std::string& root, bool) {
            const auto confirmed = *parse_unsigned(content_of(outside / "confirmed"));
            EXPECT_GE(read_journal(root + "/journal").events.size(), confirmed);
            test::UnsyncedDisk real;
            FakeClock clock;
            FileJournal{real, clock, root + "/journal", "run-2"}.append("after", {});
            const auto content = read_journal(root + "/journal");
            EXPECT_TRUE(content.damage.empty());
            EXPECT_EQ("after", content.events.back().kind);
          }};
  EXPECT_GE(test::cut_power_everywhere(crash), 20U);
}

TEST(JournalCrashTest, MakesTheNameOfANewJournalLastBeforeAnythingIsConfirmed) {
  const TemporaryDirectory directory;
  test::ForgetfulDisk disk{directory.path()};
  FakeClock clock;
  FileJournal{disk, clock, directory / "journal", "run-1"}.append("e", {});
  disk.power_cut(test::PowerLoss::forget_all_unsynced);
  EXPECT_EQ(1U, read_journal(directory / "journal").events.size());
}

TEST(JournalCrashTest, MakesTheNameLastThatAnotherRunLeftUnsynced) {
  const TemporaryDirectory directory;
  test::ForgetfulDisk disk{directory.path()};
  FakeClock clock;
  given_file(directory / "journal", "");  // made past the disk: not synced
  FileJournal{disk, clock, directory / "journal", "run-1"}.append("e", {});
  disk.power_cut(test::PowerLoss::forget_all_unsynced);
  EXPECT_EQ(1U, read_journal(directory / "journal").events.size());
}

TEST(RunIdTest, SortsByTimeAndDiffersWithinASecond) {
  FakeClock clock;
  std::set<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.insert(new_run_id(clock));
  EXPECT_EQ(20U, ids.size());
  for (const auto& id : ids) {
    EXPECT_TRUE(id.starts_with("20261121T030405Z-")) << id;
    EXPECT_EQ(23U, id.size());
  }
  clock.advance(std::chrono::seconds{1});
  EXPECT_GT(new_run_id(clock), *ids.rbegin());
}

}  // namespace hamn::base
