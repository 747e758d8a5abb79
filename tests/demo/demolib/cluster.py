"""The first half: two management nodes, a cluster and its files, and the copies of them."""
import json
import os
import time

from demolib.lab import ADDRESSES, HERE, SWITCH, TESTS, DemoError, in_parallel
from demolib.screen import human_bytes

DOMAIN = "cluster.test"
FENCE = f"""
[[fence]]
name = "bmc"
off = ["/usr/local/bin/bmc-client", "{SWITCH}", "off", "{{host}}"]
status = ["/usr/local/bin/bmc-client", "{SWITCH}", "status", "{{host}}"]
off_when = "Chassis Power is off"
"""


def bring_up(lab, program):
    """Three hosts, with xCAT's simulators and hamn on both management nodes."""
    screen = lab.screen
    lab.verb("up")
    screen.line("mn1 10.77.0.11  management node, in charge")
    screen.line("mn2 10.77.0.12  management node, standby")
    screen.line("cn1 10.77.0.21  a compute node; it will watch")

    def install(host):
        lab.verb("put", host, os.path.join(TESTS, "simulators", "xcat"), "/root/xcat")
        lab.verb("put", host, program, "/usr/bin/hamn")
        lab.verb("put", host, os.path.join(HERE, "inside"), "/root/demo")
        lab.run(host, "/root/xcat/install", "--fresh", "--host", host, "--master",
                ADDRESSES[host], "--domain", DOMAIN, "--gateway", SWITCH, log=f"setup-{host}")

    in_parallel(lambda: install("mn1"), lambda: install("mn2"))
    lab.verb("put", "mn1", os.path.join(HERE, "cluster"), "/root/cluster")
    lab.verb("put", "cn1", os.path.join(TESTS, "lab", "probe.py"), "/root/probe.py")


def fill(lab, nodes, facts):
    """The cluster in xCAT's tables and services, and /install beside it."""
    installing, netbooted = (50, 20) if nodes >= 200 else (5, 4)
    mac = lab.verb("mac", "cn1").strip()
    made = lab.json("mn1", "python3", "/root/cluster/make_cluster.py", "--nodes", str(nodes),
                    "--installing", str(installing), "--netbooted", str(netbooted),
                    "--dir", "/etc/xcat", "--master", ADDRESSES["mn1"], "--network",
                    "10.77.0.0/16", "--domain", DOMAIN, "--mn", "mn1", "--mn", "mn2", "--cn1",
                    ADDRESSES["cn1"], "--cn1-mac", mac, "--files", "/")
    facts["install_tree"], _ = in_parallel(
        lambda: lab.json("mn1", "python3", "/root/demo/make_tree.py"),
        lambda: configure(lab, made))
    lab.run("mn1", "sync")
    facts["nodes"] = made["nodes"]
    facts["states"] = made["states"]
    report_filled(lab.screen, made, facts["install_tree"])


def configure(lab, made):
    """xCAT's own commands, as an administrator runs them after defining nodes. nodeset tells
    dhcpd about each node, so makedhcp -a is not needed."""
    deployed = made["installing"] + made["netbooted"]
    first, last = min(deployed), max(deployed)
    commands = ["systemctl start xcatd", "makehosts", "makedns -n", "makedhcp -n",
                "makeconservercf", f"nodeset {first}-{last} osimage",
                f"nodeset all,-{first}-{last} boot"]
    for command in commands:
        lab.run("mn1", "bash", "-lc", command, log="setup-mn1")


def report_filled(screen, made, tree):
    """What the visitor should know about it."""
    states = {}
    for state, number in made["states"].items():
        kind = {"boot": "booted", "install": "being installed", "netboot": "diskless"}
        name = kind.get(state.split()[0], state)
        states[name] = states.get(name, 0) + number
    screen.line(f"{made['nodes']:,} nodes: " +
                ", ".join(f"{number:,} {name}" for name, number in states.items()))
    screen.line(f"/install: {tree['files']:,} files, {human_bytes(tree['bytes'])}, "
                f"{tree['links']:,} links, {tree['over_50_mb']} files above 50 MB, a sparse one")
    if made["nodes"] >= 1000 and (tree["files"] < 20000 or tree["bytes"] < 500e6):
        raise DemoError("/install is smaller than it should be")


def set_up_hamn(lab):
    """hamn init on both, as a user does it."""
    lab.show("mn1", "hamn init --role primary --peer mn2=10.77.0.12")
    lab.run("mn1", "sh", "-c", 'printf "%s" "$1" >> /etc/hamn/hamn.toml', "sh", FENCE)
    lab.screen.line("A [[fence]] was added to hamn.toml: how to switch a host off by its BMC.",
                    "dim")
    lab.run("mn1", "hamn", "config")
    lab.run("mn1", "scp", "-q", "/etc/hamn/hamn.toml", "mn2:/tmp/hamn.toml")
    lab.run("mn2", "install", "-D", "-m", "644", "/tmp/hamn.toml", "/etc/hamn/hamn.toml")
    lab.show("mn2", "hamn init --role standby")


class Traffic:
    """What passes mn1's network interface, as its kernel counts it."""

    def __init__(self, lab):
        self.lab = lab
        self.sent, self.received = self._counters()

    def _counters(self):
        where = "/sys/class/net/eth0/statistics"
        return [int(word) for word in self.lab.run(
            "mn1", "cat", f"{where}/tx_bytes", f"{where}/rx_bytes").split()]

    def show(self, seconds):
        """Tells and answers how much it was since the beginning."""
        sent, received = self._counters()
        figures = {"seconds": round(seconds, 2), "sent_bytes": sent - self.sent,
                   "received_bytes": received - self.received}
        self.lab.screen.line(f"{human_bytes(figures['sent_bytes'])} out of mn1 and "
                             f"{human_bytes(figures['received_bytes'])} back, in {seconds:.1f} s",
                             "dim")
        return figures


def copy(lab, facts, name):
    """Files and database once; what it took is kept under `name`."""
    figures = {}
    for what, words in (("files", "hamn sync run"), ("database", "hamn db replicate")):
        traffic, begun = Traffic(lab), time.time()
        _, seconds = lab.show("mn1", words)
        figures[what] = {"began_unix": begun, **traffic.show(seconds)}
    facts[name] = figures


def change(lab, facts):
    """A working day in a second: rows and files change."""
    lines = lab.run("mn1", "python3", "/root/cluster/change_rows.py", "--changes", "60",
                    "--seed", "7")
    changes = lab.json("mn1", "python3", "/root/demo/change_tree.py")
    facts["changes"] = {"rows": len(lines.splitlines()), **changes}
    lab.screen.line(f"{len(lines.splitlines())} rows changed; {changes['edited']} files edited, "
                    f"{changes['new']} new ones in a new directory,")
    lab.screen.line("64 KiB appended to an image of 56 MiB, 4 KiB overwritten in another, a third "
                    "one touched")


def write_json(path, content):
    """Indented, for people and programs."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.write("\n")
    os.replace(path + ".new", path)
