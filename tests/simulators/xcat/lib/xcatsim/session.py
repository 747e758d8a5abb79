"""One client's connection to xcatd, in a process of its own."""
import os
import signal
import socket
import ssl

from . import commands, paths, policy, process, texts, wire
from .dbworker import WorkerTables
from .nodes import Cluster
from .reply import Reply

HANDSHAKE_SECONDS = 10


def serve(connection, peer, worker_path):
    """TLS, one request, its answer.  Ends quietly when the client is gone."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    channel = _handshake(connection)
    if not channel:
        return
    user = _common_name(channel)
    host = _host_name(peer[0])
    fields = _first_request(channel)
    if not fields:
        return
    command = fields.get("command", [""])[0]
    target = f" to {fields['noderange'][0]}" if fields.get("noderange") else ""
    process.set_title(f"xcatd SSL: {command}{target} for {user}@{host}")
    _answer(channel, fields, user, worker_path)
    _report(user, host, fields)
    try:
        channel.unwrap()
    except (OSError, ValueError):
        pass


def _handshake(connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_OPTIONAL
    try:
        context.load_cert_chain(paths.SERVER_CRED)
        context.load_verify_locations(paths.SERVER_CA)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(HANDSHAKE_SECONDS)
        channel = context.wrap_socket(connection, server_side=True)
        channel.settimeout(None)
        return channel
    except (OSError, ValueError) as error:
        process.log(f"xcatd: SSL failure: {error}")
        return None


def _common_name(channel):
    certificate = channel.getpeercert() or {}
    for relative in certificate.get("subject", ()):
        for key, value in relative:
            if key == "commonName":
                return value
    return None


def _host_name(address):
    try:
        return socket.gethostbyaddr(address)[0].split(".")[0]
    except OSError:
        return address


def _first_request(channel):
    try:
        for document in wire.read_documents(lambda: channel.recv(65536), wire.REQUEST):
            return wire.decode(document)
    except (OSError, ValueError) as error:
        process.log(f"xcatd: unreadable request: {error}")
    return None


def _answer(channel, fields, user, worker_path):
    def send(message):
        channel.sendall(wire.encode(wire.RESPONSE, message))

    tables = WorkerTables(worker_path)
    try:
        allowed = policy.allows(Cluster(tables), user, fields.get("command", [""])[0],
                                fields.get("arg", []), (fields.get("noderange") or [""])[0])
        if allowed:
            commands.run(fields, Reply(send, os.uname().nodename), tables, user)
        else:
            process.log(f"Permission denied for request: {fields.get('command')} of {user}")
            denial = {"error": [texts.PERMISSION_DENIED]}
            if texts.PERMISSION_DENIED_CODE is not None:
                denial["errorcode"] = [str(texts.PERMISSION_DENIED_CODE)]
            send(denial)
        send({"serverdone": [""]})
    except OSError as error:
        process.log(f"xcatd: Unexpected client disconnect: {error}")


def _report(user, host, fields):
    """Tells the command log writer, which may be gone."""
    words = fields.get("command", []) + fields.get("noderange", []) + fields.get("arg", [])
    try:
        with socket.create_connection(("127.0.0.1", 3003), timeout=1) as connection:
            connection.sendall(f"[Request] {user}@{host} {' '.join(words)}".encode())
    except OSError:
        pass
