#include "base/site.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "tests/support/temporary_directory.h"

namespace hamn::base {

namespace {

const std::string path = "/etc/hamn/hamn.toml";
const std::string hosts =
    "[host.mn1]\naddress = \"10.77.0.11\"\n[host.mn2]\naddress = \"10.77.0.12\"\n";
const std::string service = "[service]\naddress = \"10.77.0.11/16\"\nhostname = \"mn1\"\n";
const std::string smallest = hosts + service;

/// The lines of the detail with which the configuration is refused.
std::vector<std::string> problems_of(const std::string& text) {
  try {
    (void)parse_site(text, path);
  } catch (const Error& error) {
    EXPECT_EQ(Exit::usage, error.code());
    EXPECT_NE(std::string::npos, error.hint().find("hamn config"));
    return lines_of(error.detail());
  }
  return {};
}

using Lines = std::vector<std::string>;

/// The smallest configuration with some lines in front. Line 1 of `lines` is line 1 of the file.
Lines problems_with(const std::string& lines) {
  return problems_of(lines + "\n" + smallest);
}

std::string origin_of(const Site& site, const std::string& key) {
  for (const auto& setting : site.settings) {
    if (setting.key == key) return setting.value + " from " + setting.origin;
  }
  return "unknown";
}

}  // namespace

TEST(SiteTest, NeedsOnlyTheHostsAndTheServiceIdentity) {
  const auto site = parse_site(smallest, path);
  EXPECT_EQ(path, site.path);
  EXPECT_EQ("cluster", site.cluster);
  EXPECT_EQ(IdentityStyle::take, site.service.style);
  EXPECT_EQ((Subnet{.address = "10.77.0.11", .prefix_length = 16}), site.service.address);
  EXPECT_EQ("mn1", site.service.hostname);
  EXPECT_EQ("10.77.0.12", site.host("mn2").address);
  EXPECT_EQ("eth0", site.host("mn2").interface);
  EXPECT_EQ("auto", site.ssh_transport);
  EXPECT_EQ("root", site.ssh.user);
  EXPECT_EQ(22, site.ssh.port);
  EXPECT_TRUE(site.ssh.key_file.ends_with("/.ssh/id_ed25519") && site.ssh.key_file[0] == '/');
  EXPECT_EQ("/etc/hamn/known_hosts", site.ssh.known_hosts);
  EXPECT_EQ(std::chrono::seconds{10}, site.ssh.connect_limit);
  EXPECT_EQ("/var/lib/hamn", site.state_directory);
  EXPECT_EQ("/run/hamn", site.run_directory);
  EXPECT_EQ("/opt/xcat", site.xcat_root);
  EXPECT_EQ("/tftpboot", site.xcat_tftp_directory);
  EXPECT_EQ("/install", site.xcat_install_directory);
  EXPECT_EQ(5U, site.database.keep_points);
  EXPECT_EQ(std::chrono::hours{1}, site.database.max_age);
  EXPECT_TRUE(site.fences.empty());
  EXPECT_EQ("xcatd", site.units.xcatd);
  EXPECT_EQ("auto", site.units.dns);
  EXPECT_EQ(100U, site.takeover.console_limit);
  EXPECT_EQ(Milliseconds{600}, site.takeover.address_probe);
  EXPECT_EQ(std::chrono::minutes{15}, site.takeover.command_limit);
  EXPECT_EQ("systemd", site.schedule.style);
  EXPECT_EQ(std::chrono::minutes{10}, site.schedule.every.at("sync-install"));
  EXPECT_EQ(std::chrono::minutes{1}, site.schedule.every.at("database"));
}

TEST(SiteTest, ShipsFileSetsThatFollowTheDirectories) {
  const auto site =
      parse_site(smallest + "[xcat]\ninstall = \"/srv/install\"\ntftp = \"/srv/tftp\"\n", path);
  ASSERT_EQ(3U, site.file_sets.size());
  EXPECT_EQ((Lines{"/srv/install", "/srv/tftp"}), site.file_sets.at("install").paths);
  EXPECT_EQ((Lines{"/etc/hosts", "/etc/resolv.conf"}), site.file_sets.at("etc").paths);
  const auto& credentials = site.file_sets.at("credentials").paths;
  EXPECT_NE(credentials.end(), std::find(credentials.begin(), credentials.end(), "/etc/xcat/ca"));
  EXPECT_EQ(std::chrono::days{1}, site.file_sets.at("etc").max_age);
}

TEST(SiteTest, TakesEveryKeyThatIsDocumented) {
  const auto site = parse_site(R"(format = 1
[cluster]
name = "blue"
[host.mn1]
address = "fd00::11"
interface = "bond0"
[host.mn2]
address = "FD00:0::12"
[service]
style = "alias"
address = "fd00::1/64"
[ssh]
transport = "openssh"
user = "hamn"
port = 2222
key = "/etc/hamn/key"
known_hosts = "/etc/hamn/hosts"
connect_limit = "3s"
[paths]
state = "/srv/hamn"
run = "/run/h"
[sync.set.install]
exclude = ["*.iso"]
profile = "faithful"
delete = true
include = ["*/", "*.rpm"]
allow_host_specific = ["/etc/hostname"]
max_age = "2h"
[sync.set.more]
paths = ["/srv/more", "/etc/cfg*"]
[database]
keep_points = 9
max_age = "10min"
[[fence]]
name = "bmc"
off = ["/usr/bin/ipmitool", "-H", "{host}-bmc", "power", "off"]
status = ["/usr/bin/ipmitool", "-H", "{host}-bmc", "power", "status"]
off_when = "Chassis Power is off"
time_limit = "5s"
[[fence]]
name = "pdu"
off = ["/usr/bin/pdu", "off"]
status = ["/usr/bin/pdu", "status"]
off_when = "off"
[units]
dns = "named"
dhcp = "dhcpd"
console = "goconserver"
[takeover]
console_limit = 0
address_probe = "200ms"
command_limit = "1h"
[schedule]
style = "crontab"
database = "30s"
sync-more = "1d"
)",
                               path);
  EXPECT_EQ("blue", site.cluster);
  EXPECT_EQ(IdentityStyle::alias, site.service.style);
  EXPECT_EQ("", site.service.hostname);
  EXPECT_EQ("fd00::12", site.host("mn2").address) << "as the kernel writes it";
  EXPECT_EQ("bond0", site.host("mn1").interface);
  EXPECT_EQ("openssh", site.ssh_transport);
  EXPECT_EQ((Lines{"*.iso"}), site.file_sets.at("install").exclude);
  EXPECT_TRUE(site.file_sets.at("install").is_faithful);
  EXPECT_FALSE(site.file_sets.at("etc").is_faithful);
  EXPECT_TRUE(site.file_sets.at("install").deletes);
  EXPECT_EQ((Lines{"*/", "*.rpm"}), site.file_sets.at("install").include);
  EXPECT_EQ((Lines{"/etc/hostname"}), site.file_sets.at("install").allow_host_specific);
  EXPECT_FALSE(site.file_sets.at("etc").deletes);
  EXPECT_EQ((Lines{"/install", "/tftpboot"}), site.file_sets.at("install").paths);
  EXPECT_EQ((Lines{"/srv/more", "/etc/cfg*"}), site.file_sets.at("more").paths);
  ASSERT_EQ(2U, site.fences.size());
  EXPECT_EQ("{host}-bmc", site.fences[0].off.at(2));
  EXPECT_EQ(std::chrono::seconds{5}, site.fences[0].time_limit);
  EXPECT_EQ(std::chrono::seconds{30}, site.fences[1].time_limit);
  EXPECT_EQ("goconserver", site.units.console);
  EXPECT_EQ(std::chrono::days{1}, site.schedule.every.at("sync-more"));
  const auto to = site.ssh_to("mn2");
  EXPECT_EQ("mn2", to.name);
  EXPECT_EQ("fd00::12", to.address);
  EXPECT_EQ(2222, to.port);
  EXPECT_EQ("hamn", to.user);
}

