"""Makes a lab host an xCAT management node, as the xcat package with `xcatconfig -i` does.

Places and modes: captures files_created_by_xcatconfig_i, credentials_ls; services
are left stopped and disabled, as in the captured hosts.
"""
import argparse
import glob
import os
import shutil
import socket
import subprocess
import sys

from . import credentials, initial, network, paths, schema
from .tables import DirectTables

# Links in /opt/xcat, by the launcher behind them (xCAT-client.spec).
_LINKS = {
    "bin": {"xcatclient": "nodels rpower", "xcatDBcmds": "chdef lsdef mkdef rmdef",
            "xcatclientnnr": "lsxcatd"},
    "sbin": {"../bin/xcatclient": "makeconservercf makedhcp makedns makegocons makehosts nodeset",
             "../bin/xcatclientnnr": "tabdump"},
}
_IN_BIN = ("xcatclient", "xcatclientnnr", "xcatDBcmds")


def main(arguments):
    """Entry of ./install; returns the exit code."""
    options = _options(arguments)
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if os.geteuid() != 0:
        print("install: must be root, in a lab host", file=sys.stderr)
        return 1
    _programs(home)
    _system_files(f"{home}/share")
    _host_name(options)
    fresh = options.fresh or not credentials.exist()
    if fresh:
        credentials.create(options.host, options.domain, f"{home}/share")
        _database(options)
    subprocess.run(["systemctl", "daemon-reload"], check=False, capture_output=True)
    print(f"xCAT simulator on {options.host}: master {options.master}, domain {options.domain}, "
          f"{'new' if fresh else 'kept'} credentials and tables")
    return 0


def _options(arguments):
    parser = argparse.ArgumentParser(prog="install", description=__doc__.splitlines()[0])
    mine = [str(interface.ip) for _, interface in network.addresses()
            if not interface.ip.is_loopback]
    parser.add_argument("--host", default=socket.gethostname().split(".")[0],
                        help="CN of the server certificate")
    parser.add_argument("--master", default=mine[0] if mine else "127.0.0.1",
                        help="site.master (default: first address)")
    parser.add_argument("--domain", default="cluster.test")
    parser.add_argument("--gateway", help="networks.gateway")
    parser.add_argument("--fresh", action="store_true",
                        help="new CA, credentials and empty tables even if there are some")
    return parser.parse_args(arguments)


def _programs(home):
    for directory in ("bin", "sbin", "share/xcat/cons"):
        os.makedirs(f"{paths.ROOT}/{directory}", exist_ok=True)
    shutil.rmtree(paths.LIBRARY, ignore_errors=True)
    shutil.copytree(f"{home}/lib", paths.LIBRARY, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["/usr/bin/python3", "-IS", "-m", "compileall", "-q", paths.LIBRARY],
                   check=False, capture_output=True)
    for name in os.listdir(f"{home}/bin"):
        where = "bin" if name in _IN_BIN else "sbin"
        shutil.copy(f"{home}/bin/{name}", f"{paths.ROOT}/{where}/{name}")
    for where, targets in _LINKS.items():
        for target, names in targets.items():
            for name in names.split():
                _link(target, f"{paths.ROOT}/{where}/{name}")
    _link(f"{paths.ROOT}/sbin/xcatd", "/usr/sbin/xcatd")
    shutil.copy(f"{home}/share/cons-ipmi", f"{paths.ROOT}/share/xcat/cons/ipmi")


def _link(target, path):
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(target, path)


def _system_files(share):
    for name, target in (("xcatd.service", "/lib/systemd/system/xcatd.service"),
                         ("xcat.sh", "/etc/profile.d/xcat.sh"),
                         ("conserver.init", "/etc/init.d/conserver")):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(f"{share}/{name}", target)
    for directory in ("/etc/xcat", "/install/postscripts", "/install/autoinst", "/install/netboot",
                      "/install/post", "/install/prescripts", "/tftpboot/xcat", "/var/log/xcat",
                      "/var/log/consoles", "/etc/dhcp"):
        os.makedirs(directory, exist_ok=True)
    with open(paths.MN_MARKER, "w", encoding="utf-8") as file:
        file.write("# This file in /etc/xCATMN indicates, it is a Management Node.\n"
                   "# Installed by xCAT meta package.\n")
    with open("/etc/tftpmapfile4xcat.conf", "w", encoding="utf-8") as file:
        file.write("rg (.*) \\1\n")


def _host_name(options):
    """The fully qualified name must resolve: makedns needs it for its name server."""
    full = f"{options.host}.{options.domain}"
    if network.lookup(full):
        return
    mine = next((str(i.ip) for _, i in network.addresses() if not i.ip.is_loopback), "127.0.0.1")
    with open("/etc/hosts", encoding="utf-8") as file:
        lines = [line for line in file if line.split()[1:] != [options.host]]
    with open("/etc/hosts", "w", encoding="utf-8") as file:
        file.writelines(lines + [f"{mine} {full} {options.host}\n"])


def _database(options):
    directory = DirectTables().directory
    for path in glob.glob(f"{directory}/*.sqlite*"):
        os.unlink(path)
    tables = DirectTables(directory)
    tables.update_schema()
    networks = [initial.network(nic, net, options.gateway)
                for nic, net in network.connected_networks()]
    rows = initial.all_tables(options.host, options.master, options.domain, networks)
    for table, content in rows.items():
        tables.replace_all(table, content)
    tables.close()
    assert len(glob.glob(f"{directory}/*.sqlite")) == len(schema.TABLES)
