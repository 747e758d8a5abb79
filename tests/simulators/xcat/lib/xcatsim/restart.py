"""restartxcatd: xCAT's "fast restart" (capture fo10; source restartxcatd).

Runs xcatd itself, OUTSIDE systemd: the new daemon takes the old one's sockets
over.  A unit that is active adopts the new pid through its PIDFile; one that is
not knows nothing of the daemon that now runs.
"""
import os
import subprocess

from . import paths
from .faults import Fault
from .reply import Reply, show


def main():
    """Runs the command; returns its exit code."""
    codes = []
    if Fault("restartxcatd").before(Reply(lambda message: codes.append(show(message)))):
        return codes[-1]
    print(f"restartxcatd invoked by {os.environ.get('USER', 'root')}.\n")
    print("Restarting xCATd                                           ", end="", flush=True)
    result = subprocess.run([f"{paths.ROOT}/sbin/xcatd", "-p", "/var/run/xcatd.pid"],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    print("[  OK  ]" if result.returncode == 0 else "[ FAILED  ]")
    return 1 if result.returncode else 0
