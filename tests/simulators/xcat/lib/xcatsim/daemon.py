"""xcatd: the processes, their start and their end.

"SSL listener" (main, forks one child per connection), "DB Access", "UDP
listener" with "Discovery worker", "install monitor", "Command log writer", and
in.tftpd if it is installed (captures ports, systemctl_status_xcatd).
"""
import os
import signal
import socket
import subprocess
import sys
import time

from . import commands, dbworker, faults, helpers, paths, process, session, texts
from .tables import DirectTables, TableError
from .takeover import Service

MAX_CLIENTS = 64
TFTPD = ["/usr/sbin/in.tftpd", "-v", "-l", "-s", "/tftpboot", "-m",
         "/etc/tftpmapfile4xcat.conf"]


def main(arguments):
    """`xcatd [-p PIDFILE] [-f]`; returns only in the starting process, with its code."""
    pid_file = None
    if "-p" in arguments:
        pid_file = arguments[arguments.index("-p") + 1]
    try:
        ports = _prepare()
    except TableError as error:
        print(f"ERROR: Unable to open basic site table for configuration ({error})",
              file=sys.stderr)
        return 1
    if not ports:
        print(texts.NO_PORT, file=sys.stderr)
        return 1
    worker_path = dbworker.socket_path(os.getpid())
    if "-f" in arguments:
        return _serve(ports, worker_path, None)
    readable, writable = os.pipe()
    daemon = os.fork()
    if daemon == 0:
        os.close(readable)
        _detach()
        os._exit(_serve(ports, worker_path, writable))
    os.close(writable)
    if pid_file:
        process.write_pid(pid_file, daemon)
    with os.fdopen(readable) as outcome:
        text = outcome.read().strip()
    if text == "SUCCESS":
        return 0
    print(text or "xcatd died during its start", file=sys.stderr)
    return 1


def _prepare():
    """Completes the schema and reads the ports; ends this process's use of the tables."""
    tables = DirectTables()
    site = {row["key"]: row["value"] for row in tables.rows("site")}
    tables.update_schema()
    tables.close()
    time.sleep(faults.start_seconds())
    if not site.get("xcatdport"):
        return None
    return int(site["xcatdport"]), int(site.get("xcatiport") or 3002)


def _detach():
    os.chdir("/")
    os.umask(0o022)
    os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)


def _start_tftpd():
    """in.tftpd stays in xcatd's cgroup; a second one cannot bind and just ends."""
    if os.access(TFTPD[0], os.X_OK):
        subprocess.run(TFTPD, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)


class _Main:
    """The main process's children, and what signals do to it."""

    def __init__(self):
        self.helpers = []
        self.clients = set()

    def reap(self, *_):
        """Collects ended children."""
        while True:
            try:
                pid, _status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self.clients.discard(pid)

    def stop_helpers(self):
        """Ends the DB worker and the other services."""
        for pid in self.helpers:
            try:
                os.kill(pid, signal.SIGINT)
            except OSError:
                pass

    def terminate(self, *_):
        """SIGTERM: everything ends, requests in progress too."""
        for pid in self.clients:
            try:
                os.kill(pid, signal.SIGTERM)
            except OSError:
                pass
        self.stop_helpers()
        process.remove_own_pid(paths.MAIN_PID)
        os._exit(0)


def _serve(ports, worker_path, report):
    """The main process from its first to its last moment; returns its exit code."""
    port, install_port = ports
    os.makedirs(paths.RUN, exist_ok=True)
    main_process = _Main()
    _start_tftpd()
    commands.preload()
    listener = dbworker.listen(worker_path)
    start = process.fork
    main_process.helpers = [start("xcatd: DB Access", _child, dbworker.serve, report, listener,
                                  worker_path)]
    listener.close()
    main_process.helpers += [
        start("xcatd: UDP listener", _child, helpers.udp_listener, report, port,
              lambda: start("xcatd: Discovery worker", helpers.discovery_worker)),
        start("xcatd: install monitor", _child, helpers.install_monitor, report, install_port,
              worker_path),
        start("xcatd: Command log writer", _child, helpers.command_log_writer, report)]
    process.set_title("xcatd: SSL listener")
    service = Service("xcatd main service", ("0.0.0.0", port), socket.SOCK_STREAM, paths.MAIN_PID)
    if not service.socket:
        main_process.stop_helpers()
        process.log(f"xCAT service unable to open SSL services on {port}")
        if report is not None:
            os.write(report, texts.TAKEOVER_FAILED.encode() + b"\n")
        return 1
    if report is not None:
        os.write(report, b"SUCCESS\n")
        os.close(report)
    signal.signal(signal.SIGCHLD, main_process.reap)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, main_process.terminate)
    _accept(service, main_process, worker_path)
    return _finish(main_process)


def _child(work, report, *arguments):
    """A helper must not keep the start's pipe open, nor its parent's signal handlers."""
    if report is not None:
        os.close(report)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    work(*arguments)


def _accept(service, main_process, worker_path):
    """Hands every connection to a child of its own, MAX_CLIENTS at a time."""
    while not service.quitting:
        if len(main_process.clients) > MAX_CLIENTS:
            time.sleep(0.1)
            continue
        try:
            connection, peer = service.socket.accept()
        except (OSError, AttributeError):
            continue
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        pid = process.fork("xcatd SSL: connecting", _client, service, connection, peer,
                           worker_path, blocked)
        main_process.clients.add(pid)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        connection.close()


def _client(service, connection, peer, worker_path, mask):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    service.socket.close()
    session.serve(connection, peer, worker_path)


def _finish(main_process):
    """After a takeover: requests in progress end normally, then the helpers go."""
    while main_process.clients:
        time.sleep(0.05)
        main_process.reap()
    main_process.stop_helpers()
    return 0
