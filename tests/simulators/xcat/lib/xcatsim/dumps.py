"""dumpxCATdb and restorexCATdb (captures dumpxCATdb, dumpxCATdb_b, restorexCATdb).

They start one tabdump or tabrestore per table, which is what makes them slow.
Under XCATBYPASS the children inherit it.
"""
import os
import subprocess
import sys

from . import cfgloc, paths, schema
from .faults import Fault
from .reply import Reply, show

# Not dumped unless -a (facts, section 7).
_SKIPPED = ("auditlog", "eventlog")


def _fault(command):
    codes = []
    if Fault(command).before(Reply(lambda message: codes.append(show(message)))):
        return codes[-1]
    return None


def _directory(arguments):
    return arguments[arguments.index("-p") + 1] if "-p" in arguments[:-1] else None


def dump(arguments):
    """dumpxCATdb [-a] [-V] -p DIR | -b; returns the exit code."""
    code = _fault("dumpxCATdb")
    if code is not None:
        return code
    directory = _directory(arguments)
    if not directory:
        print("dumpxCATdb: dumps the xCAT db tables .\n"
              "Usage: dumpxCATdb [-a] [-V] <-p|--path> <path>\n       dumpxCATdb <-b|--binary> "
              "[-V] <-p|--path> <path>")
        return 1
    print(f" Creating {directory} for database dump", flush=True)
    os.makedirs(directory, exist_ok=True)
    if "-b" in arguments and cfgloc.database().directory is not None:
        print("Binary dump (-b) is not supported for SQLITE", file=sys.stderr)
        return 1
    for table in schema.TABLES:
        if table in _SKIPPED and "-a" not in arguments:
            continue
        result = _run("tabdump", table, None)
        if result.returncode:
            sys.stderr.write(result.stderr)
            return 1
        with open(f"{directory}/{table}.csv", "w", encoding="utf-8") as file:
            file.write(result.stdout)
    print("Backup Complete.")
    return 0


def restore(arguments):
    """restorexCATdb [-a] [-V] -p DIR; returns the exit code."""
    code = _fault("restorexCATdb")
    if code is not None:
        return code
    directory = _directory(arguments)
    if not directory or not os.path.isdir(directory):
        print(f"Directory {directory} does not exist.", file=sys.stderr)
        return 1
    for name in sorted(os.listdir(directory)):
        table = name.removesuffix(".csv")
        if table == name or table not in schema.TABLES:
            continue
        if table in _SKIPPED and "-a" not in arguments:
            continue
        with open(f"{directory}/{name}", encoding="utf-8") as file:
            result = _run("tabrestore", f"{directory}/{name}", file.read())
        if result.returncode:
            sys.stderr.write(result.stdout + result.stderr)
            return 1
    print("Restore of Database Complete.")
    return 0


def _run(command, argument, data):
    return subprocess.run([f"{paths.ROOT}/sbin/{command}", argument], input=data or "",
                          capture_output=True, text=True, check=False)
