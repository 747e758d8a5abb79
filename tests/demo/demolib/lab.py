"""The lab of namespaced hosts, as the demo uses it."""
import concurrent.futures
import fcntl
import json
import os
import pty
import shlex
import struct
import subprocess
import termios
import time

from demolib.screen import Indented

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTS = os.path.dirname(HERE)
PROGRAM = os.path.join(TESTS, "lab", "lab")
NAME = "demo-lab"
ADDRESSES = {"mn1": "10.77.0.11", "mn2": "10.77.0.12", "cn1": "10.77.0.21"}
SWITCH = "10.77.0.1"


class DemoError(Exception):
    """Something that ends the demo; the text is for the visitor."""


def in_parallel(*calls):
    """Calls functions at the same time; their answers. The first failure does not wait for the
    others: they end with the lab."""
    pool = concurrent.futures.ThreadPoolExecutor()
    try:
        return [each.result() for each in [pool.submit(call) for call in calls]]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class Lab:
    """The demo's own lab; every host command's output is kept in the log directory."""

    def __init__(self, screen, log_directory):
        self.screen, self.logs = screen, log_directory
        self.environment = {**os.environ, "LAB_NAME": NAME,
                            "LAB_DATA": "mn1:/install:4G mn2:/install:4G"}
        for name in ("LAB_HOSTS", "LAB_PREFIX", "LAB_SWITCH", "LAB_INIT", "LAB_DISK"):
            self.environment.pop(name, None)
        self.background = []

    def verb(self, *words, check=True):
        """Runs a verb of the lab quietly; answers what it prints."""
        with open(os.path.join(self.logs, "lab.log"), "ab") as log:
            log.write(f"== lab {shlex.join(words)}\n".encode())
            log.flush()
            done = subprocess.run([PROGRAM, *words], env=self.environment, check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
            log.write(done.stdout[-2000:])
        if check and done.returncode:
            raise DemoError(f"lab {shlex.join(words)} ended with {done.returncode}: "
                            f"see {os.path.relpath(log.name)}")
        return done.stdout.decode(errors="replace")

    def command(self, host, words):
        """The argument vector of a command in a host."""
        return [PROGRAM, "exec", host, *words]

    def run(self, host, *words, log=None, check=True):
        """Runs a command in a host quietly; answers its standard output."""
        path = os.path.join(self.logs, f"{log or host}.log")
        with open(path, "ab") as file:
            file.write(f"== {shlex.join(words)}\n".encode())
            file.flush()
            done = subprocess.run(self.command(host, words), env=self.environment, check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=file)
            file.write(done.stdout[:20000])
        if check and done.returncode:
            raise DemoError(f"{host}: {shlex.join(words)} ended with {done.returncode}: "
                            f"see {os.path.relpath(path)}")
        return done.stdout.decode("utf-8", "surrogateescape")

    def to_file(self, path, host, *words):
        """Runs a command in a host; its output becomes a file of the machine."""
        with open(path, "wb") as file, open(os.path.join(self.logs, f"{host}.log"), "ab") as log:
            done = subprocess.run(self.command(host, words), env=self.environment, check=False,
                                  stdin=subprocess.DEVNULL, stdout=file, stderr=log)
        if done.returncode:
            raise DemoError(f"{host}: {shlex.join(words)} ended with {done.returncode}")

    def json(self, host, *words, check=True):
        """The JSON that a command prints."""
        return json.loads(self.run(host, *words, check=check))

    def start(self, host, *words, out, log):
        """Starts a command in a host that goes on in the background; output to a file."""
        with open(out, "wb") as file, open(os.path.join(self.logs, log), "ab") as errors:
            process = subprocess.Popen(self.command(host, words), env=self.environment,
                                       stdin=subprocess.DEVNULL, stdout=file, stderr=errors,
                                       start_new_session=True)
        self.background.append(process)
        return process

    def show(self, host, words, expected=(0,)):
        """Runs a command in a host as a user would, its output on the screen; (status, seconds)."""
        self.screen.command(host, words)
        argv = self.command(host, shlex.split(words))
        begun = time.monotonic()
        with open(os.path.join(self.logs, f"shown-{host}.log"), "ab") as log:
            log.write(f"== {words}\n".encode())
            status = run_visibly(argv, self.environment, self.screen, log)
        took = time.monotonic() - begun
        if status not in expected:
            raise DemoError(f"{host}: {words} ended with {status}")
        return status, took

    def stop_background(self):
        """Ends what start() began."""
        for process in self.background:
            if process.poll() is None:
                process.terminate()
        for process in self.background:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.background = []


def run_visibly(argv, environment, screen, log):
    """Output goes to the screen as it comes: over a terminal of its own if ours is one."""
    if screen.is_terminal:
        reading, writing = pty.openpty()
        size = struct.pack("HHHH", 50, max(40, screen.columns - 4), 0, 0)
        fcntl.ioctl(writing, termios.TIOCSWINSZ, size)
    else:
        reading, writing = os.pipe()
    out = Indented(screen)
    try:
        process = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=writing, stderr=writing)
    finally:
        os.close(writing)
    try:
        while data := read_some(reading):
            log.write(data)
            out.write(data)
        out.write(b"")
        return process.wait()
    finally:
        os.close(reading)
        if process.poll() is None:
            process.terminate()
            process.wait()


def read_some(descriptor):
    """What is there; nothing at the end (a terminal's end is an error)."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def prepare(lab):
    """Checks the machine and makes the package layer if it is not there."""
    lab.verb("check")
    # It speaks only if it has to build, which takes about a minute.
    with open(os.path.join(lab.logs, "image.log"), "wb") as log:
        argv = ["sh", "-c", 'exec "$0" image > /dev/null', PROGRAM]
        status = run_visibly(argv, lab.environment, lab.screen, log)
    if status:
        raise DemoError(f"lab image ended with {status}")


def remove(lab):
    """Ends everything of the lab, also of an earlier run."""
    lab.stop_background()
    lab.verb("down", check=False)


