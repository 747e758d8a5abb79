"""Files over real ssh: changes, faults and refusals."""
import time

from harness import SiteTest, kill_environment, wait_until

TREES = ("/install", "/tftpboot")
EVERYTHING = ("/install", "/tftpboot", "/etc/xcat", "/root")


class SyncTest(SiteTest):
    """What the tests of this file share."""

    def change_files(self, seed=2, count=40, size=4000):
        """New, changed, removed and renamed files, a link and a mode on the primary."""
        site = self.site
        site.agent("mn1", "make-files", "/install/post", str(count), str(size), str(seed))
        site.must("mn1", "sh", "-c", "cd /install && mkdir -p new/deep && echo new > new/deep/file "
                  "&& ln -sfn deep/file new/link && rm -f post/d3/file0003 && chmod 751 prescripts "
                  "&& mv -f post/d4/file0004 post/d4/renamed && echo n > /tftpboot/xcat/new")

    def is_current(self):
        """Everything of the primary is on the standby; removed files are kept there."""
        return self.site.tree("mn1", *TREES).items() <= self.site.tree("mn2", *TREES).items()

    def assert_current(self):
        wanted, found = self.site.tree("mn1", *TREES), self.site.tree("mn2", *TREES)
        self.assertEqual({path: found.get(path) for path in wanted}, wanted)

    def assert_old_or_new(self, old, new):
        """Every file on the standby is as it was or as it is to be; none is a mixture."""
        now = self.site.tree("mn2", *TREES)
        for path, what in now.items():
            self.assertIn(what, (old.get(path), new.get(path), "0o40700"), path)
        self.assertEqual(old.keys() - now.keys(), set())

    def hamn_files(self, host):
        return self.site.must(host, "find", "/etc/systemd/system", "/etc/cron.d", "-name", "hamn*",
                              "-o", "-lname", "*hamn*").split()

    def assert_nothing_left(self):
        self.assertEqual(self.site.agent("mn2", "staging", *EVERYTHING), [])

    def assert_converges(self):
        """A pass without faults makes the standby current and leaves nothing behind."""
        self.site.settled("mn2")
        self.run_cli("mn1", "sync", "run")
        self.assert_current()
        self.assert_nothing_left()


class SyncPass(SyncTest):
    """A pass with changes, by each transport."""

    def one_pass(self, transport):
        self.site.configure(transport=transport)
        self.change_files()
        self.run_cli("mn1", "sync", "run")
        self.assert_current()
        again = self.run_cli("mn1", "sync", "run", "--json")
        self.assertIn('"files_sent": "0"', again.out)
        self.assert_nothing_left()

    def test_by_libssh2(self):
        self.one_pass("libssh2")

    def test_by_openssh(self):
        self.one_pass("openssh")


class SyncKilled(SyncTest):
    """kill -9 of either end at many moments."""

    weight = 15
    points = 9

    def events(self, text):
        return len(text.splitlines())

    def kill_repeatedly(self, host, total, run_once):
        """Kills at moments spread over a whole pass; new changes before each."""
        killed = 0
        for number in range(self.points):
            self.change_files(seed=100 + number)
            old, new = self.site.tree("mn2", *TREES), self.site.tree("mn1", *TREES)
            at = 1 + number * (total - 1) // (self.points - 1)
            answer = run_once(at)
            self.site.settled("mn2")
            self.assert_old_or_new(old, new)
            marked = self.site.run(host, "rm", "/run/killpoint").code == 0
            killed += marked
            if answer.code == 0:  # nothing was left to do at that moment
                self.assert_current()
        self.assertGreaterEqual(killed, self.points - 2)
        self.assert_converges()
        type(self).remark = f"killed at {killed} of {total} points"

    def test_sender(self):
        def run_once(at, log=None):
            environment = kill_environment(at, "sync run", writes=True, log=log)
            return self.site.run("mn1", "hamn", "sync", "run", environment=environment)
        self.change_files()
        self.assert_code(run_once(0, "/run/events"), 0)
        self.kill_repeatedly("mn1", self.events(self.site.file("mn1", "/run/events")), run_once)

    def test_receiver(self):
        shim = " ".join(["#!/bin/sh\nif [ -s /run/kill-at ]; then export",
                         *[f"{k}={v}" for k, v in kill_environment(
                             "$(cat /run/kill-at)", "receive", writes=True,
                             log="/run/events").items()], "; fi\nexec hamn \"$@\"\n"])
        self.site.lab.write("mn2", "/root/faulty", shim)
        self.site.must("mn2", "chmod", "+x", "/root/faulty")
        self.site.configure("mn1", program="/root/faulty")

        def run_once(at):
            self.site.lab.write("mn2", "/run/kill-at", str(at))
            answer = self.site.run("mn1", "hamn", "sync", "run")
            self.site.must("mn2", "rm", "/run/kill-at")
            return answer
        self.change_files()
        self.assert_code(run_once(0), 0)
        self.kill_repeatedly("mn2", self.events(self.site.file("mn2", "/run/events")), run_once)