TEST(SiteTest, TellsWhereEverySettingCameFrom) {
  const auto site =
      parse_site(smallest + "[ssh]\nport = 2222\n[cluster]\nname = \"blü\\\"e\"\n", path);
  EXPECT_EQ("\"10.77.0.12\" from /etc/hamn/hamn.toml:4", origin_of(site, "host.mn2.address"));
  EXPECT_EQ("2222 from /etc/hamn/hamn.toml:9", origin_of(site, "ssh.port"));
  EXPECT_EQ("\"root\" from default", origin_of(site, "ssh.user"));
  EXPECT_EQ("\"blü\\\"e\" from /etc/hamn/hamn.toml:11", origin_of(site, "cluster.name"));
  EXPECT_EQ("[\"/etc/hosts\", \"/etc/resolv.conf\"] from default",
            origin_of(site, "sync.set.etc.paths"));
  EXPECT_EQ("1 from default", origin_of(site, "format"));
}

TEST(SiteTest, NamesTheLineOfEveryBadValue) {
  struct Case {
    const char* lines;
    const char* problem;
  };
  const std::vector<Case> cases{
      {"format = 2", "line 1: format: this hamn reads format 1"},
      {"format = \"1\"", "line 1: format: must be a whole number from 0 to 1000"},
      {"cluster = 5", "line 1: cluster: must be a table: [cluster]"},
      {"[cluster]\nname = 5", "line 2: cluster.name: must be a text in quotes"},
      {"[ssh]\nport = 0", "line 2: ssh.port: must be a whole number from 1 to 65535"},
      {"[ssh]\nport = 65536", "line 2: ssh.port: must be a whole number from 1 to 65535"},
      {"[ssh]\nport = -1", "line 2: ssh.port: must be a whole number from 1 to 65535"},
      {"[ssh]\nport = 22.0", "line 2: ssh.port: must be a whole number from 1 to 65535"},
      {"[ssh]\ntransport = \"telnet\"",
       "line 2: ssh.transport: must be one of: auto, libssh2, openssh"},
      {"[ssh]\nconnect_limit = \"10\"",
       "line 2: ssh.connect_limit: must be a duration such as \"90s\", \"5min\", \"1h30min\", "
       "\"1d\""},
      {"[ssh]\nconnect_limit = \"0s\"", "line 2: ssh.connect_limit: must be a second or more"},
      {"[ssh]\nknown_hosts = \"hosts\"", "line 2: ssh.known_hosts: must be an absolute path"},
      {"[paths]\nstate = \"/var/../etc\"", "line 2: paths.state: must be an absolute path"},
      {"[paths]\nstate = \"/\"", "line 2: paths.state: must be an absolute path"},
      {"[paths]\nrun = \"/run//x\"", "line 2: paths.run: must be an absolute path"},
      {"[paths]\nrun = \"/run/*\"", "line 2: paths.run: must be an absolute path"},
      {"[xcat]\nroot = \"\"", "line 2: xcat.root: must be an absolute path"},
      {"[sync]\nset = 5", "line 2: sync.set: must be a table of tables: [sync.set.NAME]"},
      {"[sync.set.etc]\npaths = \"/etc/hosts\"",
       "line 2: sync.set.etc.paths: must be a list: [\"one\", \"two\"]"},
      {"[sync.set.etc]\npaths = [\"/a\", 5]",
       "line 2: sync.set.etc.paths: must be a list of texts in quotes"},
      {"[sync.set.etc]\npaths = [\"etc/hosts\"]",
       "line 2: sync.set.etc.paths: must be absolute, with * and ? in the last component only: "
       "etc/hosts"},
      {"[sync.set.etc]\npaths = [\"/e*/hosts\"]",
       "line 2: sync.set.etc.paths: must be absolute, with * and ? in the last component only: "
       "/e*/hosts"},
      {"[sync.set.etc]\npaths = []", "line 2: sync.set.etc.paths: names nothing"},
      {"[sync.set.more]\nmax_age = \"1d\"", "line 1: sync.set.more.paths: names nothing"},
      {"[sync.set.\"a b\"]\npaths = [\"/a\"]", "line 1: sync.set: not a name for a file set: a b"},
      {"[database]\nkeep_points = 0",
       "line 2: database.keep_points: must be a whole number from 1 to 1000"},
      {"[takeover]\ncommand_limit = \"999ms\"",
       "line 2: takeover.command_limit: must be a second or more"},
      {"[schedule]\nstyle = \"at\"",
       "line 2: schedule.style: must be one of: systemd, crontab, continuous"},
      {"[schedule]\ndatabase = \"10ms\"", "line 2: schedule.database: must be a second or more"},
      {"fence = 5", "line 1: fence: must be an array of tables: [[fence]]"},
      {"fence = [1]", "line 1: fence: must be an array of tables: [[fence]]"}};
  for (const auto& each : cases) {
    EXPECT_EQ((Lines{each.problem}), problems_with(each.lines)) << each.lines;
  }
}

