"""Which database xCAT uses: the rules of xCAT's Table.pm (get_xcatcfg).

Order: environment XCATCFG, first line of /etc/xcat/cfgloc, SQLite:/opt/xcat/cfg
if that directory exists, SQLite:/etc/xcat.  A value without ':' is a SQLite
directory.  Read once per process.
"""
import os

from . import paths


class Database:
    """One parsed cfgloc value: engine, directory (SQLite) or the DSN's parts."""

    def __init__(self, text):
        self.text = text if ":" in text else f"SQLite:{text}"
        self.engine, _, rest = self.text.partition(":")
        self.directory = rest if self.engine == "SQLite" else None
        dsn, self.user, _ = (rest.split("|") + ["", ""])[:3]
        self.fields = dict(part.split("=", 1) for part in dsn.split(";") if "=" in part)

    def report(self):
        """The lines `lsxcatd -d` prints (captures lsxcatd_a_sqlite, pg_lsxcatd_a)."""
        if self.directory is not None:
            return ["dbengine=SQLite"]
        shown = self.text.rsplit("|", 1)[0]
        lines = [f"cfgloc={shown}", f"dbengine={self.engine}"]
        if "dbname" in self.fields:
            lines.append(f"dbname={self.fields['dbname']}")
        if "host" in self.fields:
            lines.append(f"dbhost={self.fields['host']}")
        return lines + [f"dbadmin={self.user}"]


def database(environment=os.environ):
    """The database this process would use now."""
    if environment.get("XCATCFG"):
        return Database(environment["XCATCFG"])
    try:
        with open(paths.CFGLOC, encoding="utf-8") as file:
            line = file.readline().strip()
        if line:
            return Database(line)
    except OSError:
        pass
    return Database("SQLite:/opt/xcat/cfg" if os.path.isdir("/opt/xcat/cfg") else "SQLite:/etc/xcat")
