"""The lab hosts the tests run in: a thin cover over tests/lab/lab.

run-tests brings the lab up with the addresses of the captures (mn1 10.1.0.1, mn2
10.1.0.2), so transcripts can be compared without rewriting them.
"""
import os
import shlex
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SIMULATORS = os.path.dirname(HERE)
TESTS = os.path.dirname(os.path.dirname(SIMULATORS))
LAB = os.path.join(TESTS, "lab", "lab")
ETC_HOSTS = ("127.0.0.1 localhost\n10.1.0.1 mn1.cluster.test mn1\n"
             "10.1.0.2 mn2.cluster.test mn2\n")
_SERVICES = "xcatd named isc-dhcp-server conserver"


class Result:
    """What one command did."""

    def __init__(self, done, seconds):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.seconds = seconds


def lab(*words, timeout=120):
    """Runs a verb of the lab; raises if it fails."""
    return subprocess.run([LAB, *words], check=True, capture_output=True, text=True,
                          timeout=timeout).stdout


class Host:
    """One host; run() uses a login shell, so xCAT's commands are on the PATH."""

    def __init__(self, name):
        self.name = name

    def run(self, command, timeout=180, stdin=None):
        """Runs a shell command line; never raises for its exit code."""
        begun = time.monotonic()
        source = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
        done = subprocess.run([LAB, "exec", self.name, "bash", "-lc", "cd /root; " + command],
                              capture_output=True, text=True, timeout=timeout, check=False,
                              **source)
        return Result(done, time.monotonic() - begun)

    def must(self, command, timeout=180):
        """Runs a command that has to succeed; its stdout."""
        result = self.run(command, timeout)
        if result.code:
            raise AssertionError(f"{self.name}: {command}: exit code {result.code}\n"
                                 f"{result.out}{result.err}")
        return result.out

    def write(self, path, text):
        """Writes a file in the host."""
        result = self.run(f"mkdir -p $(dirname {path}); cat > {shlex.quote(path)}", stdin=text)
        if result.code:
            raise AssertionError(result.err)

    def read(self, path):
        """A file's text."""
        return self.must(f"cat {shlex.quote(path)}")

    def put(self, source, target):
        """Copies a file or directory into the host, replacing what was there."""
        self.must(f"rm -rf {shlex.quote(target)}")
        lab("put", self.name, source, target)

    def until(self, command, seconds=15):
        """Waits until a command succeeds."""
        deadline = time.monotonic() + seconds
        while self.run(command).code:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: still fails after {seconds} s: {command}")
            time.sleep(0.1)

    def become_mn(self, options=""):
        """A management node as freshly installed: own CA, initial tables, xcatd running."""
        self.run(f"systemctl stop {_SERVICES}; pkill -9 -f '^xcatd: '; "
                 "systemctl reset-failed; rm -rf /run/xcat /tftpboot/* /install/* "
                 "/etc/xcat /var/lib/dhcp/dhcpd.leases* /var/lib/bind/* /etc/conserver.cf "
                 "/etc/dhcp/dhcpd.conf.xcatbak /var/log/xcat")
        self.write("/etc/hosts", ETC_HOSTS)
        self.write("/etc/resolv.conf", "")
        self.put(SIMULATORS, "/root/xcat")
        self.must(f"/root/xcat/install --fresh --gateway 10.1.255.254 {options}")
        self.set_conf("")
        self.must("systemctl start xcatd")

    def set_conf(self, text):
        """The whole simulator.conf; xcatd's start is made quick."""
        self.write("/etc/xcat/simulator.conf", "[xcatd]\nstart_seconds = 0.1\n" + text)


MN1, MN2, CN1 = Host("mn1"), Host("mn2"), Host("cn1")
