"""chtab: changes table rows WITHOUT xcatd (source chtab: "must not depend on server").

So it is a second writer on the SQLite files beside the DB worker, at any time.
"""
import re
import sys

from . import schema
from .faults import Fault
from .reply import Reply, show
from .tables import DirectTables, TableError

_USAGE = """Usage:
 To add or update rows for tables:
   chtab [keycolname=keyvalue[,keycolname=keyvalue...]] [tablename.colname=newvalue] [tablename.colname=newvalue]...
 To delete rows from tables:
   chtab -d|--delete keycolname=keyvalue[,keycolname=keyvalue...] tablename [tablename]..."""


def main(arguments):
    """Runs the command; returns its exit code."""
    codes = []
    if Fault("chtab").before(Reply(lambda message: codes.append(show(message)))):
        return codes[-1]
    deleting = bool(arguments) and arguments[0] in ("-d", "--delete")
    words = arguments[1:] if deleting else list(arguments)
    if not words or words[0] in ("-h", "--help"):
        print(_USAGE)
        return 0 if words else 1
    key = {}
    if not re.match(r"[^.=]+\.[^.=]+=", words[0]):
        for pair in words.pop(0).split(","):
            column, sign, value = pair.partition("=")
            if not sign:
                print(f'Incorrect argument "{pair}".\n{_USAGE}')
                return 1
            key[column] = value
    try:
        return _delete(words, key) if deleting else _update(words, key)
    except TableError as error:
        print(error, file=sys.stderr)
        return 1


def _delete(tables, key):
    if not tables:
        print(f"Missing table name.\n{_USAGE}")
        return 1
    for table in tables:
        DirectTables().delete_many(table, [key])
    return 0


def _update(words, key):
    changes, files = {}, DirectTables()
    for word in words:
        table, _, assignment = word.partition(".")
        if table not in schema.TABLES:
            print(f"Table {table} does not exist.")
            return 1
        column, _, value = assignment.partition("=")
        if column.endswith("+"):
            column = column[:-1]
            have = [v for row in files.rows(table, key) for v in (row[column] or "").split(",") if v]
            value = ",".join(dict.fromkeys(have + value.split(",")))
        changes.setdefault(table, {})[column] = value
    for table, values in changes.items():
        files.put(table, key, values)
    return 0
