"""Starting and stopping the real services through systemd, as xCAT::Utils does.

xCAT ignores most of these results (facts, section 7), so callers decide.
"""
import os
import subprocess

# xCAT's name: unit on Debian.
UNITS = {"named": "named", "dhcp": "isc-dhcp-server"}


def systemctl(verb, service):
    """The exit code of `systemctl VERB UNIT`; output is thrown away as in xCAT."""
    return run(["systemctl", verb, UNITS[service]])


def is_active(service):
    """Whether systemd calls the unit active."""
    return systemctl("is-active", service) == 0


def run(command):
    """The exit code of a command that gets no input and whose output nobody sees."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode
    except OSError:
        return 127


def process_exists(name):
    """Whether a process with this kernel name runs."""
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                    if file.read().strip() == name:
                        return True
            except OSError:
                continue
    return False
