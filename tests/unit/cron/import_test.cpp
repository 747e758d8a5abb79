#include "cron/import.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"

namespace hamn::cron {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

ImportContext context() {
  ImportContext given;
  given.present["install"] = {.name = "install", .paths = {"/install", "/tftpboot"}, .exclude = {}};
  given.other_host = {"mn1", "10.0.0.1", "mn2", "10.0.0.2"};
  given.is_user = [](const std::string& name) { return name == "root" || name == "nobody"; };
  given.is_directory = [](const std::string& path) {
    return path == "/install" || path == "/opt/site" || path == "/etc/xcat";
  };
  given.read = [](const std::string& path) -> std::optional<std::string> {
    if (path == "/root/sync.sh") return "#!/bin/sh\nrsync -a /install mn2:/\n";
    if (path == "/etc/exclude") return "# what stays here\n*.swp\n- /site/tmp\n";
    return std::nullopt;
  };
  return given;
}

Import imported(const std::string& text) {
  return import_crontabs({{.name = "test", .text = text, .form = CrontabForm::guess}}, context());
}

/// "name: paths ! excludes every 10 min" of each set.
Texts sets_of(const Import& import) {
  Texts texts;
  for (const auto& set : import.sets) {
    auto text = set.settings.name + ": " + base::join(set.settings.paths, " ");
    if (!set.settings.exclude.empty()) text += " ! " + base::join(set.settings.exclude, " ");
    texts.push_back(text + " every " + base::human_duration(set.every));
  }
  return texts;
}

Texts remarks_of(const Import& import, ImportRemark::Kind kind) {
  Texts texts;
  for (const auto& remark : import.remarks) {
    if (remark.kind == kind) texts.push_back(remark.text);
  }
  return texts;
}

bool any_contains(const Texts& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

TEST(ImportTest, ReadsTheLinesThatXcatDocuments) {
  const auto import = imported(
      "CREDENTIALS_DIR=/etc/xcat\n"
      "0 1 * * * /usr/bin/rsync -Lprgotz $CREDENTIALS_DIR/hostkeys root@mn2:/etc/xcat/\n"
      "*/5 * * * * /usr/bin/rsync -Lprogtz $HOME/.ssh/id* mn2:$HOME/.ssh/\n"
      "0 2 * * * /usr/bin/rsync -Lprgotz $HOME/.xcat mn2:$HOME/\n"
      "0 3 * * * /usr/bin/rsync -Lprogtz /install 10.0.0.2:/\n");
  EXPECT_EQ(sets_of(import),
            (Texts{"hostkeys: /etc/xcat/hostkeys every 1 d", "id: /root/.ssh/id* every 5 min",
                   "xcat: /root/.xcat every 1 d"}));
  EXPECT_TRUE(remarks_of(import, ImportRemark::Kind::left).empty());
  EXPECT_EQ(remarks_of(import, ImportRemark::Kind::replaced),
            Texts{"/install is in the file set install already"});
  EXPECT_EQ(import.sets[0].settings.max_age, 48h);
  EXPECT_EQ(import.sets[1].settings.max_age, 0h);
}

TEST(ImportTest, ReadsPathsAsRsyncDoes) {
  for (const auto& [words, wanted] : std::vector<std::pair<std::string, Texts>>{
           {"/opt/site mn2:/opt", {"site: /opt/site every 1 min"}},
           {"/opt/site/ mn2:/opt/site/", {"site: /opt/site every 1 min"}},
           {"/opt/site/ mn2:/opt/site", {"site: /opt/site every 1 min"}},
           {"/etc/hosts mn2:/etc/hosts", {"hosts: /etc/hosts every 1 min"}},
           {"/opt/site mn2:/opt/site", {"site: /opt/site every 1 min"}},
           {"-R /opt/a /opt/b mn2:/", {"a: /opt/a /opt/b every 1 min"}},
           {"-R /opt/./a mn2:/opt", {"a: /opt/a every 1 min"}},
           {"/opt/a /opt/b root@mn2.cluster.test:/opt/", {"a: /opt/a /opt/b every 1 min"}},
           {"/opt//x/../site/. mn2:/opt/site", {"site: /opt/site every 1 min"}},
           {"'/opt/with blank' mn2:/opt/", {"with-blank: /opt/with blank every 1 min"}},
           {"mn1:/opt/site /opt/", {"site: /opt/site every 1 min"}},
           {"[10.0.0.2]:/opt/site /opt/", {"site: /opt/site every 1 min"}}}) {
    EXPECT_EQ(sets_of(imported("* * * * * rsync -rL " + words)), wanted) << words;
  }
}

TEST(ImportTest, SaysWhyALineCannotBeTranslated) {
  for (const auto& [command, why] : std::vector<std::pair<std::string, std::string>>{
           {"rsync -a /install node7:/", "not one of the two management nodes"},
           {"rsync -a /opt/site mn2:/backup/", "it arrives as /backup/site"},
           {"rsync -a /opt/site/ mn2:/opt/", "it arrives as /opt"},
           {"rsync -a /opt/site mn2::module", "rsync daemon"},
           {"rsync -a /opt/site rsync://mn2/x", "rsync daemon"},
           {"rsync -a /opt/site /backup/", "copies within this host"},
           {"rsync -a /opt/site joe@mn2:/opt/", "logs in as joe"},
           {"rsync -an /opt/site mn2:/opt/", "lists or tries"},
           {"rsync -a --files-from=/x / mn2:/", "list of files elsewhere"},
           {"rsync -a --remove-source-files /opt/site mn2:/opt/", "never does"},
           {"rsync -Lt /opt/site mn2:/opt/", "skips without -r"},
           {"rsync -a /opt/*/x mn2:/opt/", "last part"},
           {"rsync -a /opt/[ab] mn2:/opt/", "only * and ?"},
           {"rsync -a / mn2:/", "whole host"},
           {"rsync -a $(cat /x) mn2:/", "output of another command"},
           {"rsync -a `cat /x` mn2:/", "output of another command"},
           {"rsync -a $NOWHERE mn2:/", "variable NOWHERE is not set"},
           {"rsync -a '/x mn2:/", "quote is not closed"},
           {"rsync -a /x mn2:/ \\", "does not go on in the next"},
           {"rsync -a", "names no destination"},
           {"rsync --exclude", "lacks its value"},
           {"/root/sync.sh", "runs the script /root/sync.sh"},
           {"/usr/local/bin/rsync-all now", "not as a command"}}) {
    const auto import = imported("* * * * * " + command);
    EXPECT_TRUE(import.sets.empty()) << command;
    EXPECT_TRUE(any_contains(remarks_of(import, ImportRemark::Kind::left), why)) << command << "\n"
                                                                                 << to_toml(import);
  }
}

TEST(ImportTest, LooksThroughWrappers) {
  for (const std::string wrapper :
       {"nice", "nice -n 10", "nice -10", "ionice -c2 -n7 nice", "flock -n /run/lock/sync",
        "flock -w 5 /run/x", "timeout -k 5 3600", "sudo -n", "env LC_ALL=C PATH=/bin",
        "RSYNC_RSH=ssh", "nohup", "exec", "[ -x /usr/bin/rsync ] &&", "cd /opt &&", "( true;",
        "systemd-cat -t sync"}) {
    EXPECT_EQ(sets_of(imported("* * * * * " + wrapper + " rsync -rL /opt/site mn2:/opt/")),
              Texts{"site: /opt/site every 1 min"})
        << wrapper;
  }
  for (const std::string line :
       {"sh -c 'rsync -rL /opt/site mn2:/opt/'",
        "flock /run/x -c \"rsync -rL /opt/site mn2:/opt/\"",
        "bash -lc 'cd /opt; rsync -rL site mn2:/opt/'",
        "rsync -rL /opt/site mn2:/opt/ >/dev/null 2>&1",
        "rsync -rL /opt/site mn2:/opt/ | logger -t sync", "(rsync -rL /opt/site mn2:/opt/)"}) {
    EXPECT_EQ(sets_of(imported("* * * * * " + line)), Texts{"site: /opt/site every 1 min"}) << line;
  }
}

TEST(ImportTest, TellsWhatElseALineRuns) {
  const auto import = imported("* * * * * ping -c1 mn2 && rsync -rL /opt/site mn2:/opt/");
  EXPECT_EQ(import.sets.size(), 1U);
  EXPECT_TRUE(
      any_contains(remarks_of(import, ImportRemark::Kind::differs), "also runs: ping -c1 mn2"));
}

TEST(ImportTest, TellsWhatHamnDoesOtherwise) {
  for (const auto& [option, words] : std::vector<std::pair<std::string, std::string>>{
           {"-D", "devices"},
           {"--delete", "holds a deletion back"},
           {"--bwlimit=1000", "bandwidth"},
           {"-e 'ssh -p 2222'", "set port = 2222"},
           {"--rsh=\"/usr/bin/ssh -i /root/key -o BatchMode=yes\"", "set key = \"/root/key\""},
           {"-e rsh", "uses ssh"},
           {"--made-up", "does not know"},
           {"--no-perms", "always keeps modes"},
           {"-X", "extended attributes"}}) {
    const auto import = imported("* * * * * rsync -rL " + option + " /opt/a mn2:/opt/");
    EXPECT_EQ(import.sets.size(), 1U) << option;
    EXPECT_TRUE(any_contains(remarks_of(import, ImportRemark::Kind::differs), words))
        << option << "\n"
        << to_toml(import);
  }
}

TEST(ImportTest, ChoosesProfileAndDeletion) {
  struct Case {
    const char* options;
    bool is_faithful;
    bool deletes;
  };
  for (const auto& each :
       {Case{"-Lprgotz", false, false}, Case{"-a", true, false},
        Case{"-aHAXS --numeric-ids --delete", true, true}, Case{"-aL --delete-after", false, true},
        Case{"-rt", false, false}, Case{"-a --no-l", false, false},
        Case{"-a --delete -f 'P keep/'", true, false}, Case{"-a --delete -C", true, false},
        Case{"-ab --del", true, false}}) {
    const auto import =
        imported(std::string{"* * * * * rsync "} + each.options + " /opt/a mn2:/opt/");
    ASSERT_EQ(import.sets.size(), 1U) << each.options;
    EXPECT_EQ(import.sets[0].settings.is_faithful, each.is_faithful) << each.options;
    EXPECT_EQ(import.sets[0].settings.deletes, each.deletes) << each.options;
    const auto text = to_toml(import);
    EXPECT_EQ(text.find("profile = \"faithful\"") != std::string::npos, each.is_faithful) << text;
    EXPECT_EQ(text.find("\ndelete = true") != std::string::npos, each.deletes) << text;
  }
  EXPECT_TRUE(imported("* * * * * rsync -aHAXS --numeric-ids /opt/a mn2:/opt/").remarks.empty());
}

TEST(ImportTest, TranslatesExcludes) {
  for (const auto& [options, wanted] : std::vector<std::pair<std::string, std::string>>{
           {"--exclude=*.swp", "*.swp"},
           {"--exclude '*.swp' --exclude=.git/", "*.swp .git/"},
           {"--exclude=/site/tmp", "/opt/site/tmp"},
           {"--exclude=a/b", "a/b"},
           {"--exclude=/site/**/x", "/opt/site/**/x"},
           {"--exclude=tmp/***", "tmp/***"},
           {"-f '- *.o'", "*.o"},
           {"--exclude-from=/etc/exclude", "*.swp /opt/site/tmp"},
           {"--exclude=a --include=/b --exclude=c", "a + /opt/b c"},
           {"--exclude=a --exclude=! --exclude=c", "c"},
           {"--include='- x' --exclude=c", "x c"},
           {"--exclude=a -f 'merge /x' --exclude=c", "a"}}) {
    EXPECT_EQ(sets_of(imported("* * * * * rsync -rL " + options + " /opt/site mn2:/opt/")),
              Texts{"site: /opt/site ! " + wanted + " every 1 min"})
        << options;
  }
}

TEST(ImportTest, LeavesTheTablesOfXcatToTheDatabase) {
  const auto import = imported("* * * * * rsync -Lprgotz /etc/xcat mn2:/etc/");
  EXPECT_EQ(sets_of(import), Texts{"xcat: /etc/xcat ! /etc/xcat/*.sqlite* every 1 min"});
}

TEST(ImportTest, ShowsNoPasswords) {
  const auto import = imported("* * * * * RSYNC_PASSWORD=geheim rsync -rL /opt/site mn2:/opt/");
  EXPECT_EQ(to_toml(import).find("geheim"), std::string::npos);
  EXPECT_EQ(import.sets.size(), 1U);
}

TEST(ImportTest, ASecondLineForTheSamePathIsTold) {
  const auto import = imported(
      "* * * * * rsync -rL /opt/site mn2:/opt/\n"
      "0 * * * * root rsync -rL /opt/site/part mn2:/opt/site/\n");
  EXPECT_EQ(import.sets.size(), 1U);
  EXPECT_EQ(remarks_of(import, ImportRemark::Kind::replaced),
            Texts{"/opt/site/part is in the file set site already"});
}

constexpr const char* configuration =
    "[host.mn1]\naddress = \"10.0.0.1\"\n[host.mn2]\naddress = \"10.0.0.2\"\n[service]\n"
    "address = \"10.0.0.1/16\"\nhostname = \"mn1\"\n";

TEST(ImportTest, AddsToAConfigurationThatStaysGood) {
  const auto import = imported("*/5 * * * * rsync -rL --exclude='a\"b' /opt/site mn2:/opt/\n");
  for (const std::string& text :
       {std::string{configuration},
        std::string{configuration} + "[schedule] # when\nstyle = \"crontab\""}) {
    const auto more = add_to_configuration(text, import);
    const auto site = base::parse_site(more, "/x.toml");
    EXPECT_EQ(site.file_sets.at("site").paths, Texts{"/opt/site"});
    EXPECT_EQ(site.file_sets.at("site").exclude, Texts{"a\"b"});
    EXPECT_EQ(site.schedule.every.at("sync-site"), 5min);
    // Once it is there, there is nothing to add.
    auto again = context();
    again.present = site.file_sets;
    EXPECT_TRUE(import_crontabs({{.name = "t",
                                  .text = "*/5 * * * * rsync -rL /opt/site mn2:/opt/",
                                  .form = CrontabForm::user}},
                                again)
                    .sets.empty());
  }
}

TEST(CrontabReaderTest, KnowsHowOftenALineRuns) {
  for (const auto& [fields, every] :
       std::vector<std::pair<std::string, std::optional<base::Milliseconds>>>{
           {"* * * * *", 1min},
           {"*/5 * * * *", 5min},
           {"0 1 * * *", 24h},
           {"0 */2 * * *", 2h},
           {"0,30 * * * *", 30min},
           {"0 1 * * 0", 168h},
           {"0 1 * * mon,Thu", 72h},
           {"0 1 1 * *", 672h},
           {"0 1,3 * * *", 2h},
           {"10-20/5 * * * *", 5min},
           {"0 1 * * 7", 168h},
           {"59 23 * JAN *", 24h},
           {"60 * * * *", std::nullopt},
           {"a b c d e", std::nullopt},
           {"*/0 * * * *", std::nullopt},
           {"5-1 * * * *", std::nullopt}}) {
    EXPECT_EQ(interval_of(base::words_of(fields)), every) << fields;
  }
}

TEST(CrontabReaderTest, ReadsBothFormsAndTellsWhatItCannotRead) {
  const auto is_user = [](const std::string& name) { return name == "root"; };
  const auto crontab = read_crontab(
      "# a comment\nMAILTO = \"a b\"\n@daily root rsync a\\%b %input\n* * * * * cmd\nnonsense\n"
      "@often x\n* * * * *\n",
      CrontabForm::guess, is_user);
  ASSERT_EQ(crontab.lines.size(), 2U);
  EXPECT_EQ(crontab.lines[0].command, "rsync a%b ");
  EXPECT_EQ(crontab.lines[0].user, "root");
  EXPECT_EQ(crontab.lines[0].environment.at("MAILTO"), "a b");
  EXPECT_EQ(crontab.lines[1].command, "cmd");
  EXPECT_EQ(crontab.problems.size(), 3U);
}

TEST(ImportTest, SurvivesAnyBytes) {
  std::uint32_t state = 1;
  constexpr std::string_view bytes = "* 0rsync-a/:'\"\\$`{}()<>|&;%#~=\n\x80@mn2[]*?!";
  for (int round = 0; round < 2000; ++round) {
    std::string text = "* * * * * rsync ";
    for (int i = 0; i < 40; ++i) {
      state = state * 1664525U + 1013904223U;
      text += bytes[(state >> 16U) % bytes.size()];
    }
    (void)to_toml(imported(text));
  }
}

}  // namespace
}  // namespace hamn::cron