TEST(SiteTest, NamesWhatIsWrongWithTheHosts) {
  EXPECT_EQ((Lines{"line 1: host: there must be two management nodes, [host.NAME] twice; found 0"}),
            problems_of("[service]\naddress = \"10.0.0.1/24\"\nhostname = \"mn1\"\n"));
  EXPECT_EQ((Lines{"line 4: host: both hosts have the address 10.77.0.11"}),
            problems_of(service + "[host]\nmn1 = {address = \"10.77.0.11\"}\n"
                                  "mn2 = {address = \"10.77.0.11\"}\n"));
  struct Case {
    const char* host;
    const char* problem;
  };
  const std::vector<Case> cases{
      {"[host.mn3]\naddress = \"10.77.0.13\"\n",
       "line 1: host: there must be two management nodes, [host.NAME] twice; found 3"},
      {"[host.mn3]\naddress = \"10.77.0.13/16\"\n",
       "line 9: host.mn3.address: is not an IP address: 10.77.0.13/16"},
      {"[host.mn3]\naddress = \"mn3.example.org\"\n",
       "line 9: host.mn3.address: is not an IP address: mn3.example.org"},
      {"[host.mn3]\n", "line 8: host.mn3.address: is missing; for example: address = \"10.0.0.1\""},
      {"[host.\"mn.3\"]\naddress = \"10.77.0.13\"\n", "line 8: host.mn.3: is not a host name"},
      {"[host.-mn]\naddress = \"10.77.0.13\"\n", "line 8: host.-mn: is not a host name"}};
  for (const auto& each : cases) {
    const auto problems = problems_of(smallest + each.host);
    EXPECT_NE(problems.end(), std::find(problems.begin(), problems.end(), each.problem))
        << join(problems, "\n");
  }
}

