#include "base/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/disk.h"
#include "base/local_host.h"
#include "base/text.h"

namespace hamn::base {

namespace {

constexpr const char* evil = "<b onload=\"x\">&amp;\x1b[2J'\xff";

Report sample() {
  return {.title = "Takeover of cluster blue",
          .mark = Mark::good,
          .verdict = "done",
          .headline = "mn2 is the management node since 03:04:05.",
          .sections = {
              {.key = "facts",
               .title = "In short",
               .body = FactList{{{.name = "Recovery point", .value = "42", .key = "point"},
                                 {.name = "Epoch", .value = "7", .key = "epoch"}}}},
              {.key = "steps",
               .title = "Steps",
               .body = Table{.columns = {{"step", "Step"}, {"took", "Took"}, {"note", "Note"}},
                             .rows = {{.cells = {"fence", "1.2 s", "by bmc"}, .mark = Mark::good},
                                      {.cells = {"dns", "3 s", "slow"}, .mark = Mark::warning},
                                      {.cells = {"dhcp", "0 s", ""}, .mark = Mark::bad}}}},
              {.key = "time",
               .title = "Timeline",
               .body = Timeline{{{.label = "fence",
                                  .start_ms = 0,
                                  .end_ms = 1200,
                                  .mark = Mark::good,
                                  .note = "by bmc"},
                                 {.label = "dns",
                                  .start_ms = 1200,
                                  .end_ms = 61'000,
                                  .mark = Mark::neutral,
                                  .note = ""}}}},
              {.key = "notes", .title = "Notes", .body = Prose{{"First.", "Second."}}}}};
}

/// A report with the worst text in every place.
Report evil_report() {
  return {.title = evil,
          .mark = Mark::bad,
          .verdict = evil,
          .headline = evil,
          .sections = {{.key = "a", .title = evil, .body = FactList{{{evil, evil, "k"}}}},
                       {.key = "b",
                        .title = evil,
                        .body = Table{.columns = {{"c", evil}}, .rows = {{.cells = {evil}}}}},
                       {.key = "c",
                        .title = evil,
                        .body = Timeline{{{.label = evil, .end_ms = 5, .note = evil}}}},
                       {.key = "d", .title = evil, .body = Prose{{evil}}}}};
}

/// What is wrong with each page; "" if every element is closed and nothing is loaded from
/// elsewhere.
std::vector<std::string> troubles_with(const std::vector<std::string>& pages) {
  const std::string checker = R"(
import json, sys
from html.parser import HTMLParser
class Checker(HTMLParser):
    void = {"meta", "link", "br", "img", "input", "hr"}
    def __init__(self):
        super().__init__()
        self.open, self.trouble = [], []
    def handle_starttag(self, tag, attributes):
        self.look(tag, attributes)
        if tag not in self.void: self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        self.look(tag, attributes)
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag: self.trouble.append("unbalanced " + tag)
    def look(self, tag, attributes):
        if tag in ("script", "link", "img", "iframe", "b"): self.trouble.append("element " + tag)
        for name, value in attributes:
            if name in ("src", "href", "srcset") or name.startswith("on"):
                self.trouble.append("attribute " + name)
            if value is None: self.trouble.append("bare attribute " + name)
        names = [name for name, _ in attributes]
        if len(set(names)) != len(names): self.trouble.append("attribute twice in " + tag)
def trouble_with(text):
    checker = Checker()
    checker.feed(text)
    checker.close()
    if checker.open: checker.trouble.append("left open: " + " ".join(checker.open))
    for word in ("http:", "https:", "url(", "@import", "//"):
        if word in text: checker.trouble.append("reference " + word)
    return "; ".join(checker.trouble)
print(json.dumps([trouble_with(page) for page in json.load(sys.stdin)]))
)";
  RealDisk disk;
  LocalHost host{"here", disk};
  const auto outcome =
      host.run({.argv = {"python3", "-c", checker}, .input = nlohmann::json(pages).dump()});
  EXPECT_TRUE(outcome.succeeded()) << outcome.error_output;
  return nlohmann::json::parse(outcome.output).get<std::vector<std::string>>();
}

std::string trouble_with(const std::string& page) {
  return troubles_with({page}).at(0);
}

}  // namespace

TEST(ReportTest, RendersAsTextForATerminal) {
  EXPECT_EQ(
      "Takeover of cluster blue\n"
      "done: mn2 is the management node since 03:04:05.\n"
      "\n"
      "In short\n"
      "  Recovery point  42\n"
      "  Epoch           7\n"
      "\n"
      "Steps\n"
      "    Step   Took   Note\n"
      "  + fence  1.2 s  by bmc\n"
      "  ! dns    3 s    slow\n"
      "  x dhcp   0 s\n"
      "\n"
      "Timeline\n"
      "    What   From     To\n"
      "  + fence  0 ms     1200 ms   by bmc\n"
      "    dns    1200 ms  61000 ms\n"
      "\n"
      "Notes\n"
      "  First.\n"
      "  Second.\n",
      to_text(sample()));
}

