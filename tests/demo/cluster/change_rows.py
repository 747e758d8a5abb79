#!/usr/bin/python3
"""Makes committed changes in xCAT's tables over time, and counts later which were lost.

  change_rows.py --dir /etc/xcat --changes 100 --seconds 60 > changes.jsonl
  change_rows.py --dir /etc/xcat --check changes.jsonl

Each change is an ordinary SQLite transaction of its own, as chdef's are.  Its line is
printed (JSON, flushed) after the commit returned, so a line stands for an acknowledged
change.  --check reads the rows and reports the acknowledged changes that are missing;
a row holds only its newest change, so all of a row's changes after the one found count.
"""
import argparse
import json
import os
import random
import sqlite3
import sys
import time

TABLES = ("nodelist", "noderes", "nodetype", "nodehm", "hosts", "mac")
BUSY_TIMEOUT = 30.0  # [s], as DBD::SQLite's default


def main():
    """Entry; --check exits with 1 when something was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", default="/etc/xcat")
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=0.0, help="spread over this time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", metavar="FILE", help="count lost changes instead")
    options = parser.parse_args()
    if options.check:
        lost = check(options.dir, options.check)
        print(json.dumps(lost, indent=1))
        return 1 if lost["lost"] else 0
    make(options)
    return 0


def connect(directory, table):
    """An autocommitting connection to one table's file, which must exist."""
    path = os.path.join(directory, f"{table}.sqlite")
    return sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=BUSY_TIMEOUT,
                           isolation_level=None)


def make(options):
    """Changes the "comments" of random nodes, one row at a time."""
    choose = random.Random(options.seed)
    with connect(options.dir, "nodelist") as nodelist:
        nodes = [row[0] for row in nodelist.execute("SELECT node FROM nodelist")]
    connections = {table: connect(options.dir, table) for table in TABLES}
    started = time.monotonic()
    for number in range(1, options.changes + 1):
        due = started + options.seconds * (number - 1) / max(1, options.changes)
        time.sleep(max(0.0, due - time.monotonic()))
        table, node = choose.choice(TABLES), choose.choice(nodes)
        begun = time.time()
        value = f"change {number} at {begun:.6f}"
        connection = connections[table]
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"UPDATE {table} SET comments = ? WHERE node = ?", (value, node))
        connection.execute("COMMIT")
        line = {"change": number, "table": table, "node": node, "column": "comments",
                "value": value, "begun": begun, "committed": time.time(),
                "monotonic": time.monotonic()}
        print(json.dumps(line), flush=True)


def check(directory, path):
    """Compares the log of acknowledged changes with the tables in `directory`."""
    with open(path, encoding="utf-8") as file:
        changes = [json.loads(line) for line in file if line.strip().endswith("}")]
    found = {}
    for table in TABLES:
        connection = connect(directory, table)
        for node, value in connection.execute(f"SELECT node, comments FROM {table}"):
            words = (value or "").split()
            found[table, node] = int(words[1]) if words[:1] == ["change"] else 0
        connection.close()
    lost = [c for c in changes if c["change"] > found.get((c["table"], c["node"]), 0)]
    newest = max(found.values(), default=0)
    return {"acknowledged": len(changes), "lost": len(lost), "newest_found": newest,
            "first_lost": lost[0] if lost else None, "last_lost": lost[-1] if lost else None,
            "lost_changes": [c["change"] for c in lost]}


if __name__ == "__main__":
    sys.exit(main())
