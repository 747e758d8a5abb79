"""By content: what mn2 holds, what was lost by name, and the result."""
import glob
import json
import os
import shutil
import subprocess
import sys

from demolib.cluster import write_json
from demolib.lab import HERE, in_parallel
from demolib.outage import SETS, gap_text

POINTS = "/var/lib/hamn/database/points"
REPORTS = "/var/lib/hamn/reports"
SERVICES = ("address", "dns", "dhcp", "xcatd")
ATTRIBUTES = ("mode", "uid", "gid", "mtime")
SHOWN = 4


class Verdict:
    """Compares, counts, names."""

    def __init__(self, lab, work, facts):
        self.lab, self.work, self.facts = lab, work, facts
        self.at_sync = {}

    def path(self, name):
        """A file of the machine."""
        return os.path.join(self.work, name)

    def compare_rows(self):
        """Every row of the recovery point with the tables that xcatd on mn2 has now."""
        point = f"{POINTS}/{self.facts['point']['id']}"
        found = json.loads(self.lab.run("mn2", "python3", "/root/demo/compare_rows.py", "--copy",
                                        point, "/etc/xcat", check=False))
        own = json.loads(self.lab.run("mn2", "hamn", "db", "compare", "--point",
                                      self.facts["point"]["id"], "--json", check=False))
        self.facts["rows"] = {**found, "hamn_says_equal": own["equal"],
                              "hamn_says_differences": own["differences"]}
        self.facts["rows"]["rows_different"] += len(found["tables_missing"])

    def compare_files(self):
        """Every file of the last sync with what mn2 has now."""
        self.lab.to_file(self.path("files-on-mn2.jsonl"), "mn2", "python3",
                         "/root/demo/manifest.py", *SETS)
        self.at_sync = read_manifest(self.path("files-at-sync.jsonl"))
        on_mn2 = read_manifest(self.path("files-on-mn2.jsonl"))
        different, attributes = [], []
        for path, before in self.at_sync.items():
            now = on_mn2.get(path)
            if now is None or now["sha256"] != before["sha256"]:
                different.append(path)
            elif any(now[each] != before[each] for each in ATTRIBUTES):
                attributes.append(path)
        self.facts["files"] = {
            "compared": len(self.at_sync),
            "bytes": sum(each["size"] for each in self.at_sync.values()),
            "different": len(different), "different_names": printable(different[:50]),
            "other_attributes": len(attributes),
            "other_attributes_names": printable(attributes[:50]),
            "more_on_mn2": printable(sorted(set(on_mn2) - set(self.at_sync))[:50])}
        return on_mn2

    def compare(self):
        """mn2's rows and files; mn1 starts meanwhile, unplugged."""
        on_mn2, _ = in_parallel(lambda: (self.compare_rows(), self.compare_files())[1],
                                self.read_disk)
        return on_mn2

    def read_disk(self):
        """Starts mn1 with its cable unplugged and lists its files."""
        lab = self.lab
        lab.verb("partition", "mn1")
        lab.verb("start", "mn1")
        lab.verb("put", "mn1", self.path("files-at-sync.jsonl"), "/root/known.jsonl")
        lab.to_file(self.path("files-on-mn1.jsonl"), "mn1", "python3", "/root/demo/manifest.py",
                    "--known", "/root/known.jsonl", *SETS)

    def find_loss(self, on_mn2):
        """Names what was on mn1's disk, or was told to be, and is not on mn2."""
        on_mn1 = read_manifest(self.path("files-on-mn1.jsonl"))
        lost = {path for path, each in on_mn1.items()
                if self.at_sync.get(path, {}).get("sha256") != each["sha256"]
                and on_mn2.get(path, {}).get("sha256") != each["sha256"]}
        acknowledged = {line["path"] for line in read_lines(self.path("files-changed.jsonl"))}
        self.facts["files_lost"] = {
            "names": printable(sorted(lost | acknowledged)), "on_the_disk": len(lost),
            "acknowledged": len(acknowledged), "acknowledged_not_on_disk":
                printable(sorted(path for path in acknowledged - lost))}
        self.find_lost_rows()

    def find_lost_rows(self):
        """mn1's tables as its disk has them, against the recovery point."""
        point = f"{POINTS}/{self.facts['point']['id']}"
        for host, source, name in (("mn1", "/etc/xcat", "tables-of-mn1"),
                                   ("mn2", point, "tables-of-point")):
            shutil.rmtree(self.path(name), ignore_errors=True)
            self.lab.verb("get", host, source, self.path(name))
        compared = subprocess.run(
            [sys.executable, os.path.join(HERE, "inside", "compare_rows.py"), "--copy",
             self.path("tables-of-point"), self.path("tables-of-mn1")],
            check=False, stdout=subprocess.PIPE)
        rows = json.loads(compared.stdout)["rows"]
        log = self.path("rows-changed.jsonl")
        self.lab.verb("put", "mn2", log, "/root/rows-changed.jsonl")
        self.lab.verb("put", "mn2", os.path.join(HERE, "cluster"), "/root/cluster")
        checked = json.loads(self.lab.run("mn2", "python3", "/root/cluster/change_rows.py",
                                          "--check", "/root/rows-changed.jsonl", check=False))
        lost = {row["row"] for row in rows}
        numbers = set(checked["lost_changes"])
        acknowledged = {f"{each['table']} {each['node']}" for each in read_lines(log)
                        if each["change"] in numbers}
        self.facts["rows_lost"] = {
            "names": sorted(lost | acknowledged), "on_the_disk": len(lost),
            "acknowledged_changes": checked["acknowledged"], "acknowledged_lost": checked["lost"],
            "acknowledged_not_on_disk": sorted(acknowledged - lost)}
        for name in ("tables-of-mn1", "tables-of-point"):
            shutil.rmtree(self.path(name), ignore_errors=True)

    def collect_reports(self, directory):
        """hamn's own reports of the takeover; a takeover that was refused may have none."""
        self.facts["report_html"] = None
        self.lab.verb("get", "mn2", REPORTS, self.path("reports"), check=False)
        for form in ("txt", "json", "html"):
            found = sorted(glob.glob(os.path.join(self.work, "reports", f"*.{form}")))
            if found:
                path = os.path.join(directory, f"report.{form}")
                shutil.copyfile(found[-1], path)
                self.facts[f"report_{form}"] = path
        shutil.rmtree(self.path("reports"), ignore_errors=True)

    def who_answers(self):
        """Whose network card has the service address now, as cn1 sees it."""
        neighbours = json.loads(self.lab.run("cn1", "ip", "-json", "neigh", "show", "10.77.0.11"))
        seen = next((each.get("lladdr") for each in neighbours if each.get("lladdr")), None)
        mn2 = self.lab.verb("mac", "mn2").strip()
        self.facts["address_at"] = {"mac": seen, "is_mn2": seen == mn2}