class SyncPowerLoss(SyncTest):
    """The standby's power is cut in the middle of a pass."""

    weight = 14

    def receiver_stops_at(self, at):
        """The next receiver on mn2 stands still at this event."""
        variables = " ".join(f"{k}={v}" for k, v in kill_environment(
            at, "receive", "stop", writes=True).items())
        self.site.lab.write("mn2", "/root/faulty", f"#!/bin/sh\nexec env {variables} hamn \"$@\"\n")
        self.site.must("mn2", "chmod", "+x", "/root/faulty")
        self.site.configure("mn1", program="/root/faulty")

    def cut_power_at(self, at, seed):
        self.change_files(seed=seed)
        old, new = self.site.tree("mn2", *TREES), self.site.tree("mn1", *TREES)
        self.receiver_stops_at(at)
        self.site.must("mn2", "sync")  # what was there before is on the disk
        running = self.site.start("mn1", "hamn", "sync", "run")
        self.site.stopped_at("mn2", running)
        self.site.standby_loses_power()
        running.give_up()
        self.site.power_on("mn2")
        self.assert_old_or_new(old, new)
        self.site.configure("mn1")
        self.site.settled("mn1")
        self.assert_converges()

    def test_early(self):
        self.cut_power_at(25, 31)

    def test_late(self):
        self.cut_power_at(140, 32)


class SyncNetwork(SyncTest):
    """The network goes away."""

    weight = 70

    def test_link_is_cut(self):
        site = self.site
        site.must("mn1", "dd", "if=/dev/urandom", "of=/install/big", "bs=1M", "count=12")
        old, new = site.tree("mn2", *TREES), site.tree("mn1", *TREES)
        site.lab.verb("bw", "mn2", "20mbit")
        running = site.start("mn1", "hamn", "sync", "run")
        time.sleep(1.5)
        self.assertFalse(running.has_ended())
        site.lab.verb("cut", "mn1", "mn2")
        self.assert_code(running.wait(100), 1)
        site.lab.verb("bw", "mn2", "0")
        site.lab.verb("uncut", "mn1", "mn2")
        self.assert_old_or_new(old, new)
        # The other end learns of it by its own limit.
        wait_until("the receiver has ended", lambda: self.site.run(
            "mn1", "hamn", "sync", "run").code == 0, limit=90, pause=2)
        self.assert_converges()


class SyncSlowLine(SyncTest):
    """One side has nothing to say for longer than a silent line is given."""

    weight = 75

    def test_large_file(self):
        site = self.site
        site.must("mn1", "dd", "if=/dev/urandom", "of=/install/big", "bs=1M", "count=18")
        site.lab.verb("bw", "mn2", "2mbit")
        start = time.monotonic()
        self.run_cli("mn1", "sync", "run", limit=180)
        self.assertGreater(time.monotonic() - start, 65)
        site.lab.verb("bw", "mn2", "0")
        self.assert_current()


class SyncDisk(SyncTest):
    """Full disks and damaged indexes."""

    weight = 5

    def test_full_disk_of_the_standby(self):
        site = self.site
        site.must("mn1", "dd", "if=/dev/urandom", "of=/install/big", "bs=1M", "count=8")
        site.must("mn1", "sh", "-c", "echo small > /install/small")
        site.lab.verb("fill", "mn2", str(3 << 20), "/install")
        answer = site.run("mn1", "hamn", "sync", "run")
        self.assert_code(answer, 4)
        self.assert_says(answer, "/install/big", "No space left on")
        self.assertNotIn("//install", answer.text)
        self.assertEqual(site.file("mn2", "/install/small"), "small\n")
        site.lab.verb("unfill", "mn2", "/install")
        self.assert_converges()

    def damaged_index(self, host, side, damage):
        path = f"/var/lib/hamn/sync/install.{side}.db"
        self.change_files(seed=50)
        self.site.must(host, "sh", "-c", damage.replace("FILE", path))
        answer = self.run_cli("mn1", "sync", "run")
        if side == "sender":
            self.assert_says(answer, "the index of set install was damaged")
        self.assert_converges()

    def test_garbage_in_senders_index(self):
        self.damaged_index("mn1", "sender",
                           "head -c 20000 /dev/urandom > FILE; rm -f FILE-wal FILE-shm")

    def test_senders_index_cut_short(self):
        self.damaged_index("mn1", "sender", "truncate -s 5000 FILE; rm -f FILE-wal FILE-shm")

    def test_garbage_in_receivers_index(self):
        self.damaged_index("mn2", "receiver",
                           "head -c 20000 /dev/urandom > FILE; rm -f FILE-wal FILE-shm")

    def test_receivers_index_cut_short(self):
        self.damaged_index("mn2", "receiver", "truncate -s 5000 FILE; rm -f FILE-wal FILE-shm")


