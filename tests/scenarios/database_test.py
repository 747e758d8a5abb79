"""Recovery points: writers, kills, damage, full disks."""
import json

from harness import SiteTest, kill_environment

LOG = "/root/changes.jsonl"


class DatabaseTest(SiteTest):
    """What the tests of this file share."""

    def assert_replicates(self):
        """A run without faults ends with a point that holds what the primary holds."""
        for host in ("mn1", "mn2"):
            self.site.settled(host)
        self.run_cli("mn1", "db", "replicate")
        point = self.newest_point()
        self.assertEqual(
            self.site.agent("mn2", "tables", f"/var/lib/hamn/database/points/{point}"),
            self.site.agent("mn1", "tables", "/etc/xcat"))
        self.run_cli("mn2", "db", "verify")

    def a_change(self, number):
        self.site.sql("nodelist", f"UPDATE nodelist SET comments='change {number}' "
                                  "WHERE node='n0001'")


class DatabaseWriters(DatabaseTest):
    """Copies while somebody writes."""

    weight = 8

    def test_a_writer_hammers(self):
        site = self.site
        writer = site.start("mn1", "sh", "-c", "exec python3 /root/cluster/change_rows.py "
                            f"--changes 400 --seconds 6 > {LOG}")
        rounds = 0
        while not writer.has_ended():
            self.run_cli("mn1", "db", "replicate")
            rounds += 1
            self.run_cli("mn2", "db", "verify")
        self.assertEqual(writer.wait(1).code, 0)
        self.assertGreater(rounds, 1)
        self.assert_replicates()
        changes = site.file("mn1", LOG)
        self.assertEqual(len(changes.splitlines()), 400)
        newest = {}
        for line in changes.splitlines():
            change = json.loads(line)
            newest[change["table"], change["node"]] = change["value"]
        tables = site.agent("mn2", "tables",
                            f"/var/lib/hamn/database/points/{self.newest_point()}")
        for (table, node), value in newest.items():
            self.assertTrue(any(value in row and f'"{node}"' in row for row in tables[table]),
                            f"{table} {node}: {value}")


class DatabaseKilled(DatabaseTest):
    """kill -9 of replicate and of its children."""

    weight = 12

    def kill_at(self, who, fractions, host="mn1"):
        """Kills whatever `who` names in a replicate at parts of its events."""
        site, killed = self.site, 0
        self.a_change(0)
        site.must(host, "rm", "-f", "/run/events")
        self.replicate(0, who, host, log="/run/events")
        total = len(site.file(host, "/run/events").splitlines())
        for number, fraction in enumerate(fractions):
            self.a_change(f"{who} {number}")
            answer = self.replicate(max(1, int(total * fraction)), who, host)
            if site.run(host, "rm", "/run/killpoint").code == 0:
                self.assertNotEqual(answer.code, 0, str(answer))
                killed += 1
            self.assertTrue(any(not each["problem"] for each in site.points()))
        self.assertGreater(killed, len(fractions) // 2)
        self.assert_replicates()

    def replicate(self, at, who, host, log=None):
        environment = kill_environment(at, who, writes=True, log=log)
        if host == "mn1":
            return self.site.run("mn1", "hamn", "db", "replicate", environment=environment)
        words = " ".join(f"{key}='{value}'" for key, value in environment.items())
        self.site.lab.write("mn2", "/root/faulty", f"#!/bin/sh\nexec env {words} hamn \"$@\"\n")
        self.site.must("mn2", "chmod", "+x", "/root/faulty")
        self.site.configure("mn1", program="/root/faulty-or-not")
        self.site.lab.write("mn1", "/root/faulty-or-not", "#!/bin/sh\nexec hamn \"$@\"\n")
        self.site.must("mn1", "chmod", "+x", "/root/faulty-or-not")
        self.site.must("mn2", "cp", "/root/faulty", "/root/faulty-or-not")
        try:
            return self.site.run("mn1", "hamn", "db", "replicate")
        finally:
            self.site.configure("mn1")

    def test_replicate_itself(self):
        self.kill_at("db replicate", (0.1, 0.3, 0.5, 0.7, 0.9))

    def test_snapshot(self):
        self.kill_at("db snapshot", (0.02, 0.3, 0.6, 0.9, 0.98))

    def test_accept(self):
        self.kill_at("db accept", (0.02, 0.3, 0.6, 0.9, 0.98), host="mn2")


class DatabaseDamage(DatabaseTest):
    """Points that cannot be used."""

    weight = 18

    def test_newest_point_is_damaged(self):
        site = self.site
        older = self.newest_point()
        self.a_change(1)
        self.run_cli("mn1", "db", "replicate")
        newest = self.newest_point()
        self.assertNotEqual(newest, older)
        path = f"/var/lib/hamn/database/points/{newest}/nodelist.sqlite"
        site.must("mn2", "python3", "-c", f"f=open('{path}','r+b');f.seek(4100);b=f.read(1)[0];"
                                          "f.seek(4100);f.write(bytes([b^1]))")
        answer = self.run_cli("mn2", "db", "points", code=4)
        self.assert_says(answer, "nodelist.sqlite does not have the SHA-256")
        site.primary_loses_power()
        answer = site.failover()
        self.assert_code(answer, 0, 4)
        self.assert_says(answer, f"recovery point {older} is ")
        self.assertRegex(answer.text, f"recovery point {older} is .* old")
        self.assert_in_charge(older)

    def test_full_disk_in_accept(self):
        site = self.site
        kept = self.newest_point()
        self.a_change(2)
        site.lab.verb("fill", "mn2", "0", "/")
        answer = site.run("mn1", "hamn", "db", "replicate")
        self.assert_code(answer, 1, 4)
        self.assertEqual(self.newest_point(), kept)
        self.run_cli("mn2", "db", "verify", "--point", kept)
        site.lab.verb("unfill", "mn2", "/")
        self.assert_replicates()
