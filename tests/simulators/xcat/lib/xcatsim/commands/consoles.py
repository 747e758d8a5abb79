"""makeconservercf and makegocons (captures makeconservercf, fo6, makegocons; source conserver.pm).

/etc/conserver.cf is opened with '>' and written in place; then /etc/init.d/conserver
stop and start, whose results nobody looks at: exit code 0 even if conserver is
down.  With site.consoleondemand=no conserver itself starts one process per
console at once.
"""
import os
import re
import shutil

from .. import network, paths, services, texts

_NO_CONSERVER = "conserver is not supported or not installed."
# Written once; a second run keeps them where they are (capture makeconservercf_V).
_FIRST = {
    "config * {": """config * {
  sslrequired yes;
  sslcacertificatefile /etc/xcat/cert/ca.pem;
  sslcredentials /etc/xcat/cert/server-cred.pem;
}
""",
    "default cyclades": "default cyclades { type host; portbase 7000; portinc 1; }\n",
    "default mrv": "default mrv { type host; portbase 2000; portinc 100; }\n",
}
_NO_CONSOLE = "{node}: ignore, cons attribute or serialport attribute is not specified."


def makeconservercf(request, reply):
    """makeconservercf [-V] [noderange] | -C | -l | -c | -d noderange | -t hosts."""
    if services.process_exists("goconserver"):
        reply.error(texts.GOCONSERVER_RUNS)
        return
    if not (shutil.which("conserver") and os.path.exists("/etc/init.d/conserver")):
        reply.error(_NO_CONSERVER)
        return
    if request.has("-V"):
        reply.data("Setting the nodes into /etc/conserver.cf on the management node")
    content = "" if request.has("-C") else _file_content(request)
    if request.has("-V"):
        # perl joins the lines of an interpolated list with a blank
        shown = " ".join(content.splitlines(keepends=True))
        reply.data(f"Setting the following lines into /etc/conserver.cf:\n {shown}")
    with open(paths.CONSERVER_CF, "w", encoding="utf-8") as file:
        file.write(content)
    if not request.fault.skip_service_restart:
        for verb in ("stop", "start"):
            services.run(["/etc/init.d/conserver", verb])


def _file_content(request):
    """New headers, then what the old file keeps, then the nodes' blocks."""
    old = _without_headers(_old_file())
    headers = "".join(text for mark, text in _FIRST.items() if mark not in old)
    headers += _access(request) + _default(request.cluster)
    nodes = request.nodes or request.cluster.node_names()
    old = _without_blocks(old, set(request.nodes))
    content = headers + old
    if request.has("-d"):
        return content
    consoles = request.cluster.attributes("nodehm", nodes)
    for node in nodes:
        row = consoles[node]
        method = row.get("cons") or (row.get("mgt") if row.get("serialport") else None)
        if method:
            content += _block(node, method)
            request.fault.node_done()
    return content


def _old_file():
    try:
        with open(paths.CONSERVER_CF, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def _without_headers(text):
    """The blocks written anew each time go."""
    return re.sub(r"^(access|default) \* \{.*?^\}\n", "", text, flags=re.S | re.M)


def _without_blocks(text, nodes):
    """Without the console blocks of `nodes`; without any block if there are no nodes."""
    def keep(match):
        return match[0] if nodes and match[1] not in nodes else ""

    return re.sub(r"#xCAT BEGIN (\S+) CONS\n.*?#xCAT END \1 CONS\n", keep, text, flags=re.S)


def _access(request):
    """127.0.0.1, site.master, then every other address and name of this host in one line."""
    master = request.cluster.site("master") or ""
    master = (network.lookup(master) or [master])[0]
    own = network.host_addresses()
    others = [address for address, _ in own if address not in ("127.0.0.1", master)]
    others += [name for _, names in own for name in names]
    extra = request.arguments[request.arguments.index("-t") + 1].split(",") \
        if "-t" in request.arguments else []
    joined = ",".join(dict.fromkeys(others + extra))
    return (f"access * {{\n  trusted 127.0.0.1;\n  trusted {master};\n"
            + (f"  trusted {joined};\n" if joined else "") + "}\n")


def _default(cluster):
    on_demand = "  options ondemand;\n" if cluster.site("consoleondemand") == "yes" else ""
    return ("default * {\n  logfile /var/log/consoles/&;\n  timestamp 1lab;\n  rw *;\n"
            f"  master localhost;\n{on_demand}}}\n")


def _block(node, method):
    return (f"#xCAT BEGIN {node} CONS\nconsole {node} {{\n  type exec;\n"
            f"  exec {paths.ROOT}/share/xcat/cons/{method} {node};\n}}\n#xCAT END {node} CONS\n")


def makegocons(request, reply):
    """Fails where goconserver is not installed, after naming the nodes without a console."""
    nodes = request.nodes or request.cluster.node_names()
    rows = request.cluster.attributes("nodehm", nodes)
    for node in nodes:
        if not (rows[node].get("cons") or rows[node].get("serialport")):
            reply.data(_NO_CONSOLE.format(node=node))
    if request.has("-q"):
        reply.error("Failed to send list request. Is goconserver service started?")
    else:
        reply.error("goconserver is not installed.")
