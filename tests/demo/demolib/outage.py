"""The second half: the power of mn1 is cut while people work, and mn2 takes over."""
import datetime
import json
import os
import time

from demolib.cluster import Traffic
from demolib.lab import ADDRESSES, DemoError
from demolib.screen import human_ms

SETS = ("/etc/xcat/ca", "/etc/xcat/cert", "/etc/xcat/hostkeys", "/etc/xcat/sshkeys",
        "/etc/xcat/cfgloc*", "/root/.xcat", "/home/conserver/.xcat", "/root/.ssh/id*",
        "/install", "/tftpboot", "/etc/hosts", "/etc/resolv.conf")
READY_SECONDS, RECOVERED_SECONDS, STEADY = 20, 40, 1.0
WORK_BEFORE, WORK_AFTER = 1.5, 2.0  # of the last recovery point [s]


class Outage:
    """From the watching node's first probe to its last."""

    def __init__(self, lab, work, facts):
        self.lab, self.work, self.facts = lab, work, facts
        self.probe = None

    def path(self, name):
        """A file of the machine."""
        return os.path.join(self.work, name)

    def note_files(self):
        """What a copy has to hold: hashes of all files right after the last sync."""
        self.lab.to_file(self.path("files-at-sync.jsonl"), "mn1", "python3",
                         "/root/demo/manifest.py", *SETS)
        # As after a minute of quiet: what the power cut takes from mn1's disk is then only what
        # changes from here on.
        self.lab.run("mn1", "sync")

    def start_probe(self):
        """cn1 begins to ask for everything that a compute node needs."""
        lab = self.lab
        lab.run("cn1", "mkdir", "-p", "/root/.xcat")
        for name in ("client-cred.pem", "ca.pem"):
            lab.verb("get", "mn1", f"/root/.xcat/{name}", self.path(name))
            lab.verb("put", "cn1", self.path(name), f"/root/.xcat/{name}")
            os.remove(self.path(name))
        self.probe = lab.start(
            "cn1", "python3", "/root/probe.py", "--address", ADDRESSES["mn1"], "--interval-ms",
            "20", "--seconds", "300", "--ready-file", "/root/ready",
            out=self.path("probe.json"), log="probe.log")
        if not self.all_answered("/root/ready", READY_SECONDS):
            raise DemoError("cn1 is not served by mn1: see the log of the probe")
        lab.screen.line("cn1 asks mn1 every 20 ms: ping, DNS, DHCP; and xcatd over TLS.")

    def all_answered(self, ready_file, seconds):
        """Waits until a probe says that every service has answered it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.probe.poll() is None:
            if "ready" in self.lab.run("cn1", "cat", ready_file, check=False):
                return True
            time.sleep(0.1)
        return False

    def work_and_replicate(self):
        """People work on mn1; the last recovery point is taken while they do."""
        lab = self.lab
        for words, out in ((("/root/cluster/change_rows.py", "--changes", "4000", "--seconds",
                             "200", "--seed", "11"), "rows-changed.jsonl"),
                           (("/root/demo/change_tree.py", "--steadily"), "files-changed.jsonl")):
            lab.start("mn1", "python3", *words, out=self.path(out), log="work-mn1.log")
        lab.screen.line("On mn1 20 rows and 10 files per second are changed from here on.")
        time.sleep(WORK_BEFORE)
        traffic = Traffic(lab)
        _, seconds = lab.show("mn1", "hamn db replicate")
        self.facts["last_replication"] = traffic.show(seconds)
        self.facts["point"] = self.newest_point()
        time.sleep(WORK_AFTER)

    def newest_point(self):
        """The recovery point that mn2 would start from."""
        points = self.lab.json("mn2", "hamn", "db", "points", "--json")["points"]
        if not points:
            raise DemoError("mn2 has no recovery point")
        newest = max(points, key=lambda point: point["id"])
        return {"id": newest["id"], "taken": newest["taken"]}

    def cut_power(self):
        """All disks at one instant, nothing is heard after it."""
        self.lab.screen.line("lab crash mn1", "bad")
        before, wall = time.monotonic(), time.time()
        self.lab.verb("crash", "mn1")
        after = time.monotonic()
        self.facts["cut"] = {"monotonic": before, "unix": wall,
                             "took_ms": round((after - before) * 1000)}
        taken = parse_time(self.facts["point"]["taken"])
        self.facts["point_age_s"] = round(wall - taken, 2)
        self.facts["files_age_s"] = round(
            wall - self.facts["second_copy"]["files"]["began_unix"], 2)

    def take_over(self):
        """The one command."""
        status, seconds = self.lab.show(
            "mn2", 'hamn failover --yes=mn1 --reason "power cut"', expected=range(256))
        self.facts["failover_exit_code"] = status
        self.facts["failover_s"] = round(seconds, 2)

    def wait_recovered(self):
        """cn1 watches to the end of the takeover, and until a fresh look finds everything up."""
        self.lab.start("cn1", "python3", "/root/probe.py", "--address", ADDRESSES["mn1"],
                       "--seconds", str(RECOVERED_SECONDS + 5), "--ready-file", "/root/ready-again",
                       out=os.devnull, log="probe.log")
        if not self.all_answered("/root/ready-again", RECOVERED_SECONDS):
            self.lab.screen.line("Not everything is back for cn1; its view so far counts.", "bad")
        time.sleep(STEADY)
        self.lab.run("cn1", "pkill", "-TERM", "-f", "^python3 /root/probe.py", check=False)
        self.probe.wait(20)
        with open(self.path("probe.json"), encoding="utf-8") as file:
            self.facts["probe"] = read_probe(json.load(file), self.facts["cut"]["monotonic"])
        for name, each in self.facts["probe"]["services"].items():
            self.lab.screen.line(f"{name:8} {gap_text(each)}", None if each["back"] else "bad")


def gap_text(service):
    """How cn1 saw one service."""
    if not service["back"]:
        return "did not come back"
    again = service["gone_again_ms"]
    return f"gone for {human_ms(service['gap_ms'])}" + (
        f", and again for {', '.join(map(human_ms, again))}" if again else "")


def read_probe(report, cut):
    """Of cn1's report, what the demo needs. A service is back if it answered after the cut and was
    up at the end. The gap is the one that the cut opened."""
    services = {}
    for name, each in report["services"].items():
        after = [gap for gap in each["gaps"] if (gap["first_ok_after"] or cut + 1) > cut]
        first = after[0] if after else {}
        end = first.get("first_ok_after")
        services[name] = {
            "gap_ms": first.get("gap_ms", 0.0), "at_least_ms": first.get("gap_at_least_ms", 0.0),
            "back": bool(end) and not each["still_down"],
            "back_after_cut_s": round(end - cut, 3) if end else None,
            "gone_again_ms": [gap["gap_ms"] for gap in after[1:]],
            "before_cut_ms": [gap["gap_ms"] for gap in each["gaps"] if gap not in after],
            "errors": each["errors"], "probes": each["probes"]}
    return {"services": services, "ready": report["ready"]}


def parse_time(text):
    """Seconds since 1970 of a time such as 2026-01-02T03:04:05.678Z."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
