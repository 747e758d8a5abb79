"""How a starting xcatd service gets its port from a running instance.

Source xcatd: try to bind; if that fails, send SIGUSR2 to the process named in
the service's pid file, which closes its socket and removes the file; retry every
50 ms, 100 times with such a process, once without.  This is the "fast restart"
of restartxcatd, and every start does it.  Without the pid file (systemd removed
/run/xcat) an orphan's port cannot be had: "Unable to perform socket takeover".
"""
import os
import signal
import socket
import time

from . import process

_TRIES_WITH_PEER = 100
_PAUSE = 0.05  # [s]


def acquire(address, kind, pid_file):
    """A bound socket (listening if TCP), or None."""
    bound = _bind(address, kind)
    if bound:
        return bound
    tries = 1
    peer = process.read_pid(pid_file)
    if peer:
        tries = _TRIES_WITH_PEER
        try:
            os.kill(peer, signal.SIGUSR2)
        except OSError:
            pass
    while not bound and tries:
        tries -= 1
        bound = _bind(address, kind)
        time.sleep(_PAUSE)
    return bound


def _bind(address, kind):
    endpoint = socket.socket(socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM:
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        endpoint.bind(address)
        if kind == socket.SOCK_STREAM:
            endpoint.listen(4096)
        return endpoint
    except OSError:
        endpoint.close()
        return None


class Service:
    """A bound socket with its pid file, that gives way on SIGUSR2, SIGTERM or SIGINT."""

    def __init__(self, name, address, kind, pid_file):
        self.name = name
        self.pid_file = pid_file
        self.quitting = False
        self.socket = acquire(address, kind, pid_file)
        if self.socket:
            process.write_pid(pid_file)
            signal.signal(signal.SIGUSR2, self._give_way)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._quit)

    def _give_way(self, *_):
        if self.socket:
            process.remove_own_pid(self.pid_file)
            self.socket.close()
            self.socket = None
            process.log(f"{self.name} {os.getpid()} quiescing")
        self.quitting = True

    def _quit(self, *_):
        process.remove_own_pid(self.pid_file)
        self.quitting = True
        os._exit(0)
