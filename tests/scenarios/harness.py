"""Two management nodes with xCAT and hamn, a compute node, and what may happen to them.

A Site is built once (about 15 s); `fresh_start` brings it back to "mn1 is the primary, mn2 a
current standby" in two seconds, by putting back disks that were kept while the hosts were off.
"""
import contextlib
import json
import shutil
import subprocess
import unittest

from lab import ADDRESS, LAB, SWITCH, TESTS, HERE, Lab, wait_until  # noqa: F401

SERVICE = "10.77.0.11"
ALIAS = "10.77.0.10"
DOMAIN = "cluster.test"
NODES = 20
INSTALLING = 2

CONFIG = """format = 1
[cluster]
name = "cluster.test"
[service]
style = "{style}"
address = "{address}/16"
hostname = "{hostname}"
[host.mn1]
address = "10.77.0.11"
interface = "eth0"
[host.mn2]
address = "10.77.0.12"
interface = "eth0"
[ssh]
key = "/root/.ssh/id_ed25519"
transport = "{transport}"
program = "{program}"
[xcat]
install = "/install"
tftp = "/tftpboot"
[database]
max_age = "{database_max_age}"
[takeover]
address_probe = "300ms"
command_limit = "{command_limit}"
[schedule]
style = "{schedule}"
database = "{every}"
sync-credentials = "{every}"
sync-etc = "{every}"
sync-install = "{every}"
"""
FENCE = """
[[fence]]
name = "bmc"
off = ["/usr/local/bin/bmc-client", "{switch}", "off", "{{host}}"]
status = ["/usr/local/bin/bmc-client", "{switch}", "status", "{{host}}"]
off_when = "Chassis Power is off"
"""
STANDARD = {"style": "take", "address": SERVICE, "hostname": "mn1", "transport": "libssh2",
            "program": "hamn", "database_max_age": "6h", "command_limit": "2min",
            "schedule": "systemd", "every": "1min", "fence": True}
MANAGEMENT_NODES = ("mn1", "mn2")
SHIM = "/root/killpoint.so"
# What may be written by xcatd and by nodeset after the exchange of the tables.
LIVELY_TABLES = {"auditlog", "eventlog", "chain", "nodelist", "bootparams", "nodetype", "site"}


def config_text(**changes):
    """hamn.toml with some settings changed."""
    settings = {**STANDARD, **changes}
    fence = FENCE.format(switch=SWITCH) if settings.pop("fence") else ""
    return CONFIG.format(**settings) + fence


def kill_environment(at, who=None, action="kill", writes=False, log=None, after=None):
    """Environment that makes killpoint.c act in a program."""
    environment = {"LD_PRELOAD": SHIM, "KILL_AT": str(at), "KILL_ACTION": action,
                   "KILL_MARK": "/run/killpoint"}
    if who:
        environment["KILL_WHO"] = who
    if writes:
        environment["KILL_WRITES"] = "1"
    if log:
        environment["KILL_LOG"] = log
    if after:
        environment["KILL_AFTER"] = after
    return environment