def read_lines(path):
    """JSON lines; the last one may be cut short by the power cut."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("}\n")]


def read_manifest(path):
    """{path: line}."""
    return {each["path"]: each for each in read_lines(path)}


def printable(names):
    """Names that can be written as UTF-8."""
    return [name.encode("utf-8", "backslashreplace").decode() for name in names]


def is_good(facts):
    """What the demo promises."""
    seen = facts["probe"]["services"]
    return all((facts["failover_exit_code"] in (0, 4), facts["report_html"],
                facts["files"]["compared"] > 0, facts["files"]["different"] == 0,
                facts["rows"]["rows_compared"] > 0, facts["rows"]["rows_different"] == 0,
                facts["address_at"]["is_mn2"], *(seen[name]["back"] for name in SERVICES)))


def result_of(facts, phases, seconds):
    """build/demo/result.json."""
    seen = facts["probe"]["services"]
    return {"good": is_good(facts), "nodes": facts["nodes"],
            "gap_ms": {name: seen[name]["gap_ms"] for name in SERVICES},
            "back_after_cut_s": {name: seen[name]["back_after_cut_s"] for name in SERVICES},
            "point_age_s": facts["point_age_s"],
            "files_age_s": facts["files_age_s"], "failover_s": facts["failover_s"],
            "failover_exit_code": facts["failover_exit_code"],
            "files_compared": facts["files"]["compared"],
            "files_different": facts["files"]["different"],
            "rows_compared": facts["rows"]["rows_compared"],
            "rows_different": facts["rows"]["rows_different"],
            "files_lost": len(facts["files_lost"]["names"]),
            "rows_lost": len(facts["rows_lost"]["names"]),
            "report_html": facts["report_html"], "phases_s": phases, "total_s": round(seconds, 1),
            "details": facts}


def some(names):
    """The first few."""
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def counted(what, compared, different):
    """A line of the last table."""
    return f"{compared:,} compared with {what}, {different} different", \
        "bad" if different else "good"


def lost(facts, what, verb):
    """Another one."""
    names = facts[what]["names"]
    text = f"{len(names)} {verb} after that: {some(names)}" if names else "none"
    return text, "warning" if names else "good"


def show_result(screen, facts, result):
    """The last table."""
    rows, files = facts["rows"], facts["files"]
    table = [("Recovery point", f"{facts['point']['id']}, {facts['point_age_s']:.1f} s old when "
              f"the power went; files {facts['files_age_s']:.1f} s", None),
             ("Rows on mn2", *counted("it", rows["rows_compared"], rows["rows_different"])),
             ("Files on mn2", *counted("the last sync", files["compared"], files["different"])),
             ("Rows lost", *lost(facts, "rows_lost", "changed")),
             ("Files lost", *lost(facts, "files_lost", "written")),
             ("hamn failover", f"{facts['failover_s']:.1f} s, exit code "
              f"{facts['failover_exit_code']}",
              "good" if facts["failover_exit_code"] in (0, 4) else "bad")]
    for name in SERVICES:
        each = facts["probe"]["services"][name]
        table.append((f"{name} for cn1", gap_text(each), "good" if each["back"] else "bad"))
    if files["other_attributes"]:
        table.append(("Attributes", f"{files['other_attributes']} files have another mode, owner "
                      "or time than at the last sync", "warning"))
    if not facts["address_at"]["is_mn2"]:
        table.append(("The address", "is not at mn2's network card", "bad"))
    report = result["report_html"]
    table.append(("Report", os.path.relpath(report) if report else "none",
                  None if report else "bad"))
    screen.table(table)
    for table_name, number in rows["tables_different"].items():
        screen.line(f"  table {table_name}: {number} rows differ", "bad")
    for path in facts["files"]["different_names"][:SHOWN]:
        screen.line(f"  {path} differs", "bad")


def save(directory, result):
    """For programs."""
    write_json(os.path.join(directory, "result.json"), result)
