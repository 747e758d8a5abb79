#!/usr/bin/python3
"""Fills xCAT's SQLite tables with a realistic cluster, quickly: one transaction per table.

Most nodes are booted, some wait in "install ..." and some run "netboot ...", as
xCAT's chain table shows them; cn1 is a node with a given address and MAC, so that
a lab host can play it.  Rows that exist (site, policy, passwd) are kept or updated,
everything about nodes is replaced.  Stop xcatd before, or restart it after.
Prints what it made as JSON.

  make_cluster.py --nodes 1000 --dir /etc/xcat --master 10.77.0.11 \\
      --network 10.77.0.0/16 --domain cluster.test --mn mn1 --mn mn2 \\
      --cn1-mac 02:98:c9:37:8c:82 --files /
"""
import argparse
import ipaddress
import json
import os
import sys
import time

sys.dont_write_bytecode = True
_HERE = os.path.dirname(os.path.abspath(__file__))
for _library in ("/opt/xcat/lib/simulator", os.path.join(_HERE, "../../simulators/xcat/lib")):
    if os.path.isdir(os.path.join(_library, "xcatsim")):
        sys.path.insert(0, _library)
from xcatsim import initial  # noqa: E402
from xcatsim.tables import DirectTables  # noqa: E402

OS_NAME, ARCH, PROFILE = "rhels8.6", "x86_64", "compute"
INSTALL_IMAGE = f"{OS_NAME}-{ARCH}-install-{PROFILE}"
NETBOOT_IMAGE = f"{OS_NAME}-{ARCH}-netboot-{PROFILE}"
PKGDIR = f"/install/{OS_NAME}/{ARCH}"
ROOTIMGDIR = f"/install/netboot/{OS_NAME}/{ARCH}/{PROFILE}"
SHARE = "/opt/xcat/share/xcat"
RACK = 50  # nodes per rack


def main():
    """Entry."""
    options = parse()
    started = time.monotonic()
    nodes = make_nodes(options)
    tables = DirectTables(options.dir)
    tables.update_schema()
    content = {**node_tables(nodes, options), **image_tables(), **cluster_tables(options, tables)}
    for table, rows in content.items():
        tables.replace_all(table, rows)
    tables.close()
    if options.files is not None:
        make_image_files(options.files)
    json.dump(report(nodes, content, options, time.monotonic() - started), sys.stdout, indent=1)
    print()


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=1000, help="how many, cn1 included")
    parser.add_argument("--dir", default="/etc/xcat", help="directory of the *.sqlite files")
    parser.add_argument("--master", default="10.77.0.11", help="service address: site.master")
    parser.add_argument("--network", default="10.77.0.0/16", type=ipaddress.ip_network)
    parser.add_argument("--gateway", help="default: the network's first address")
    parser.add_argument("--nic", default="eth0", help="networks.mgtifname")
    parser.add_argument("--dynamic-range", help="networks.dynamicrange, such as A-B")
    parser.add_argument("--domain", default="cluster.test")
    parser.add_argument("--mn", action="append", help="management node, for policy; repeatable")
    parser.add_argument("--cn1", default="10.77.0.21", help="address of cn1")
    parser.add_argument("--cn1-mac", default="02:00:4d:00:00:21", help="MAC of cn1")
    parser.add_argument("--installing", type=int, default=50, help="nodes in install ...")
    parser.add_argument("--netbooted", type=int, default=20, help="nodes in netboot ...")
    parser.add_argument("--consoleondemand", default="yes", choices=("yes", "no"))
    parser.add_argument("--files", metavar="ROOT",
                        help="also make the images' kernels under ROOT, which nodeset needs")
    options = parser.parse_args()
    options.mn = options.mn or ["mn1"]
    if options.nodes < 1 + options.installing + options.netbooted:
        parser.error("--nodes must leave room for cn1, --installing and --netbooted")
    return options


class Node:
    """One node: a name, its addresses and what it is doing."""

    def __init__(self, name, address, mac, number, state):
        self.name, self.address, self.mac = name, str(address), mac
        self.number, self.state = number, state

    @property
    def rack(self):
        """1, 2, ..."""
        return self.number // RACK + 1