class Site:
    """The verbs of the tests."""

    def __init__(self, name, program, scratch):
        self.lab = Lab(name, scratch)
        self.program = program
        self.run, self.start, self.must = self.lab.run, self.lab.start, self.lab.must
        self.built = False

    # Building

    def build(self):
        """Brings everything up and keeps the disks."""
        self.lab.down()
        self.lab.verb("up", limit=180)
        for host in MANAGEMENT_NODES:
            self._install(host)
        self._fill_cluster()
        self.configure()
        self.must("mn1", "hamn", "init", "--role", "primary")
        self.must("mn2", "hamn", "init", "--role", "standby")
        self.must("mn1", "hamn", "sync", "run")
        self.must("mn1", "hamn", "db", "replicate")
        self.must("mn1", "systemctl", "stop", "xcatd")
        self._prepare_compute_node()
        for host in ADDRESS:
            self.must(host, "sync")
            self.lab.power_off(host)
            self.lab.keep_disks(host)
        self.lab.verb("start", "cn1")
        self.built = True

    def _install(self, host):
        put = self.lab.verb
        put("put", host, TESTS / "simulators" / "xcat", "/root/xcat")
        put("put", host, self.program, "/usr/bin/hamn")
        put("put", host, self.lab.scratch / "killpoint.so", SHIM)
        put("put", host, HERE / "agent.py", "/root/agent.py")
        self.must(host, "/root/xcat/install", "--fresh", "--host", host, "--master",
                  ADDRESS[host], "--domain", DOMAIN, "--gateway", SWITCH)
        self.lab.write(host, "/etc/xcat/simulator.conf", "[xcatd]\nstart_seconds = 0.1\n")
        self.must(host, "mkdir", "-p", "/etc/hamn")

    def _fill_cluster(self):
        self.lab.verb("put", "mn1", TESTS / "demo" / "cluster", "/root/cluster")
        mac = self.lab.verb("mac", "cn1").strip()
        self.must("mn1", "python3", "/root/cluster/make_cluster.py", "--nodes", str(NODES),
                  "--installing", str(INSTALLING), "--netbooted", "1", "--dir", "/etc/xcat",
                  "--master", SERVICE, "--network", "10.77.0.0/16", "--domain", DOMAIN,
                  "--mn", "mn1", "--mn", "mn2", "--cn1", ADDRESS["cn1"], "--cn1-mac", mac,
                  "--files", "/")
        # A process per console is dear; two show that they are taken over.
        self.sql("nodehm", "UPDATE nodehm SET cons=NULL WHERE node NOT IN ('n0001','n0002')")
        self.must("mn1", "systemctl", "start", "xcatd")
        self.must("mn1", "bash", "-lc", "makehosts && makedhcp -n && "
                  "nodeset n0017-n0019 osimage")
        self.must("mn1", "python3", "/root/agent.py", "make-files", "/install/post", "40", "4000",
                  "1")

    def _prepare_compute_node(self):
        self.lab.verb("put", "cn1", TESTS / "lab" / "probe.py", "/root/probe.py")
        self.lab.verb("put", "cn1", HERE / "agent.py", "/root/agent.py")
        credentials = self.lab.scratch / "credentials"
        shutil.rmtree(credentials, ignore_errors=True)
        self.lab.verb("get", "mn1", "/root/.xcat", credentials)
        self.lab.verb("put", "cn1", credentials, "/root/.xcat")

    # The beginning of a test

    def fresh_start(self, primary="on"):
        """mn1 is the primary (or has lost its power), mn2 is a current standby, no faults."""
        self.lab.clear_faults()
        for host in MANAGEMENT_NODES:
            self.lab.power_off(host)
            self.lab.restore_disks(host)
        self.lab.verb("start", "mn2")
        if primary == "on":
            self.lab.verb("start", "mn1")

    def configure(self, *hosts, **changes):
        """Writes hamn.toml to these hosts, both if none is named."""
        for host in hosts or MANAGEMENT_NODES:
            self.lab.write(host, "/etc/hamn/hamn.toml", config_text(**changes))

    # What happens to hosts

    def primary_loses_power(self):
        self.lab.verb("crash", "mn1")

    def standby_loses_power(self):
        self.lab.verb("crash", "mn2")

    def power_on(self, host):
        self.lab.verb("start", host)

    # What is seen

    def agent(self, host, *words, limit=60.0):
        """An answer of agent.py."""
        return json.loads(self.must(host, "python3", "/root/agent.py", *words, limit=limit))

    def state(self, host="mn2"):
        return self.agent(host, "state")

    def sql(self, table, statement, host="mn1"):
        self.agent(host, "sql", table, statement)

    def tree(self, host, *directories):
        return self.agent(host, "tree", *(directories or ("/install", "/tftpboot")))

    def settled(self, host):
        """Waits until every hamn of the host has ended."""
        still = self.agent(host, "settle")["still"]
        assert not still, f"on {host} these do not end: {still}"

    def file(self, host, path):
        """Text of a file."""
        return self.must(host, "cat", path)

    def journal(self, host="mn2"):
        """Events of the takeover journal."""
        text = self.run(host, "cat", "/var/lib/hamn/journal/takeover.jsonl").out
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def points(self, host="mn2"):
        """Recovery points as `hamn db points --json` lists them."""
        return json.loads(self.must(host, "hamn", "db", "points", "--json"))["points"]

    def role(self, host):
        return json.loads(self.file(host, "/var/lib/hamn/role.json"))

    # hamn

    def failover(self, *words, limit=150.0, environment=None):
        """hamn failover on mn2, confirmed."""
        return self.run("mn2", "hamn", "failover", "--yes=mn1", *words, limit=limit,
                        environment=environment)

    def start_failover(self, *words, environment=None):
        return self.start("mn2", "hamn", "failover", "--yes=mn1", *words, environment=environment)

    def stopped_at(self, host, running, limit=60.0):
        """Process id of a program that killpoint.c stopped, as its host counts."""
        def mark():
            if running.has_ended():
                return "0"
            return self.run(host, "cat", "/run/killpoint").out.strip()
        words = wait_until("a program stops at its kill point", mark, limit)
        if words == "0":
            raise AssertionError(f"it ended before its kill point: {running.wait(1)}")
        self.must(host, "rm", "/run/killpoint")
        return words.split()[0]

    def tear_down(self):
        self.lab.down()
        self.lab.remove_scratch()


