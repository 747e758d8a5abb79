"""The second half: the power of mn1 is cut while people work, and mn2 takes over."""
import json
import os
import time

from demolib.cluster import sent_bytes
from demolib.lab import ADDRESSES, DemoError
from demolib.screen import human_bytes, human_ms

SETS = ("/etc/xcat/ca", "/etc/xcat/cert", "/etc/xcat/hostkeys", "/etc/xcat/sshkeys",
        "/etc/xcat/cfgloc*", "/root/.xcat", "/home/conserver/.xcat", "/root/.ssh/id*",
        "/install", "/tftpboot", "/etc/hosts", "/etc/resolv.conf")
READY_SECONDS, RECOVERED_SECONDS = 20, 60
WORK_BEFORE, WORK_AFTER = 1.5, 2.0  # of the last recovery point [s]
RUN_ID = "reports/"


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
            "20", "--seconds", "170", "--wait-recovered", "--ready-file", "/root/ready",
            out=self.path("probe.json"), log="probe.log")
        deadline = time.monotonic() + READY_SECONDS
        while "ready" not in lab.run("cn1", "cat", "/root/ready", check=False):
            if time.monotonic() > deadline or self.probe.poll() is not None:
                raise DemoError("cn1 is not served by mn1: see the log of the probe")
            time.sleep(0.1)
        lab.screen.line("cn1 asks mn1 every 20 ms: ping, DNS, DHCP; and xcatd over TLS.")

    def work_and_replicate(self):
        """People work on mn1; the last recovery point is taken while they do."""
        lab = self.lab
        for words, out in ((("/root/cluster/change_rows.py", "--changes", "4000", "--seconds",
                             "200", "--seed", "11"), "rows-changed.jsonl"),
                           (("/root/demo/change_tree.py", "--steadily"), "files-changed.jsonl")):
            lab.start("mn1", "python3", *words, out=self.path(out), log="work-mn1.log")
        lab.screen.line("On mn1 20 rows and 10 files per second are changed from here on.")
        time.sleep(WORK_BEFORE)
        before = sent_bytes(lab)
        _, seconds = lab.show("mn1", "hamn db replicate")
        self.facts["last_replication"] = {"seconds": round(seconds, 2),
                                          "sent_bytes": sent_bytes(lab) - before}
        lab.screen.line(human_bytes(self.facts["last_replication"]["sent_bytes"]) +
                        " left mn1's network interface", "dim")
        self.facts["point"] = self.newest_point()
        time.sleep(WORK_AFTER)

    def newest_point(self):
        """The recovery point that mn2 would start from."""
        points = self.lab.json("mn2", "hamn", "db", "points", "--json")["points"]
        if not points:
            raise DemoError("mn2 has no recovery point")
        return {"id": points[0]["id"], "taken": points[0]["taken"]}

    def cut_power(self):
        """All disks at one instant, nothing is heard after it."""
        self.lab.screen.line("lab crash mn1", "bad")
        before, wall = time.monotonic(), time.time()
        self.lab.verb("crash", "mn1")
        after = time.monotonic()
        self.facts["cut"] = {"monotonic": before, "unix": wall, "took_ms": round((after - before) * 1000)}
        taken = parse_time(self.facts["point"]["taken"])
        self.facts["point_age_s"] = round(wall - taken, 2)

    def take_over(self):
        """The one command."""
        status, seconds = self.lab.show(
            "mn2", 'hamn failover --yes=mn1 --reason "power cut"', expected=range(256))
        self.facts["failover_exit_code"] = status
        self.facts["failover_s"] = round(seconds, 2)

    def wait_recovered(self):
        """Until cn1 has seen everything up for a second."""
        deadline = time.monotonic() + RECOVERED_SECONDS
        while self.probe.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.probe.poll() is None:
            self.lab.screen.line("cn1 does not see everything again; its view so far counts", "bad")
            self.lab.run("cn1", "pkill", "-TERM", "-f", "/root/probe.py", check=False)
            self.probe.wait(10)
        with open(self.path("probe.json"), encoding="utf-8") as file:
            self.facts["probe"] = read_probe(json.load(file), self.facts["cut"]["monotonic"])
        seen = self.facts["probe"]["services"]
        for name, each in seen.items():
            self.lab.screen.line(f"{name:8} " + (f"gone for {human_ms(each['gap_ms'])}"
                                                 if each["answered_after_cut"] else "did not return"),
                                 None if each["answered_after_cut"] else "bad")


def read_probe(report, cut):
    """Of cn1's report, what the demo needs; a service counts as back if it answered after the cut
    and was up at the end."""
    services = {}
    for name, each in report["services"].items():
        back = each["first_ok_after_gap"]
        services[name] = {
            "gap_ms": each["gap_ms"], "at_least_ms": each["gap_at_least_ms"],
            "answered_after_cut": bool(back and back > cut and not each["still_down"]),
            "back_after_cut_s": round(back - cut, 3) if back else None,
            "gaps": each["gaps"], "errors": each["errors"], "probes": each["probes"]}
    return {"services": services, "ready": report["ready"]}


def parse_time(text):
    """Seconds since 1970 of a time such as 2026-01-02T03:04:05.678Z."""
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
