"""xcatd's check of the policy table (xCAT 2.19 man page policy(5), source xcatd validate).

The certificate's CN is the user.  Rows are taken by rising priority; the first
that matches decides; no match is a denial, and so is a table that cannot be read.
"""
from . import noderange
from .tables import TableError


def allows(cluster, user, command, arguments, nodes_wanted):
    """Whether `user` (None without a certificate) may run the request."""
    try:
        rows = sorted(cluster.rows("policy"), key=lambda row: float(row["priority"]))
        for row in rows:
            if _matches(cluster, row, user, command, arguments, nodes_wanted):
                return (row["rule"] or "").lower() in ("allow", "accept", "trusted")
    except (TableError, ValueError):
        return False
    return False


def _matches(cluster, row, user, command, arguments, nodes_wanted):
    if row["name"] and row["name"] != "*" and user not in row["name"].split(","):
        return False
    if row["name"] == "*" and not user:
        return False
    if row["commands"] and command not in row["commands"].split(","):
        return False
    if row["parameters"] and not set(row["parameters"].split(",")) & set(arguments):
        return False
    if row["noderange"] and nodes_wanted:
        names, groups = cluster.node_names(), cluster.groups()
        allowed = set(noderange.expand(row["noderange"], names, groups)[0])
        wanted = noderange.expand(nodes_wanted, names, groups)[0]
        return bool(wanted) and set(wanted) <= allowed
    return True
