"""Failovers that must not happen change nothing."""
import json

from harness import ADDRESS, ALIAS, SERVICE, SiteTest


class RefusalTest(SiteTest):
    """What the tests of this file share."""

    def refused(self, *words, code=5, role=("standby",), says=()):
        """A failover that ends with `code`, after which mn2 is as it was."""
        before = self.site.state()
        answer = self.site.failover(*words)
        self.assert_code(answer, code)
        self.assert_says(answer, *says)
        self.assert_untouched(before, role)
        self.assert_report_exists(code)
        return answer

    def assert_report_exists(self, code):
        """The run stands in the list of reports, and its files are there."""
        runs = json.loads(self.run_cli("mn2", "report", "list", "--json").out)["runs"]
        word = {1: "failed", 5: "refused"}[code]
        self.assertEqual(runs[-1]["result"], word)
        for form in ("txt", "json", "html"):
            text = self.site.file("mn2", f"/var/lib/hamn/reports/{runs[-1]['run']}.{form}")
            self.assertIn(word, text)
        self.assert_says(self.run_cli("mn2", "report", "show"), word)
        self.run_cli("mn2", "report", "verify")


class RefusalPrimaryLives(RefusalTest):
    """The primary is not dead, or not dead enough."""

    weight = 4

    def test_alive(self):
        self.refused(says=("mn1 is alive", "It would have to be off"))
        self.refused("--primary-is-off=mn1", says=("mn1 is alive",))
        self.refused("--accept-loss", "whatever", says=("mn1 is alive",))
        self.assertEqual(self.site.role("mn1")["role"], "primary")

    def test_paused_without_a_fence(self):
        self.site.configure(fence=False)
        self.site.lab.verb("pause", "mn1")
        self.refused(says=("mn1 is mostly dead",))
        self.refused("--primary-is-off=mn1", says=("mn1 is mostly dead",))

    def test_silent_without_a_fence(self):
        self.site.configure(fence=False)
        self.site.primary_loses_power()
        self.refused(says=("silence is no proof", "--primary-is-off=mn1"))

    def test_own_cable_is_unplugged(self):
        self.site.lab.verb("partition", "mn2")
        self.refused(says=("own network link is down",))

    def test_on_the_primary_itself(self):
        answer = self.site.run("mn1", "hamn", "failover", "--yes=mn2")
        self.assert_code(answer, 5)
        self.assert_says(answer, "mn1 is the primary already")
        self.assertEqual(self.site.role("mn1")["role"], "primary")

    def test_wrong_name(self):
        before = self.site.state()
        for words in (("--yes=mn2",), ("--yes=mn"), ("--yes=mn1", "--primary-is-off=mn2")):
            words = words if isinstance(words, tuple) else (words,)
            self.run_cli("mn2", "failover", *words, code=2)
        self.run_cli("mn2", "failover", code=2)  # nobody is there to type it
        self.assert_untouched(before)


class RefusalBmc(RefusalTest):
    """The service processor does not prove that the primary is off."""

    weight = 60

    def test_unreachable(self):
        site = self.site
        site.primary_loses_power()
        site.lab.verb("bmc-fault", "unreachable")
        self.refused(code=1, role=("standby", "promoting"), says=("fence-primary",))
        site.power_on("mn1")  # it was not really off: a word is not enough now
        self.refused("--primary-is-off=mn1", role=("standby", "promoting"), says=("mn1 is alive",))
        site.primary_loses_power()
        answer = site.failover("--primary-is-off=mn1")
        self.assert_code(answer, 0, 4)
        self.assert_in_charge()
        self.assert_says(site.run("mn2", "hamn", "report", "show"), "stated: mn1 is off")

    def test_lies(self):
        self.site.lab.verb("bmc-fault", "lies")
        self.site.lab.verb("pause", "mn1")
        self.refused(code=1, role=("standby", "promoting"), says=("bmc reads on",))
        self.refused("--primary-is-off=mn1", code=1, role=("standby", "promoting"),
                     says=("bmc reads on",))

    def test_unreachable_and_the_primary_hangs(self):
        """The administrator's word does not count while the primary's kernel answers."""
        # With an address of its own, nothing but the primary's answers speaks against it.
        self.site.configure("mn2", style="alias", address=ALIAS, hostname="")
        self.site.lab.verb("bmc-fault", "unreachable")
        self.site.lab.verb("pause", "mn1")
        before = self.site.state()
        answer = self.site.failover("--primary-is-off=mn1")
        self.assert_code(answer, 1, 5)
        self.assert_untouched(before, ("standby", "promoting"))
        notes = self.site.run("mn2", "cat", "/var/lib/hamn/takeover/primary-off.json")
        self.assertNotEqual(notes.code, 0, f"it was written down that mn1 is off: {notes.out}")


class RefusalAddress(RefusalTest):
    """A third host holds the service address."""

    weight = 6

    def tearDown(self):
        self.site.run("cn1", "ip", "address", "del", f"{SERVICE}/16", "dev", "eth0")
        self.site.run("cn1", "systemctl", "start", "ssh")

    def test_third_host_holds_it(self):
        self.site.primary_loses_power()
        self.site.must("cn1", "ip", "address", "add", f"{SERVICE}/16", "dev", "eth0")
        self.refused(says=("alive",))
        self.site.must("cn1", "systemctl", "stop", "ssh")
        mac = self.site.lab.verb("mac", "cn1").strip()
        self.refused(says=(f"{mac} answers for {SERVICE}",))
        self.assertEqual(self.site.state("cn1")["addresses"],
                         [f"{ADDRESS['cn1']}/16", f"{SERVICE}/16"])


class RefusalLoss(RefusalTest):
    """Copies that are too old."""

    weight = 18

    def test_stale_copies(self):
        self.site.configure(database_max_age="1s")
        self.site.primary_loses_power()
        self.refused(says=("more than the 1", "--accept-loss"))
        answer = self.site.failover("--accept-loss", "rack 7 burnt")
        self.assert_code(answer, 0, 4)
        self.assert_in_charge()
        report = self.site.run("mn2", "hamn", "report", "show").out.splitlines()
        self.assertIn("rack 7 burnt", "\n".join(report[:4]))


class RefusalSecondRun(RefusalTest):
    """Two administrators at once."""

    primary = "off"

    def test_two_failovers(self):
        with self.a_stopped("mn2", ["hamn", "failover", "--yes=mn1"], 20) as pid:
            for words in (("failover", "--yes=mn1"), ("takeover", "undo")):
                answer = self.run_cli("mn2", *words, code=3)
                self.assert_says(answer, "hamn failover", f"process {pid},")
            self.assert_says(self.site.run("mn2", "hamn", "status"), "Under way", "hamn failover")
