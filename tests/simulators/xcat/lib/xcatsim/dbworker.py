"""The "xcatd: DB Access" process: the only opener of table files inside xcatd.

Everybody else in xcatd asks it over the unix socket
/run/xcat/dbworker.sock.<pid of the starting process> (capture ports).  One
request at a time, so a table locked by somebody else stalls all of xcatd.  If
the socket file is gone, xcatd cannot read its policy and denies every request
(facts, section 3: "Permission denied").

Message: 4 bytes length, then JSON: [method, arguments] or [ok, result].
"""
import json
import os
import select
import signal
import socket
import struct

from . import paths
from .tables import DirectTables, TableError

_METHODS = ("rows", "put_many", "delete_many", "replace_all")


def socket_path(pid):
    """Where the worker started by process `pid` listens."""
    return f"{paths.RUN}/dbworker.sock.{pid}"


def _receive(connection):
    header = _exactly(connection, 4)
    return json.loads(_exactly(connection, struct.unpack("!I", header)[0])) if header else None


def _exactly(connection, length):
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            return b""
        data += part
    return data


def _send(connection, message):
    data = json.dumps(message).encode()
    connection.sendall(struct.pack("!I", len(data)) + data)


def listen(path):
    """The listening socket, mode 0700 as in capture ports."""
    if os.path.exists(path):
        os.unlink(path)
    mask = os.umask(0o077)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(path)
    finally:
        os.umask(mask)
    listener.listen(512)
    return listener


def serve(listener, path):
    """Answers requests until SIGINT or SIGTERM; removes the socket file then."""
    quitting = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: quitting.append(True))
    tables = None
    clients = []
    while not quitting:
        try:
            ready = select.select([listener] + clients, [], [], 1.0)[0]
        except InterruptedError:
            continue
        for source in ready:
            if source is listener:
                clients.append(listener.accept()[0])
                continue
            if tables is None:
                tables = _open()
            if not _answer(tables, source):
                clients.remove(source)
                source.close()
    if os.path.exists(path):
        os.unlink(path)


def _open():
    try:
        return DirectTables()
    except TableError:
        return None


def _answer(tables, client):
    try:
        request = _receive(client)
        if not request:
            return False
        method, arguments = request
        if method not in _METHODS or tables is None:
            _send(client, [False, "no database"])
            return True
        try:
            _send(client, [True, getattr(tables, method)(*arguments)])
        except TableError as error:
            _send(client, [False, str(error)])
        return True
    except OSError:
        return False


class WorkerTables:
    """The same row access as DirectTables, through the DB worker."""

    def __init__(self, path):
        self._path = path
        self._connection = None

    def close(self):
        """Drops the connection; the next call makes a new one."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def rows(self, table, where=None):
        """See DirectTables.rows."""
        return self._call("rows", table, where)

    def put_many(self, table, changes):
        """See DirectTables.put_many."""
        self._call("put_many", table, list(changes))

    def put(self, table, key, values):
        """See DirectTables.put."""
        self.put_many(table, [(key, values)])

    def delete_many(self, table, keys):
        """See DirectTables.delete_many."""
        self._call("delete_many", table, list(keys))

    def replace_all(self, table, rows):
        """See DirectTables.replace_all."""
        self._call("replace_all", table, rows)

    def _call(self, method, *arguments):
        try:
            if not self._connection:
                self._connection = socket.socket(socket.AF_UNIX)
                self._connection.connect(self._path)
            _send(self._connection, [method, arguments])
            answer = _receive(self._connection)
        except OSError as error:
            self.close()
            raise TableError(f"DB worker: {error}") from error
        if not answer:
            self.close()
            raise TableError("DB worker: connection closed")
        if not answer[0]:
            raise TableError(answer[1])
        return answer[1]
