#!/usr/bin/python3
"""Changes files below /install while somebody works there.

  change_tree.py --root /install            a handful of changes of every kind, once; JSON
  change_tree.py --root /install --steadily one change after the other until it is stopped

With --steadily every change is on the disk (fsync of the file and its directory) when its line
is printed, so a line stands for work that its owner believed to be safe.
"""
import argparse
import json
import os
import sys
import time

COMPUTE = "netboot/rhels8.6/x86_64/compute"


def main():
    """Entry."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default="/install")
    parser.add_argument("--steadily", action="store_true")
    parser.add_argument("--interval", type=float, default=0.1, help="with --steadily [s]")
    options = parser.parse_args()
    if options.steadily:
        go_on(options)
    else:
        json.dump(change_once(options.root), sys.stdout)
        print()


def change_once(root):
    """Edits, an append to an image, new files, a rename, a removal; answers what was done."""
    deep = f"{root}/links/real/deep"
    for number in range(10, 15):
        with open(f"{deep}/file{number}", "a", encoding="utf-8") as file:
            file.write("one more line\n")
    with open(f"{root}/{COMPUTE}/rootimg-1.cpio", "ab") as image:
        image.write(os.urandom(64 << 10))
    with open(f"{root}/{COMPUTE}/rootimg-2.cpio", "r+b") as image:
        image.seek(20 << 20)
        image.write(os.urandom(4 << 10))
    os.utime(f"{root}/{COMPUTE}/rootimg-3.cpio")  # touched: the content stays
    os.chmod(f"{deep}/file15", 0o600)
    new = f"{root}/custom/new-directory"
    os.mkdir(new)
    for number in range(25):
        with open(f"{new}/script{number}", "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\necho {number}\n" * 20)
    os.rename(f"{deep}/file16", f"{deep}/renamed16")
    os.remove(f"{deep}/file17")
    return {"edited": 5, "appended_bytes": 64 << 10, "overwritten_bytes": 4 << 10,
            "touched_bytes": os.stat(f"{root}/{COMPUTE}/rootimg-3.cpio").st_size,
            "new": 25, "renamed": 1, "removed": 1}


def go_on(options):
    """New files, and now and then an old one with new content, durably."""
    where = f"{options.root}/custom/unfinished"
    os.makedirs(where, exist_ok=True)
    sync_directory(f"{options.root}/custom")
    number = 0
    while True:
        number += 1
        path = f"{where}/work-{number:04d}"
        if number % 5 == 0:
            path = f"{options.root}/custom/jobs/job{number // 5 % 20:02d}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"work {number} of {time.time():.6f}\n")
            file.flush()
            os.fsync(file.fileno())
        sync_directory(os.path.dirname(path))
        print(json.dumps({"path": path, "monotonic": time.monotonic()}), flush=True)
        time.sleep(options.interval)


def sync_directory(path):
    """Makes the names in a directory durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


if __name__ == "__main__":
    main()
