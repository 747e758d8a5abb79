"""Process titles, logs and signals of xcatd's processes."""
import ctypes
import os
import signal
import time

from . import paths

_PR_SET_NAME = 15
_PR_SET_PDEATHSIG = 1


def set_title(title):
    """Makes ps, pgrep -f and ss show `title`, as perl's $0 does (capture ports).

    The kernel's name takes 15 characters; the command line is overwritten in
    place, cut to the room the original one had.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NAME, title.encode()[:15], 0, 0, 0)
    with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    start, end = int(fields[45]), int(fields[46])
    room = end - start
    if start and room > 1:
        ctypes.memmove(start, title.encode()[:room - 1].ljust(room, b"\0"), room)


def die_with_parent():
    """SIGKILL to this process when its parent dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def log(text, file=paths.CLUSTER_LOG):
    """One line into xCAT's log, as rsyslog would write it."""
    try:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "a", encoding="utf-8") as log_file:
            log_file.write(f"{time.strftime('%b %d %H:%M:%S')} {os.uname().nodename} "
                           f"xcat[{os.getpid()}]: {text}\n")
    except OSError:
        pass


def read_pid(path):
    """The pid in the file, or None."""
    try:
        with open(path, encoding="utf-8") as file:
            return int(file.read().strip() or 0) or None
    except (OSError, ValueError):
        return None


def write_pid(path, pid=None):
    """Writes `pid` (this process) without a newline, as xcatd does (capture ports)."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(pid or os.getpid()))


def remove_own_pid(path):
    """Removes the pid file if it still names this process."""
    if read_pid(path) == os.getpid():
        os.unlink(path)


def fork(title, work, *arguments):
    """Starts a child with this title that runs `work` and exits; returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        set_title(title)
        work(*arguments)
        code = 0
    except BaseException as error:  # the child must never return into its parent's code
        log(f"{title}: {type(error).__name__}: {error}")
    finally:
        os._exit(code)
