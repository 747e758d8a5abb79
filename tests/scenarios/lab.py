"""The lab's verbs, with a limit for every wait. See tests/lab/README.md."""
import json
import os
import pathlib
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
LAB = TESTS / "lab" / "lab"
SWITCH = "10.77.0.1"
ADDRESS = {"mn1": "10.77.0.11", "mn2": "10.77.0.12", "cn1": "10.77.0.21"}


class TookTooLong(AssertionError):
    """Something did not happen within its limit."""


class Answer:
    """What a command said and how it ended."""

    def __init__(self, argv, code, out, err, seconds):
        self.argv, self.code, self.out, self.err, self.seconds = argv, code, out, err, seconds

    @property
    def text(self):
        """Both streams."""
        return self.out + self.err

    def __str__(self):
        return f"{' '.join(self.argv)}\n  ended with {self.code} after {self.seconds:.1f} s\n" \
               f"{self.text}"


def wait_until(what, condition, limit=20.0, pause=0.05):
    """The first true answer of `condition`; TookTooLong after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TookTooLong(f"not within {limit:g} s: {what}")
        time.sleep(pause)


class Running:
    """A command that goes on in a host."""

    def __init__(self, lab, host, argv, environment=None):
        self.argv = list(argv)
        self.started = time.monotonic()
        # Not a pipe: what outlives the command may hold it open.
        self._out, self._err = lab.scratch_file(), lab.scratch_file()
        self.process = subprocess.Popen(lab.exec_words(host, argv, environment),
                                        stdin=subprocess.DEVNULL, stdout=self._out,
                                        stderr=self._err, env=lab.environment)

    def has_ended(self):
        return self.process.poll() is not None

    def wait(self, limit=90.0):
        """The answer; TookTooLong if it goes on."""
        try:
            code = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise TookTooLong(f"{' '.join(self.argv)} still runs after {limit:g} s\n"
                              f"{self._read(self._out)}{self._read(self._err)}") from None
        return Answer(self.argv, code, self._read(self._out), self._read(self._err),
                      time.monotonic() - self.started)

    def give_up(self):
        """Ends the command at this side; its host is about to lose power."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @staticmethod
    def _read(file):
        file.seek(0)
        return file.read().decode(errors="replace")


class Lab:
    """One lab of a name of its own: mn1, mn2 and cn1."""

    def __init__(self, name, scratch):
        self.name = name
        self.scratch = pathlib.Path(scratch)
        self.base = pathlib.Path(os.environ.get("LAB_DIR", "/var/tmp/hamn-lab"))
        self.environment = {**os.environ, "LAB_NAME": name, "LAB_DIR": str(self.base),
                            "LAB_HOSTS": " ".join(f"{h}={a}" for h, a in ADDRESS.items()),
                            "LAB_PREFIX": "16", "LAB_SWITCH": SWITCH,
                            "LAB_DATA": "mn1:/install:512M mn2:/install:512M"}
        self._golden = {}

    def scratch_file(self):
        """An open file without a name."""
        path = self.scratch / f"{self.name}.{time.monotonic_ns()}"
        file = open(path, "w+b")  # pylint: disable=consider-using-with
        path.unlink()
        return file

    def verb(self, *words, limit=60.0):
        """A verb of the lab that has to work."""
        done = subprocess.run([LAB, *words], env=self.environment, timeout=limit, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"lab {' '.join(words)}: {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done.stdout

    def exec_words(self, host, argv, environment=None):
        """The words of a command in a host."""
        # The shell in between: what enters the host would stop together with its child.
        prefix = ["sh", "-c", '"$@"; exit $?', "sh", "env",
                  *[f"{k}={v}" for k, v in environment.items()]] if environment else []
        return [str(LAB), "exec", host, *prefix, *[str(word) for word in argv]]

    def run(self, host, *argv, limit=90.0, environment=None):
        """Runs a command in a host to its end."""
        return Running(self, host, argv, environment).wait(limit)

    def start(self, host, *argv, environment=None):
        """Starts a command in a host."""
        return Running(self, host, argv, environment)

    def must(self, host, *argv, limit=90.0):
        """Output of a command that has to work."""
        answer = self.run(host, *argv, limit=limit)
        if answer.code != 0:
            raise AssertionError(f"on {host}: {answer}")
        return answer.out

    def write(self, host, path, text):
        """Writes a file in a host."""
        done = subprocess.run(self.exec_words(host, ["tee", path]), input=text.encode(),
                              env=self.environment, timeout=30, stdout=subprocess.DEVNULL,
                              check=False)
        assert done.returncode == 0, f"cannot write {path} on {host}"

    def status(self):
        """What `lab status --json` says."""
        return json.loads(self.verb("status", "--json"))

    def down(self):
        """Removes everything, whatever state it is in."""
        subprocess.run([LAB, "down"], env=self.environment, timeout=120, check=False,
                       stdin=subprocess.DEVNULL, capture_output=True)

    # Disks: kept as they are now, and put back while a host is off.

    def _disks(self, host):
        return sorted((self.base / self.name / host).glob("*.img"))

    def power_off(self, host):
        """Power off, and wait until its disks are free."""
        self.verb("kill", host)

        def free():
            return not any(subprocess.run(["losetup", "--noheadings", "--associated", disk],
                                          capture_output=True, timeout=10, check=False).stdout
                           for disk in self._disks(host))
        wait_until(f"the disks of {host} are free", free, limit=30)

    def keep_disks(self, host):
        """Keeps the disks of a host that is off."""
        where = self.scratch / "disks" / host
        where.mkdir(parents=True, exist_ok=True)
        for disk in self._disks(host):
            subprocess.run(["cp", "--sparse=always", disk, where / disk.name], check=True,
                           timeout=60)
        self._golden[host] = where

    def restore_disks(self, host):
        """Puts back what keep_disks kept; the host is off."""
        for disk in self._disks(host):
            subprocess.run(["cp", "--sparse=always", self._golden[host] / disk.name, disk],
                           check=True, timeout=60)

    def clear_faults(self):
        """Heals every cable, disk and service processor."""
        found = self.status()
        for cut in found["cuts"]:
            self.verb("uncut", *cut.split(":"))
        if found["bmc_fault"] != "none":
            self.verb("bmc-fault", "none")
        for host in found["hosts"]:
            for fault in host["faults"]:
                words = fault.split()
                if words[0] == "fill":
                    self._unfill(host, words[1])
                elif words[0] == "partition":
                    self.verb("heal", host["name"])
                elif words[0] != "iofail":  # that one ends with the power
                    self.verb(words[0], host["name"], "0")

    def _unfill(self, host, directory):
        """Room again; only a host that is on can give it."""
        if host["state"] != "on":
            self.power_off(host["name"])
            self.verb("start", host["name"])
        self.verb("unfill", host["name"], directory)

    def remove_scratch(self):
        """Removes the kept disks."""
        shutil.rmtree(self.scratch / "disks", ignore_errors=True)
