#!/usr/bin/python3
"""Compares two directories of SQLite tables row by row; JSON.

  compare_rows.py --copy POINT /etc/xcat

Counts every row of POINT that the other directory lacks or holds with another content, and every
row too many there.  A row is named by its key column, such as "nodelist n0123".  With --copy the
first directory is never written to, not even by recovery.
"""
import argparse
import collections
import glob
import json
import os
import sqlite3
import sys

KEYS = ("node", "key", "priority", "imagename", "netname", "recid", "id", "name")


def main():
    """Entry; exits with 1 if they differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copy", action="store_true", help="BEFORE is an immutable copy")
    parser.add_argument("before")
    parser.add_argument("after")
    options = parser.parse_args()
    before, after = tables_in(options.before), tables_in(options.after)
    result = {"tables_compared": len(before), "rows_compared": 0, "rows_different": 0,
              "tables_missing": sorted(set(before) - set(after)),
              "tables_extra": sorted(set(after) - set(before)), "tables_different": {}, "rows": []}
    for table in sorted(before):
        old = read(before[table], options.copy)
        new = read(after[table], False) if table in after else ([], [])
        result["rows_compared"] += len(old[1])
        different = compare(table, old, new)
        if different:
            result["tables_different"][table] = len(different)
            result["rows_different"] += len(different)
            result["rows"] += different
    json.dump(result, sys.stdout)
    print()
    return 1 if result["rows_different"] or result["tables_missing"] else 0


def tables_in(directory):
    """{table: path}."""
    return {os.path.basename(path)[:-len(".sqlite")]: path
            for path in glob.glob(os.path.join(directory, "*.sqlite"))}


def read(path, immutable):
    """(columns, rows) of the one table in a file."""
    how = "mode=ro&immutable=1" if immutable else "mode=rw"
    connection = sqlite3.connect(f"file:{path}?{how}", uri=True, timeout=30)
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        names = [row[0] for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        columns, rows = [], []
        for name in names:
            cursor = connection.execute(f'SELECT * FROM "{name}"')
            columns = [each[0] for each in cursor.description]
            rows += cursor.fetchall()
        return columns, rows
    finally:
        connection.close()


def compare(table, old, new):
    """[{row, kind, columns}] of all rows that are not on both sides alike."""
    if old[0] != new[0] and (old[1] or new[1]):
        return [{"row": f"{table} {position}", "kind": "columns"} for position in
                range(max(len(old[1]), len(new[1])))]
    left, right = collections.Counter(old[1]), collections.Counter(new[1])
    missing, extra = list((left - right).elements()), list((right - left).elements())
    column = next((old[0].index(key) for key in KEYS if key in old[0]), 0)
    names = {}
    for kind, rows in (("gone", missing), ("new", extra)):
        for row in rows:
            names.setdefault(row[column], {}).setdefault(kind, []).append(row)
    different = []
    for name in sorted(names, key=str):
        sides = names[name]
        gone, more = sides.get("gone", []), sides.get("new", [])
        for number in range(max(len(gone), len(more))):
            different.append(describe(f"{table} {name}", old[0], gone[number:number + 1],
                                      more[number:number + 1]))
    return different


def describe(name, columns, gone, more):
    """One row that differs, with the columns that do."""
    if not gone or not more:
        return {"row": name, "kind": "gone" if gone else "new"}
    changed = {column: [before, after] for column, before, after
               in zip(columns, gone[0], more[0]) if before != after}
    return {"row": name, "kind": "changed", "columns": changed}


if __name__ == "__main__":
    sys.exit(main())
