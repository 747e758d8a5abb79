#!/usr/bin/python3
"""Fills /install as a management node's is filled: many small files, images, links, odd names.

The content is taken from this host's own /usr.  Prints what it made as JSON.

  make_tree.py --root /install --files 20500 --mib 560
"""
import argparse
import json
import os
import stat
import subprocess
import sys

SOURCES = ("/usr/share", "/usr/lib", "/usr/include", "/usr/bin", "/usr/sbin")
SMALL = 128 << 10          # what counts towards --files [bytes]
IMAGES, IMAGE_BYTES = 4, 56 << 20
SPARSE_BYTES = 64 << 20
DISTRO = "rhels8.6/x86_64/BaseOS"
COMPUTE = "netboot/rhels8.6/x86_64/compute"
ODD_NAMES = ("with space", " leading", "trailing ", "new\nline", "tab\there", "quote'\"s", "*?[x]",
             "-rf", "back\\slash", "$HOME `id`", ".hidden", "#comment#", "~", "übergröße-中文",
             "e\u0301-combined", "x" * 250)


def main():
    """Entry."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default="/install")
    parser.add_argument("--files", type=int, default=20500, help="at least so many")
    parser.add_argument("--mib", type=int, default=560, help="at least so much content")
    options = parser.parse_args()
    small, large, links = find_files()
    images = make_images(options.root, [path for path, _ in large])
    copy_distribution(options, small, large, links, images)
    make_links(options.root)
    make_special(options.root)
    json.dump(count(options.root), sys.stdout)
    print()


def find_files():
    """([(path, size)] of small files, [(path, size)] of larger ones, [(link, target)])."""
    small, large, links = [], [], []
    for source in SOURCES:
        for directory, names, files in os.walk(source):
            names.sort()
            for name in sorted(files):
                path = os.path.join(directory, name)
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode):
                    (small if status.st_size <= SMALL else large).append((path, status.st_size))
                elif stat.S_ISLNK(status.st_mode) and not os.readlink(path).startswith("/"):
                    links.append((path, os.path.normpath(f"{directory}/{os.readlink(path)}")))
    return small, sorted(large, key=lambda each: (-each[1], each[0])), links


def make_images(root, paths):
    """Root images of compute nodes: this host's larger files, one behind the other."""
    directory = os.path.join(root, COMPUTE)
    os.makedirs(directory, exist_ok=True)
    source = pieces(paths)
    for number in range(1, IMAGES + 1):
        left = IMAGE_BYTES
        with open(f"{directory}/rootimg-{number}.cpio", "wb") as image:
            while left > 0:
                piece = next(source)[:left]
                image.write(piece)
                left -= len(piece)
    return IMAGES * IMAGE_BYTES


def pieces(paths):
    """The content of files in pieces; from the start again when all were read."""
    while True:
        for path in paths:
            with open(path, "rb") as file:
                while piece := file.read(1 << 20):
                    yield piece


def copy_distribution(options, small, large, links, images):
    """Copies files, their links and modes with them, until there are enough; again elsewhere if
    this host has too few."""
    target, files, copied = options.mib << 20, options.files, images
    release = 0
    while files > 0 or copied < target:
        release += 1
        chosen, sizes = [], 0
        for path, size in spread(small, max(files, 0)):
            chosen.append(path)
            sizes += size
        # The middle of the larger ones: the largest are in the images already.
        for path, size in reversed(large):
            if copied + sizes >= target:
                break
            chosen.append(path)
            sizes += size
        if not chosen:
            raise SystemExit("make_tree.py: this host has no files to copy")
        there = set(chosen)
        copy(chosen + [link for link, target in links if target in there],
             os.path.join(options.root, f"{DISTRO}{release}"))
        files -= len(chosen)
        copied += sizes


def spread(paths, most):
    """At most so many of them, from everywhere."""
    number = min(len(paths), most)
    return [paths[index * len(paths) // number] for index in range(number)]


def copy(paths, destination):
    """As cp -a does: links stay links, hard links stay one file, times and modes are kept."""
    os.makedirs(destination, exist_ok=True)
    names = "\0".join(path.lstrip("/") for path in paths).encode(errors="surrogateescape")
    with subprocess.Popen(["tar", "-C", "/", "--null", "--no-recursion", "-T", "-", "-cf", "-"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as packing:
        with subprocess.Popen(["tar", "-C", destination, "-xpf", "-"],
                              stdin=packing.stdout) as unpacking:
            packing.stdout.close()
            packing.stdin.write(names)
            packing.stdin.close()
        if packing.wait() or unpacking.returncode:
            raise SystemExit("make_tree.py: the files could not be copied")


def make_links(root):
    """Links of every kind; copies follow them, and leave out what points nowhere or upwards."""
    where = os.path.join(root, "links")
    os.makedirs(f"{where}/real/deep", exist_ok=True)
    for number in range(20):
        write(f"{where}/real/deep/file{number}", f"content {number}\n" * 40)
    targets = {"relative-file": "real/deep/file1", "relative-directory": "real/deep",
               "absolute-file": f"{where}/real/deep/file2", "absolute-directory": f"{where}/real",
               "out-of-the-tree": "/etc/os-release", "link-to-link": "relative-file",
               "dangling": "nowhere", "dangling-absolute": "/no/such/file", "up": ".."}
    for name, target in targets.items():
        os.symlink(target, os.path.join(where, name))
    for number in range(5):
        os.link(f"{where}/real/deep/file{number}", f"{where}/hard{number}")


def make_special(root):
    """A sparse disk image, odd names, an empty file and an empty directory, modes of all kinds."""
    where = os.path.join(root, "custom")
    os.makedirs(f"{where}/odd", exist_ok=True)
    os.makedirs(f"{where}/empty-directory", exist_ok=True)
    with open(f"{where}/disk.img", "wb") as image:
        for offset in (0, 17 << 20, 41 << 20):
            image.seek(offset)
            image.write(os.urandom(256 << 10))
        image.truncate(SPARSE_BYTES)
    os.makedirs(f"{where}/jobs", exist_ok=True)
    for number in range(20):
        write(f"{where}/jobs/job{number:02d}", f"job {number}\n" * 100)
    for name in ODD_NAMES:
        write(f"{where}/odd/{name}", f"the name is {name!r}\n")
    with open(os.path.join(os.fsencode(where), b"odd", b"latin-1-\xfc"), "wb") as file:
        file.write(b"a name that is not UTF-8\n")
    write(f"{where}/empty", "")
    for mode in (0o000, 0o400, 0o755, 0o4755, 0o2755, 0o1777):
        write(f"{where}/mode-{mode:04o}", "mode\n")
        os.chmod(f"{where}/mode-{mode:04o}", mode)


def write(path, text):
    """One small file."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def count(root):
    """What is there now, links not followed."""
    found = {"files": 0, "links": 0, "directories": 0, "bytes": 0, "hard_linked": 0,
             "over_50_mb": 0, "allocated_bytes": 0}
    for directory, names, files in os.walk(root):
        found["directories"] += 1
        for name in files + names:
            status = os.lstat(os.path.join(directory, name))
            if stat.S_ISLNK(status.st_mode):
                found["links"] += 1
            elif stat.S_ISREG(status.st_mode):
                found["files"] += 1
                found["bytes"] += status.st_size
                found["allocated_bytes"] += status.st_blocks * 512
                found["hard_linked"] += status.st_nlink > 1
                found["over_50_mb"] += status.st_size >= 50_000_000
    return found


if __name__ == "__main__":
    main()
