#!/usr/bin/python3
"""Runs in a lab host: makes files and tells what state the host is in, as JSON.

  agent.py state                          addresses, names, role, services
  agent.py tables DIRECTORY               {table: sorted rows}
  agent.py tree DIRECTORY...              {path: kind, and content by hash}
  agent.py make-files DIRECTORY COUNT BYTES SEED
  agent.py staging DIRECTORY...           what a pass left behind
  agent.py sql TABLE STATEMENT            one committed change in /etc/xcat
  agent.py settle                         waits until no hamn of this host works any more
"""
import hashlib
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import time

UNITS = ("xcatd", "named", "isc-dhcp-server", "conserver-server")


def words_of(*argv):
    """Output of a command."""
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20).stdout


def state():
    """What a takeover changes."""
    addresses = [line.split()[3] for line in
                 words_of("ip", "-oneline", "-4", "address", "show", "dev", "eth0").splitlines()]
    role = pathlib.Path("/var/lib/hamn/role.json")
    timers = words_of("systemctl", "list-units", "--type=timer", "--plain", "--no-legend",
                      "hamn-*").split()
    return {"addresses": addresses, "hostname": words_of("hostname").strip(),
            "hostname_file": pathlib.Path("/etc/hostname").read_text("utf-8").strip(),
            "role": json.loads(role.read_text("utf-8")) if role.exists() else None,
            "active": [unit for unit in UNITS
                       if words_of("systemctl", "is-active", unit).strip() == "active"],
            "enabled": [unit for unit in UNITS
                        if words_of("systemctl", "is-enabled", unit).strip() == "enabled"],
            "timers": timers, "tables": tables_digest("/etc/xcat")}


def tables(directory):
    """The content of all tables; a file that is no database counts as its bytes."""
    found = {}
    for path in sorted(pathlib.Path(directory).glob("*.sqlite")):
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            rows = connection.execute(f'SELECT * FROM "{path.stem}"').fetchall()
            found[path.stem] = sorted(json.dumps(row) for row in rows)
        except sqlite3.Error as error:
            missing = "no such table" in str(error)
            found[path.stem] = [] if missing else [hashlib.sha256(path.read_bytes()).hexdigest()]
        finally:
            connection.close()
    return found


def tables_digest(directory):
    """One hash over all tables."""
    return hashlib.sha256(json.dumps(tables(directory), sort_keys=True).encode()).hexdigest()


def tree(directories):
    """Every path below, without what hamn keeps there for a while."""
    found = {}
    for top in directories:
        for directory, names, files in os.walk(top):
            names[:] = [name for name in names
                        if name != "lost+found" and not name.startswith(".hamn-")]
            for name in names + files:
                path = os.path.join(directory, name)
                found[path] = describe(path)
    return found


def describe(path):
    """Kind, mode and content; links count as what they point at."""
    status = os.stat(path)
    mode = oct(status.st_mode)
    if os.path.isdir(path):
        return mode
    with open(path, "rb") as file:
        return f"{mode} {status.st_size} {hashlib.sha256(file.read()).hexdigest()}"


def make_files(directory, count, size, seed):
    """`count` files of about `size` bytes, their content decided by `seed`."""
    choose = random.Random(seed)
    for number in range(count):
        path = pathlib.Path(directory, f"d{number % 7}", f"file{number:04d}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(choose.randbytes(max(1, size + choose.randrange(-size // 4, size // 4 + 1))))


def staging(directories):
    """Staging directories and files with their names."""
    return [os.path.join(directory, name)
            for top in directories for directory, names, files in os.walk(top)
            for name in names + files if name.startswith(".hamn-")]


def works():
    """Commands of hamn that run in this host."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "exe").startswith("/usr/bin/hamn"):
                found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def settle(limit=30.0):
    """Waits until no hamn works any more."""
    end = time.monotonic() + limit
    while works():
        if time.monotonic() > end:
            return {"still": works()}
        time.sleep(0.05)
    return {"still": []}


def sql(table, statement):
    """One committed change, as a command of xCAT makes it."""
    connection = sqlite3.connect(f"/etc/xcat/{table}.sqlite", timeout=30)
    with connection:
        connection.execute(statement)
    connection.close()
    return {}


def main(verb, *words):
    """Entry."""
    answer = {}
    if verb == "state":
        answer = state()
    elif verb == "tables":
        answer = tables(words[0])
    elif verb == "tree":
        answer = tree(words)
    elif verb == "make-files":
        make_files(words[0], int(words[1]), int(words[2]), int(words[3]))
    elif verb == "staging":
        answer = staging(words)
    elif verb == "sql":
        answer = sql(words[0], words[1])
    elif verb == "settle":
        answer = settle()
    else:
        sys.exit(f"agent.py: no such verb: {verb}")
    print(json.dumps(answer))


main(*sys.argv[1:])
