#!/usr/bin/python3
"""Lists files with their content's hash, links followed: what a copy of them has to hold.

  manifest.py PATTERN... > manifest.jsonl
  manifest.py --known manifest.jsonl PATTERN...   hashes only what changed since (ctime)

Links that point nowhere or to a directory above themselves are left out, as are devices and the
copying program's own staging directories.  One JSON line per file: path, sha256, size, mode, uid,
gid, mtime and ctime [ns].  Paths that are not UTF-8 carry surrogates, as Python has them.
"""
import argparse
import concurrent.futures
import glob
import hashlib
import json
import os
import stat
import sys

STAGING = ".hamn-stage-"
PIECE = 1 << 20


def main():
    """Entry."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--known", help="an earlier manifest of this host")
    parser.add_argument("patterns", nargs="+")
    options = parser.parse_args()
    known = read_known(options.known) if options.known else {}
    found = []
    for pattern in options.patterns:
        for path in sorted(glob.glob(pattern)):
            walk(path, (), found)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for line in pool.map(lambda each: describe(*each, known), found, chunksize=64):
            if line is not None:
                sys.stdout.write(json.dumps(line) + "\n")


def read_known(path):
    """{path: line} of an earlier manifest."""
    with open(path, encoding="utf-8") as file:
        return {each["path"]: each for each in map(json.loads, file)}


def walk(path, above, found):
    """Collects (path, status) of every regular file; `above` are the directories on the way."""
    try:
        status = os.stat(path)
    except OSError:
        return  # a link to nothing
    if stat.S_ISREG(status.st_mode):
        found.append((path, status))
    elif stat.S_ISDIR(status.st_mode):
        here = (status.st_dev, status.st_ino)
        if here in above:
            return
        for name in sorted(os.listdir(path)):
            if not name.startswith(STAGING):
                walk(os.path.join(path, name), above + (here,), found)


def describe(path, status, known):
    """The line of one file; None if it went away."""
    line = {"path": path, "sha256": None, "size": status.st_size,
            "mode": stat.S_IMODE(status.st_mode), "uid": status.st_uid, "gid": status.st_gid,
            "mtime": status.st_mtime_ns, "ctime": status.st_ctime_ns}
    before = known.get(path)
    if before and all(before[key] == line[key] for key in ("size", "mtime", "ctime")):
        line["sha256"] = before["sha256"]
        return line
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
    except FileNotFoundError:
        return None
    line["sha256"] = digest.hexdigest()
    return line


if __name__ == "__main__":
    main()
