"""lsxcatd, nodels, updatenodestat (captures lsxcatd_a_sqlite, pg_lsxcatd_a, fo3)."""
import os
import time

from .. import cfgloc, paths, schema

_LSXCATD_USAGE = "Usage: lsxcatd [-a|--all] [-d|--database] [-t|--nodetype] [-v|--version]"


def lsxcatd(request, reply):
    """-v version, -t kind of node, -d database, -a all three."""
    everything = request.has("-a", "--all")
    if not (everything or request.has("-v", "-t", "-d", "--version", "--nodetype", "--database")):
        reply.data(_LSXCATD_USAGE)
        return
    if everything or request.has("-v", "--version"):
        reply.data(paths.VERSION)
    if (everything or request.has("-t", "--nodetype")) and os.path.exists(paths.MN_MARKER):
        reply.data("This is a Management Node")
    if everything or request.has("-d", "--database"):
        # Reading a row proves that the database answers.
        request.cluster.rows("site")
        for line in cfgloc.database().report():
            reply.data(line)


def nodels(request, reply):
    """Node names, or "node: value" for each TABLE.COLUMN or known attribute."""
    nodes = request.nodes or request.cluster.node_names()
    wanted = [argument for argument in request.arguments if not argument.startswith("-")]
    for node in sorted(nodes):
        if not wanted:
            reply.data(node)
        for attribute in wanted:
            table, _, column = attribute.partition(".")
            if table not in schema.TABLES or column not in schema.columns(table):
                reply.error(f"Invalid attribute: {attribute}")
                return
            values = request.cluster.attributes(table, [node])[node]
            shown = values.get(column) or ""
            reply.node(node, shown if len(wanted) == 1 else f"{attribute}: {shown}")


def updatenodestat(request, reply):
    """Sets nodelist.status, as installing nodes ask for through port 3002."""
    status = request.arguments[0] if request.arguments else ""
    stamp = time.strftime("%m-%d-%Y %H:%M:%S")
    request.tables.put_many("nodelist", [({"node": node}, {"status": status, "statustime": stamp})
                                         for node in request.nodes])