TEST(SiteTest, NamesWhatIsWrongWithTheServiceIdentity) {
  struct Case {
    const char* table;
    const char* problem;
  };
  const std::vector<Case> cases{
      {"hostname = \"mn1\"",
       "line 5: service.address: is missing; for example: address = \"10.0.0.1/24\""},
      {"address = \"10.77.0.11\"\nhostname = \"mn1\"",
       "line 6: service.address: must be ADDRESS/PREFIX, such as \"10.0.0.1/24\""},
      {"address = \"10.77.0.11/16\"",
       "line 5: service.hostname: is missing; for example: hostname = \"mn1\""},
      {"address = \"10.77.0.11/16\"\nhostname = \"mn1.example.org\"",
       "line 7: service.hostname: must be a short host name without dots"},
      {"address = \"10.77.0.11/16\"\nstyle = \"alias\"",
       "line 6: service.address: is also a host's own address; with style \"alias\" it must be a "
       "third one (or use style = \"take\")"},
      {"address = \"10.77.0.11/16\"\nhostname = \"mn1\"\nstyle = \"move\"",
       "line 8: service.style: must be one of: take, alias"}};
  for (const auto& each : cases) {
    EXPECT_EQ((Lines{each.problem}), problems_of(hosts + "[service]\n" + each.table + "\n"));
  }
}

TEST(SiteTest, NamesWhatIsWrongWithAFenceMethod) {
  const auto problems = problems_with("[[fence]]\nname = \"bmc\"\noff = [\"ipmitool\", \"off\"]");
  EXPECT_EQ((Lines{"line 1: fence[0].off_when: is missing; for example: off_when = \"Chassis Power "
                   "is off\"",
                   "line 1: fence[0].status: must be a command as a list, beginning with an "
                   "absolute path",
                   "line 3: fence[0].off: must be a command as a list, beginning with an absolute "
                   "path"}),
            problems);
}