class SyncRules(SyncTest):
    """Who may push, and how many at once."""

    def test_deposed_primary(self):
        site = self.site
        self.run_cli("mn2", "init", "--role", "standby", "--epoch", "7")
        before = site.tree("mn2", *TREES)
        self.change_files()
        self.assert_says(self.run_cli("mn1", "sync", "run", code=5), "epoch 7")
        self.assertEqual(site.role("mn1")["role"], "deposed")
        self.assert_says(self.run_cli("mn1", "sync", "run", code=5), "deposed")
        self.run_cli("mn1", "db", "replicate", code=5)
        self.run_cli("mn1", "sync", "run", "--scheduled")
        self.assertEqual(site.tree("mn2", *TREES), before)

    def test_two_runs_at_once(self):
        self.change_files()
        with self.a_stopped("mn1", ["hamn", "sync", "run"], 12) as pid:
            answer = self.run_cli("mn1", "sync", "run", code=3)
            self.assert_says(answer, "hamn sync run", f"process {pid},")
        self.assert_converges()


class SyncTimers(SyncTest):
    """hamn cron."""

    weight = 8

    def test_systemd(self):
        site = self.site
        site.configure(every="1s")
        for host in ("mn1", "mn2"):
            self.run_cli(host, "cron", "install")
            self.assertEqual(len([t for t in site.state(host)["timers"] if t.startswith("hamn-")
                                  and t.endswith(".timer")]), 4)
        self.change_files()
        site.sql("site", "INSERT INTO site (key, value) VALUES ('by', 'timer')")
        wait_until("timers bring files", self.is_current, 40)
        wait_until("timers bring the database", lambda: len(site.points()) > 1, 40)
        for host in ("mn1", "mn2"):
            result = site.must(host, "systemctl", "show", "-p", "Result", "-p", "ExecMainStatus",
                               "hamn-sync-install.service")
            self.assertIn("Result=success", result)
        self.assertIn("ExecMainStatus=0", result)
        self.assertNotIn("refusing", site.must("mn2", "journalctl", "--no-pager"))
        for host in ("mn1", "mn2"):
            self.run_cli(host, "cron", "remove")
            self.assertEqual(self.hamn_files(host), [])
            self.assertEqual(site.state(host)["timers"], [])

    def test_crontab(self):
        self.site.configure(schedule="crontab")
        text = self.run_cli("mn1", "cron", "show").out
        self.assertIn("* * * * * root /usr/bin/hamn db replicate --scheduled", text)
        self.run_cli("mn1", "cron", "install")
        self.assertEqual(self.hamn_files("mn1"), ["/etc/cron.d/hamn"])
        self.assertEqual(self.site.file("mn1", "/etc/cron.d/hamn"), text)
        self.run_cli("mn1", "cron", "remove")
        self.assertEqual(self.hamn_files("mn1"), [])


class SyncWatch(SyncTest):
    """hamn sync watch as a service."""

    weight = 60

    def test_agent(self):
        site = self.site
        site.configure(schedule="continuous", every="1s")
        for host in ("mn1", "mn2"):
            self.run_cli(host, "cron", "install")
        for seed in range(50, 56):
            self.change_files(seed=seed, count=30)
            wait_until("a change arrives", self.is_current, 20)
        site.lab.verb("cut", "mn1", "mn2")
        self.change_files(seed=60)
        time.sleep(3)
        self.assertFalse(self.is_current())
        site.lab.verb("uncut", "mn1", "mn2")
        wait_until("what changed meanwhile arrives", self.is_current, 120)
        site.must("mn2", "sync")
        site.standby_loses_power()
        self.change_files(seed=61)
        site.power_on("mn2")
        wait_until("the standby is found again", self.is_current, 120)
        self.assert_nothing_left()
        status = self.run_cli("mn2", "status").out
        self.assertNotIn("lagging", status)
        for host in ("mn1", "mn2"):
            self.run_cli(host, "cron", "remove")
            self.assertEqual(self.hamn_files(host), [])
            self.assertNotEqual(
                site.run(host, "systemctl", "is-active", "hamn-watch.service").out.strip(), "active")