def make_nodes(options):
    """cn1 first, then n0001 ... from the fifth /24 of the network on."""
    first = int(options.network.network_address)
    states = ["boot"] * (options.nodes - 1 - options.installing - options.netbooted)
    states += [f"install {OS_NAME}-{ARCH}-{PROFILE}"] * options.installing
    states += [f"netboot {OS_NAME}-{ARCH}-{PROFILE}"] * options.netbooted
    nodes = [Node("cn1", options.cn1, options.cn1_mac.lower(), 0, "boot")]
    for number, state in enumerate(states, start=1):
        address = ipaddress.ip_address(first + (4 + number // 250) * 256 + 1 + number % 250)
        mac = f"02:00:4d:01:{number >> 8:02x}:{number & 255:02x}"
        nodes.append(Node(f"n{number:04d}", address, mac, number, state))
    if ipaddress.ip_address(nodes[-1].address) not in options.network:
        raise SystemExit("make_cluster.py: the network is too small for so many nodes")
    return nodes


def node_tables(nodes, options):
    """{table: rows} of everything that is per node."""
    stamp = time.strftime("%m-%d-%Y %H:%M:%S")
    status = {"boot": "booted", "install": "installing", "netboot": "booted"}
    bmc = int(options.network.network_address) + 128 * 256
    rows = {name: [] for name in ("nodelist", "hosts", "mac", "nodetype", "noderes", "nodehm",
                                  "ipmi", "chain", "nodepos")}
    for node in nodes:
        kind = node.state.split()[0]
        key = {"node": node.name}
        rows["nodelist"].append({**key, "groups": f"compute,rack{node.rack:02d},all",
                                 "status": status[kind], "statustime": stamp})
        rows["hosts"].append({**key, "ip": node.address})
        rows["mac"].append({**key, "interface": "eth0", "mac": node.mac})
        rows["nodetype"].append({**key, "os": OS_NAME, "arch": ARCH, "profile": PROFILE,
                                 "provmethod": NETBOOT_IMAGE if kind == "netboot"
                                 else INSTALL_IMAGE})
        rows["noderes"].append({**key, **resources(node, kind, options)})
        rows["nodehm"].append({**key, "mgt": "ipmi", "power": "ipmi", "cons": "ipmi"})
        rows["ipmi"].append({**key, "bmc": str(ipaddress.ip_address(
            bmc + (node.number // 250) * 256 + 1 + node.number % 250)),
            "username": "ADMIN", "password": "secret"})
        rows["chain"].append({**key, "currstate": node.state,
                              "currchain": None if kind == "netboot" else "boot"})
        rows["nodepos"].append({**key, "rack": f"rack{node.rack:02d}", "u": str(node.number % RACK)})
    return rows


def resources(node, kind, options):
    """noderes: in racks 1 to 4 and for installing nodes the servers are named literally."""
    row = {"netboot": "xnba", "installnic": "mac", "primarynic": "mac"}
    if kind == "install" or node.rack <= 4:
        row.update(tftpserver=options.master, xcatmaster=options.master,
                   nfsserver=options.master)
    return row


def image_tables():
    """The two images of the captures (xCAT 2.19 capture tabdump_nimimage)."""
    common = {"profile": PROFILE, "imagetype": "linux", "osname": "Linux", "osvers": OS_NAME,
              "osarch": ARCH}
    osimage = [{"imagename": INSTALL_IMAGE, "provmethod": "install",
                "osdistroname": f"{OS_NAME}-{ARCH}", **common},
               {"imagename": NETBOOT_IMAGE, "provmethod": "netboot", **common}]
    linux = [{"imagename": INSTALL_IMAGE, "pkgdir": PKGDIR,
              "template": f"{SHARE}/install/rh/compute.rhels8.tmpl",
              "pkglist": f"{SHARE}/install/rh/compute.rhels8.pkglist",
              "otherpkgdir": f"/install/post/otherpkgs/{OS_NAME}/{ARCH}"},
             {"imagename": NETBOOT_IMAGE, "pkgdir": PKGDIR, "rootimgdir": ROOTIMGDIR,
              "pkglist": f"{SHARE}/netboot/rh/compute.rhels8.x86_64.pkglist",
              "exlist": f"{SHARE}/netboot/rh/compute.rhels8.x86_64.exlist",
              "postinstall": f"{SHARE}/netboot/rh/compute.rhels8.x86_64.postinstall",
              "permission": "755"}]
    return {"osimage": osimage, "linuximage": linux}


def cluster_tables(options, tables):
    """site, networks, policy, postscripts, passwd; passwd's omapi secret is kept."""
    site = {row["key"]: row for row in initial.site(options.master, options.domain)}
    for row in tables.rows("site"):
        site[row["key"]] = row
    for key, value in (("master", options.master), ("nameservers", options.master),
                       ("domain", options.domain), ("consoleondemand", options.consoleondemand)):
        site[key] = {"key": key, "value": value}
    policy = initial.policy(options.mn[0])
    policy += [{"priority": f"1.{number}", "name": name, "rule": "trusted"}
               for number, name in enumerate(options.mn[1:], start=3)]
    gateway = options.gateway or str(options.network.network_address + 1)
    network = initial.network(options.nic, options.network, gateway)
    network["dynamicrange"] = options.dynamic_range
    passwd = [row for row in tables.rows("passwd") if row["key"] == "omapi"]
    passwd.append({"key": "system", "username": "root", "password": "cluster"})
    return {"site": list(site.values()), "policy": policy, "networks": [network],
            "postscripts": initial.postscripts(), "notification": initial.notification(),
            "passwd": passwd}


def make_image_files(root):
    """Small stand-ins for the images' files."""
    for directory, names in ((f"{PKGDIR}/images/pxeboot", ("vmlinuz", "initrd.img")),
                             (ROOTIMGDIR, ("kernel", "initrd-stateless.gz", "rootimg.cpio.gz"))):
        where = os.path.join(root, directory.lstrip("/"))
        os.makedirs(where, exist_ok=True)
        for name in names:
            with open(f"{where}/{name}", "wb") as file:
                file.write(os.urandom(4096))


def report(nodes, content, options, seconds):
    """What a test needs to know."""
    states = {}
    for node in nodes:
        states.setdefault(node.state, []).append(node.name)
    return {"nodes": len(nodes), "states": {state: len(names) for state, names in states.items()},
            "installing": states.get(f"install {OS_NAME}-{ARCH}-{PROFILE}", []),
            "netbooted": states.get(f"netboot {OS_NAME}-{ARCH}-{PROFILE}", []),
            "cn1": {"address": nodes[0].address, "mac": nodes[0].mac},
            "first": vars(nodes[min(1, len(nodes) - 1)]), "last": vars(nodes[-1]),
            "master": options.master, "domain": options.domain, "network": str(options.network),
            "images": [INSTALL_IMAGE, NETBOOT_IMAGE],
            "rows": {table: len(rows) for table, rows in content.items()},
            "seconds": round(seconds, 3)}


if __name__ == "__main__":
    main()