TEST(SiteTest, TellsAllProblemsAtOnceInTheOrderOfTheirLines) {
  try {
    (void)parse_site("zzz = 1\n[ssh]\nport = 0\n[paths]\nstate = \"x\"\n" + service, path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ("cannot use the configuration /etc/hamn/hamn.toml: 4 problems", error.what());
    const auto lines = lines_of(error.detail());
    ASSERT_EQ(4U, lines.size());
    EXPECT_TRUE(lines[0].starts_with("line 1: host: there must be two"));
    EXPECT_TRUE(
        lines[1].starts_with("line 1: zzz: unknown key; known: format, cluster, host, "
                             "service,"))
        << lines[1];
    EXPECT_TRUE(lines[2].starts_with("line 3: ssh.port:"));
    EXPECT_TRUE(lines[3].starts_with("line 5: paths.state:"));
  }
}

TEST(SiteTest, SuggestsTheKeyThatWasMeant) {
  EXPECT_EQ((Lines{"line 2: ssh.prot: unknown key; did you mean \"port\"?"}),
            problems_with("[ssh]\nprot = 22"));
  EXPECT_EQ((Lines{"line 1: shedule: unknown key; did you mean \"schedule\"?"}),
            problems_with("[shedule]"));
  EXPECT_EQ((Lines{"line 2: cluster.colour: unknown key; known: name"}),
            problems_with("[cluster]\ncolour = \"blue\""));
  EXPECT_EQ((Lines{"line 2: sync.set.etc.pahts: unknown key; did you mean \"paths\"?"}),
            problems_with("[sync.set.etc]\npahts = []"));
}

TEST(SiteTest, LetsNoKeyForgeALine) {
  const auto problems = problems_with("\"evil\\nline 7: all is well\" = 1");
  ASSERT_EQ(1U, problems.size());
  EXPECT_TRUE(problems[0].starts_with("line 1: evil\\x0aline 7: all is well: unknown key"));
}

TEST(SiteTest, NamesLineAndColumnWhereItIsNotToml) {
  for (const std::string text : {"[ssh]\nport == 22\n", "[ssh]\nport = [1,\n", "a = 1\na = 2\n",
                                 "a = \"open\n", "\xff = 1\n"}) {
    try {
      (void)parse_site(text, path);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_STREQ("cannot read the configuration /etc/hamn/hamn.toml", error.what());
      EXPECT_EQ(Exit::usage, error.code());
      EXPECT_TRUE(error.detail().starts_with("line ")) << error.detail();
      EXPECT_NE(std::string::npos, error.detail().find(", column "));
      EXPECT_FALSE(error.hint().empty());
    }
  }
}

TEST(SiteTest, IsReadFromItsFile) {
  const test::TemporaryDirectory directory;
  test::given_file(directory / "hamn.toml", smallest);
  EXPECT_EQ(directory / "hamn.toml", load_site(directory / "hamn.toml").path);
  try {
    (void)load_site(directory / "nothing.toml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ("there is no configuration " + directory / "nothing.toml", error.what());
    EXPECT_EQ(Exit::usage, error.code());
    EXPECT_EQ("hamn init writes one that fits this host", error.hint());
  }
}

TEST(SiteTest, KnowsTheOtherHost) {
  const auto site = parse_site(smallest, path);
  EXPECT_EQ("mn2", site.other_than("mn1").name);
  EXPECT_EQ("mn1", site.other_than("mn2").name);
  for (const char* unknown : {"mn3", ""}) {
    EXPECT_THROW((void)site.host(unknown), Error);
    EXPECT_THROW((void)site.other_than(unknown), Error);
    EXPECT_THROW((void)site.ssh_to(unknown), Error);
  }
}

TEST(ThisHostTest, IsFoundByItsAddresses) {
  const std::string take = smallest;
  const std::string alias = hosts + "[service]\nstyle = \"alias\"\naddress = \"10.77.0.1/16\"\n";
  const auto addresses = [](const std::vector<std::string>& texts) {
    std::vector<InterfaceAddress> found{{.interface = "eth9", .address = "192.168.1.1"}};
    for (const auto& text : texts) found.push_back({.interface = "eth0", .address = text});
    return found;
  };
  struct Case {
    const char* what;
    std::string text;
    std::vector<std::string> addresses;
    const char* name;
  };
  const std::vector<Case> cases{
      {"take, the primary before", take, {"10.77.0.11"}, "mn1"},
      {"take, the standby before", take, {"10.77.0.12"}, "mn2"},
      {"take, the standby that took over", take, {"10.77.0.12", "10.77.0.11"}, "mn2"},
      {"take, whatever the order", take, {"10.77.0.11", "10.77.0.12"}, "mn2"},
      {"alias, one", alias, {"10.77.0.11"}, "mn1"},
      {"alias, the other with the service", alias, {"10.77.0.1", "10.77.0.12"}, "mn2"}};
  for (const auto& each : cases) {
    EXPECT_EQ(each.name, find_this_host(parse_site(each.text, path), addresses(each.addresses)))
        << each.what;
  }
  try {
    (void)find_this_host(parse_site(alias, path), addresses({"10.77.0.11", "10.77.0.12"}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ("it holds the addresses of both mn1 and mn2", error.detail());
  }
  for (const auto& text : {take, alias}) {
    try {
      (void)find_this_host(parse_site(text, path), addresses({"10.77.0.13"}));
      FAIL();
    } catch (const Error& error) {
      EXPECT_STREQ("this host is neither of the two management nodes", error.what());
      EXPECT_EQ(Exit::usage, error.code());
    }
  }
}

}  // namespace hamn::base
