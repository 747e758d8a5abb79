"""Where things are on an xCAT 2.19 management node, and the version it reports."""
import os

ROOT = "/opt/xcat"
LIBRARY = f"{ROOT}/lib/simulator"
RUN = "/run/xcat"
PIDFILE = "/run/xcatd.pid"
MAIN_PID = f"{RUN}/mainservice.pid"
INSTALL_PID = f"{RUN}/installservice.pid"
UDP_PID = f"{RUN}/udpservice.pid"
CMDLOG_PID = f"{RUN}/cmdlogservice.pid"
CONFIG = "/etc/xcat"
SIMULATOR_CONF = f"{CONFIG}/simulator.conf"
CFGLOC = f"{CONFIG}/cfgloc"
SERVER_CRED = f"{CONFIG}/cert/server-cred.pem"
SERVER_CA = f"{CONFIG}/cert/ca.pem"
MN_MARKER = "/etc/xCATMN"
CLUSTER_LOG = "/var/log/xcat/cluster.log"
COMMAND_LOG = "/var/log/xcat/commands.log"
CONSOLE_COUNT = "/var/log/xcat/simulator-consoles.log"
CONSERVER_CF = "/etc/conserver.cf"

# Capture lsxcatd_a_sqlite.
VERSION = "Version 2.19.0 (git commit 7733d16f8de0fc36b80638c04a7033931fa13304)"


def lock_directory():
    """/tmp/xcat, where xCAT keeps its lock files; made when missing."""
    os.makedirs("/tmp/xcat", exist_ok=True)
    return "/tmp/xcat"
