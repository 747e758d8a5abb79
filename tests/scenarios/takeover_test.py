"""Failovers that go through, and what may disturb them."""
import json
import time

from harness import ALIAS, SiteTest, kill_environment

ALIAS_STYLE = {"style": "alias", "address": ALIAS, "hostname": ""}


class Takeover(SiteTest):
    """The standby takes over from a primary that lost its power."""

    weight = 20

    def test_take_style(self):
        site = self.site
        site.primary_loses_power()
        answer = site.failover("--reason", "power cut")
        self.assert_code(answer, 0, 4)
        self.assert_in_charge()
        self.assert_says(site.run("mn2", "hamn", "status"), "mn2 is the primary")
        runs = json.loads(self.run_cli("mn2", "report", "list", "--json").out)["runs"]
        self.assertEqual([run["result"] for run in runs], ["done"])
        self.assert_says(self.run_cli("mn2", "report", "show"), "power cut", "bmc reads off")
        self.run_cli("mn2", "report", "verify")
        again = site.failover()
        self.assert_code(again, 5)
        self.assert_says(again, "mn2 is the primary already")
        site.power_on("mn1")  # with its old address, and convinced that it is the primary
        before = site.tree("mn2")
        self.assertNotEqual(site.run("mn1", "hamn", "sync", "run", limit=120).code, 0)
        self.assertEqual(site.tree("mn2"), before)

    def test_alias_style(self):
        site = self.site
        site.configure(**ALIAS_STYLE)
        site.must("mn1", "ip", "address", "add", f"{ALIAS}/16", "dev", "eth0")
        site.sql("site", f"UPDATE site SET value='{ALIAS}' WHERE key='master'")
        site.sql("noderes", f"UPDATE noderes SET xcatmaster='{ALIAS}', nfsserver='{ALIAS}', "
                            f"tftpserver='{ALIAS}' WHERE xcatmaster IS NOT NULL")
        self.run_cli("mn1", "db", "replicate")
        site.primary_loses_power()
        self.assert_code(site.failover(), 0, 4)
        self.assert_in_charge(style="alias")
        site.power_on("mn1")
        before = site.tree("mn2")
        site.must("mn1", "sh", "-c", "echo stale > /install/stale")
        self.assert_says(self.run_cli("mn1", "sync", "run", code=5), "deposed")
        self.assertEqual(site.role("mn1")["role"], "deposed")
        self.run_cli("mn1", "sync", "run", code=5)
        self.run_cli("mn1", "db", "replicate", code=5)
        self.assertEqual(site.tree("mn2"), before)


class TakeoverDisturbed(SiteTest):
    """Signals, lost terminals and power cuts in the middle."""

    weight = 22
    primary = "off"

    def start_and_find(self, command="exec hamn failover --yes=mn1"):
        """A running failover and its process id."""
        running = self.site.start("mn2", "sh", "-c", f"echo $$ > /run/failover.pid; {command}")
        time.sleep(0.3)
        return running, self.site.file("mn2", "/run/failover.pid").strip()

    def wait_for_step(self, step):
        """Waits until the journal tells that a step began."""
        end = time.monotonic() + 60
        while not any(event["event"] == "step_started" and event["facts"]["step"] == step
                      for event in self.site.journal()):
            self.assertLess(time.monotonic(), end, f"{step} does not begin")
            time.sleep(0.1)

    def test_lost_terminal(self):
        # Nobody reads what it says, and the terminal hangs up.
        running, pid = self.start_and_find("exec hamn failover --yes=mn1 2>&1 | head -n 1")
        self.wait_for_step("promote-database")
        group = self.site.run("mn2", "pgrep", "-f", "^hamn failover").out.split()
        self.assertTrue(group, "the failover ended early")
        self.site.must("mn2", "kill", "-HUP", *group)
        del pid
        running.wait(60)
        self.site.settled("mn2")
        self.assert_in_charge()

    def test_interrupt_and_again(self):
        running, pid = self.start_and_find()
        self.wait_for_step("start-xcatd")
        self.site.must("mn2", "kill", "-INT", pid)
        answer = running.wait(30)
        self.assert_code(answer, 130)
        self.assertEqual(self.site.role("mn2")["role"], "promoting")
        runs = json.loads(self.run_cli("mn2", "report", "list", "--json").out)["runs"]
        self.assertEqual(runs[-1]["result"], "interrupted")
        self.assert_code(self.site.failover(), 0, 4)
        self.assert_in_charge()

    def test_power_losses(self):
        """The standby loses its power again and again, each time later in its own failover."""
        site = self.site
        for at in (14, 34, 52, 64, 80):
            running = site.start_failover(environment=kill_environment(at, action="stop"))
            site.stopped_at("mn2", running)
            site.standby_loses_power()
            running.give_up()
            site.power_on("mn2")
        self.assert_code(site.failover(), 0, 4)
        self.assert_in_charge()
        self.run_cli("mn2", "report", "verify")


class TakeoverOfXcatsFaults(SiteTest):
    """xCAT's commands lie or hang."""

    weight = 22
    primary = "off"

    def test_commands_lie_and_hang(self):
        site = self.site
        site.configure("mn2", command_limit="4s")
        site.lab.write("mn2", "/etc/xcat/simulator.conf",
                       "[xcatd]\nstart_seconds = 0.1\n[makedns]\nfail_with_rc0 = something\n"
                       "[makedhcp]\nhang_seconds = 600\n")
        answer = site.failover()
        self.assert_code(answer, 6)
        self.assert_says(answer, "makedns", "makedhcp")
        self.assertLess(answer.seconds, 60)
        state = site.state()
        self.assertEqual(state["role"]["role"], "promoting")
        self.assertEqual(state["addresses"][0], "10.77.0.11/16")
        self.assertIn("xcatd", state["active"])
        site.lab.write("mn2", "/etc/xcat/simulator.conf", "[xcatd]\nstart_seconds = 0.1\n")
        site.configure("mn2")
        self.assert_code(site.failover(), 0, 4)
        self.assert_in_charge()