class SiteTest(unittest.TestCase):
    """A test on the site of its worker; `site` is set by the runner."""

    site = None
    primary = "on"
    maxDiff = 2000

    def setUp(self):
        if not self.site.built:
            self.site.build()
        self.site.built = False  # until it is proven that the hosts can be brought back
        self.site.fresh_start(self.primary)
        self.site.built = True

    def run_cli(self, host, *words, code=0, **options):
        """A command of hamn and its expected exit code."""
        answer = self.site.run(host, "hamn", *words, **options)
        self.assertEqual(answer.code, code, str(answer))
        return answer

    def assert_code(self, answer, *codes):
        self.assertIn(answer.code, codes, str(answer))

    def assert_says(self, answer, *parts):
        for part in parts:
            self.assertIn(part, answer.text)

    def assert_untouched(self, before, role=("standby",)):
        """Neither addresses nor names nor tables nor services of mn2 differ from `before`."""
        after = self.site.state()
        for key in ("addresses", "hostname", "hostname_file", "tables", "active", "enabled"):
            self.assertEqual(after[key], before[key], key)
        self.assertIn(after["role"]["role"], role)

    def assert_in_charge(self, point=None, style="take"):
        """mn2 is the management node with everything that belongs to it."""
        state = self.site.state()
        service = SERVICE if style == "take" else ALIAS
        self.assertEqual(state["addresses"], [f"{service}/16", "10.77.0.12/16"])
        wanted = "mn1" if style == "take" else "mn2"
        self.assertEqual((state["hostname"], state["hostname_file"]), (wanted, wanted))
        self.assertEqual((state["role"]["role"], state["role"]["epoch"]), ("primary", 2))
        for unit in ("xcatd", "named", "isc-dhcp-server"):
            self.assertIn(unit, state["active"])
        self.assertIn("xcatd", state["enabled"])
        self.assert_tables_of(point or self.newest_point())
        self.assert_cluster_is_served(service)

    def newest_point(self):
        points = [each for each in self.site.points() if not each.get("problem")]
        return points[0]["id"]

    def assert_tables_of(self, point):
        """The live tables are those of the recovery point, but for what services write."""
        live = self.site.agent("mn2", "tables", "/etc/xcat")
        kept = self.site.agent("mn2", "tables", f"/var/lib/hamn/database/points/{point}")
        self.assertEqual(sorted(live), sorted(kept))
        for table, rows in kept.items():
            if table in LIVELY_TABLES:
                self.assertGreaterEqual(len(live[table]), len(rows), table)
            else:
                self.assertEqual(live[table], rows, table)

    def assert_cluster_is_served(self, service=SERVICE):
        """The compute node gets DNS and DHCP answers, and xcatd serves it."""
        text = self.site.must(
            "cn1", "python3", "/root/probe.py", "--address", service, "--seconds", "1.5",
            "--interval-ms", "300", "--xcatd-steady-ms", "700", limit=30)
        for name, found in json.loads(text)["services"].items():
            self.assertGreater(found["ok"], 0, f"{name} does not serve: {found}")

    @contextlib.contextmanager
    def a_stopped(self, host, argv, at, who=None):
        """A command that stands still at event `at`; killed afterwards."""
        environment = kill_environment(at, who, "stop")
        running = self.site.start(host, *argv, environment=environment)
        pid = self.site.stopped_at(host, running)
        try:
            yield pid
        finally:
            self.site.must(host, "kill", "-KILL", pid)
            running.wait(20)


def build_shim(scratch):
    """Compiles killpoint.c."""
    target = scratch / "killpoint.so"
    subprocess.run(["cc", "-O1", "-Wall", "-shared", "-fPIC", "-o", target,
                    HERE / "killpoint.c", "-ldl"], check=True, timeout=60)
    return target
