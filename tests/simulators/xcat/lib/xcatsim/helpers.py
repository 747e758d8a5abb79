"""xcatd's small services: UDP 3001, install monitor 3002, command log writer 3003.

Behaviour from xCAT's source (do_udp_service, do_installm_service) and capture
ports.  The install monitor greets only callers whose address resolves to a node.
"""
import socket
import time

from . import commands, paths, process, texts
from .dbworker import WorkerTables
from .nodes import Cluster
from .reply import Reply
from .tables import TableError
from .takeover import Service

_LINE_SECONDS = 2


def udp_listener(port, start_discovery):
    """Discovery packets; answers "resourcerequest: xcatd" with an acknowledgement."""
    start_discovery()  # first: it must not hold the port after this process gave it up
    service = Service("xcatd udp service", ("0.0.0.0", port), socket.SOCK_DGRAM, paths.UDP_PID)
    if not service.socket:
        process.log(f"xCAT UDP service unable to open port {port}")
        return
    while not service.quitting:
        try:
            data, peer = service.socket.recvfrom(1500)
            if data == b"resourcerequest: xcatd\n":
                service.socket.sendto(b"ackresourcerequest\n", peer)
        except (OSError, AttributeError):
            continue


def discovery_worker():
    """Has nothing to discover here; it exists because the real daemon has one."""
    process.die_with_parent()
    while True:
        time.sleep(3600)


def command_log_writer():
    """Appends what xcatd's children report to commands.log."""
    service = Service("xcatd command log", ("127.0.0.1", 3003), socket.SOCK_STREAM,
                      paths.CMDLOG_PID)
    while service.socket and not service.quitting:
        try:
            connection, _ = service.socket.accept()
            with connection:
                connection.settimeout(_LINE_SECONDS)
                text = connection.recv(65536).decode(errors="replace")
            process.log(text.strip(), paths.COMMAND_LOG)
        except (OSError, AttributeError):
            continue


def install_monitor(port, worker_path):
    """Tells nodes "ready", takes their "next", "installstatus X", one caller at a time."""
    service = Service("xcatd install monitor", ("0.0.0.0", port), socket.SOCK_STREAM,
                      paths.INSTALL_PID)
    if not service.socket:
        process.log(f"xcatd unable to open install monitor services on {port}")
        return
    while not service.quitting:
        try:
            connection, peer = service.socket.accept()
        except (OSError, AttributeError):
            continue
        tables = WorkerTables(worker_path)
        try:
            with connection:
                node = _node_of(peer[0], tables)
                if node:
                    _serve_node(connection, node, tables)
        except (OSError, TableError) as error:
            process.log(f"xcatd installmonitor: {error}")
        finally:
            tables.close()


def _node_of(address, tables):
    try:
        name, aliases, _ = socket.gethostbyaddr(address)
    except OSError:
        return None
    nodes = set(Cluster(tables).node_names())
    for candidate in [name] + aliases:
        if candidate.split(".")[0] in nodes:
            return candidate.split(".")[0]
    return None


def _serve_node(connection, node, tables):
    connection.settimeout(_LINE_SECONDS)
    connection.sendall(b"ready\n")
    stream = connection.makefile("rwb")
    for line in stream:
        stream.write(b"done\n")
        stream.flush()
        words = line.decode(errors="replace").split()
        if words[:1] == ["next"]:
            _run(tables, node, "nodeset", ["next"])
            return
        if words[:1] == ["installstatus"]:
            for status in words[1:]:
                _run(tables, node, "updatenodestat", [status])
            return


def _run(tables, node, command, arguments):
    fields = {"command": [command], "noderange": [node], "arg": arguments}
    commands.run(fields, Reply(lambda message: None, texts.__name__), tables, user="root")
