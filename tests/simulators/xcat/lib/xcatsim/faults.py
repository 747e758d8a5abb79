"""Settings of the simulators: costs and faults, from /etc/xcat/simulator.conf (INI).

[xcatd]    start_seconds = 0.5        time xcatd needs before it answers
[COMMAND]  hang_seconds = 30          sleeps before it does anything
           fail_with_rc0 = TEXT       prints TEXT as an error, does nothing, exit code 0
           exit_code = 3              prints an error, does nothing, this exit code
           die_after_n_nodes = 100    xcatd's child dies after so many nodes
           skip_service_restart = yes says success but did not restart the service
[rpower]   command = /path            run as "command NODE stat|on|off"; its stdout is the state
XCATSIM_START_SECONDS in the environment overrides start_seconds.
"""
import configparser
import os
import time

from . import paths


def settings(section):
    """The section's values as a dict of str; {} when there is none."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(paths.SIMULATOR_CONF)
    return dict(parser[section]) if parser.has_section(section) else {}


def start_seconds():
    """How long a start of xcatd takes [s]."""
    value = os.environ.get("XCATSIM_START_SECONDS") or settings("xcatd").get("start_seconds", "0.5")
    return float(value)


class Fault:
    """The faults set for one run of one command."""

    def __init__(self, command):
        self._set = settings(command)
        limit = self._set.get("die_after_n_nodes")
        self._nodes_left = int(limit) if limit else None
        self.skip_service_restart = self._set.get("skip_service_restart", "no") in ("yes", "1")

    def before(self, reply):
        """Hangs if told to; True when the command must not do its work."""
        time.sleep(float(self._set.get("hang_seconds", 0)))
        if "fail_with_rc0" in self._set:
            reply.error(self._set["fail_with_rc0"], code=0)
            return True
        if "exit_code" in self._set:
            reply.error("simulated failure", code=int(self._set["exit_code"]))
            return True
        return False

    def node_done(self):
        """Counts one node; the process is gone when the limit is passed."""
        if self._nodes_left is None:
            return
        self._nodes_left -= 1
        if self._nodes_left < 0:
            os._exit(1)