TEST(ReportTest, WrapsTextAtTheWidthOfTheTerminal) {
  std::string words;
  for (int i = 0; i < 60; ++i) words += "wörd" + std::to_string(i) + " ";
  auto report = sample();
  report.headline = words;
  report.sections = {
      {.key = "a", .title = "A", .body = Prose{{words}}},
      {.key = "b", .title = "B", .body = FactList{{{"Name", words, "n"}}}},
      {.key = "c",
       .title = "C",
       .body = Table{.columns = {{"x", "X"}, {"y", "Y"}}, .rows = {{.cells = {"x", words}}}}}};
  const auto characters = [](const std::string& line) {
    return std::count_if(line.begin(), line.end(),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
  };
  for (const int columns : {60, 80, 132}) {
    long longest = 0;
    for (const auto& line : lines_of(to_text(report, columns))) {
      longest = std::max(longest, characters(line));
    }
    EXPECT_LE(longest, columns);
    EXPECT_GT(longest, columns - 12);
  }
}

TEST(ReportTest, RendersAsJsonForScripts) {
  const auto json = nlohmann::json::parse(to_json(sample()));
  EXPECT_EQ("Takeover of cluster blue", json["title"]);
  EXPECT_EQ("done", json["verdict"]);
  EXPECT_EQ("good", json["mark"]);
  EXPECT_EQ("mn2 is the management node since 03:04:05.", json["headline"]);
  EXPECT_EQ("42", json["facts"]["point"]);
  EXPECT_EQ("dns", json["steps"][1]["step"]);
  EXPECT_EQ("warning", json["steps"][1]["mark"]);
  EXPECT_EQ(61'000, json["time"][1]["end_ms"]);
  EXPECT_EQ((nlohmann::json{"First.", "Second."}), json["notes"]);
  EXPECT_TRUE(to_json(sample()).ends_with("}\n"));
}

TEST(ReportTest, RendersAsOnePageThatLoadsNothing) {
  const auto page = to_html(sample());
  EXPECT_EQ("", trouble_with(page));
  for (const char* text : {"Takeover of cluster blue", "mn2 is the management node", "42", "by bmc",
                           "Second.", "class=\"badge good\">done<"}) {
    EXPECT_NE(std::string::npos, page.find(text)) << text;
  }
}

TEST(ReportTest, EscapesTheWorstTextEverywhere) {
  const auto page = to_html(evil_report());
  EXPECT_EQ("", trouble_with(page));
  EXPECT_EQ(std::string::npos, page.find("<b "));
  EXPECT_NE(std::string::npos, page.find("&lt;b onload=&quot;x&quot;&gt;&amp;amp;\\x1b[2J'\\xff"));
  const auto text = to_text(evil_report());
  EXPECT_EQ(std::string::npos, text.find('\x1b'));
  EXPECT_EQ(std::string::npos, text.find('\xff'));
  EXPECT_TRUE(nlohmann::json::accept(to_json(evil_report())));
}

TEST(ReportTest, FindsWhatIsWrongWithAPage) {
  for (const auto& trouble :
       troubles_with({"<p><i>x</p></i>", "<p>x", "<a href=\"x\">x</a>",
                      "<style>@import url(x)</style>", "<p onclick=\"x\">x</p>"})) {
    EXPECT_NE("", trouble);
  }
}

TEST(ReportTest, RendersEmptySectionsAndShortRows) {
  const Report report{.title = "T",
                      .verdict = "done",
                      .headline = "H",
                      .sections = {{.key = "a", .title = "A", .body = FactList{}},
                                   {.key = "b", .title = "B", .body = Table{}},
                                   {.key = "c", .title = "C", .body = Timeline{}},
                                   {.key = "d", .title = "D", .body = Prose{}},
                                   {.key = "e",
                                    .title = "E",
                                    .body = Table{.columns = {{"x", "X"}, {"y", "Y"}},
                                                  .rows = {{.cells = {"1"}}}}}}};
  EXPECT_EQ("T\ndone: H\n\nA\n\nB\n\nC\n    What  From  To\n\nD\n\nE\n    X  Y\n    1\n",
            to_text(report));
  EXPECT_EQ("", nlohmann::json::parse(to_json(report))["e"][0]["y"]);
  EXPECT_EQ("", trouble_with(to_html(report)));
}

TEST(ReportTest, DrawsLongAndShortRunsToScale) {
  std::vector<std::string> pages;
  for (const std::int64_t end_ms : {0L, 1L, 999L, 60'000L, 86'400'000L * 30}) {
    pages.push_back(to_html(
        {.title = "T",
         .headline = "H",
         .sections = {
             {.key = "c", .title = "C", .body = Timeline{{{.label = "a", .end_ms = end_ms}}}}}}));
    EXPECT_LT(split(pages.back(), '<').size(), 80U) << "the axis has few marks";
  }
  for (const auto& trouble : troubles_with(pages)) EXPECT_EQ("", trouble);
}

}  // namespace hamn::base
