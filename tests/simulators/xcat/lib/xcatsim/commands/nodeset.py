"""nodeset NODERANGE boot|stat|osimage[=NAME]|shell|offline|next (captures nodeset_*, fo3, fo7, pg_nodeset_*).

Writes chain.currstate and currchain, nodetype.*, the boot files, and runs makedhcp
for the nodes, in batches: with dhcpd down each batch prints its own error.
"""
import os
import shutil

from .. import bootfiles, network, texts
from . import makedhcp

_USAGE = ("Usage: nodeset <noderange> [shell|boot|runcmd=bmcsetup|osimage[=<imagename>]|offline]")
_NO_GENESIS = "Could not find genesis.kernel.x86_64 or legacy nbk.x86_64 files"
_FAILED = ("Failed to generate xnba configurations for some node(s) on {host}. "
           "Check xCAT log file for more details.")
# Where a distribution keeps its installer: (kernel, initrd).
_INSTALLERS = (("images/pxeboot/vmlinuz", "images/pxeboot/initrd.img"),
               ("boot/x86_64/loader/linux", "boot/x86_64/loader/initrd"),
               ("install/netboot/ubuntu-installer/amd64/linux",
                "install/netboot/ubuntu-installer/amd64/initrd.gz"))


def nodeset(request, reply):
    """See the module's text."""
    arguments = [a for a in request.arguments if not a.startswith("-")]
    if not request.nodes or not arguments:
        reply.data(_USAGE)
        return
    action, _, value = arguments[0].partition("=")
    if action == "stat":
        for node in request.nodes:
            reply.node(node, bootfiles.state_of(node))
    elif action in ("boot", "offline", "next"):
        _simple(request, reply, "offline" if action == "offline" else "boot")
    elif action == "osimage":
        _in_batches(request, reply, value)
    elif action in ("shell", "shutdown", "runcmd", "runimage"):
        reply.error(_NO_GENESIS)
    else:
        reply.error(_USAGE)


def _simple(request, reply, state):
    request.tables.put_many("chain", [({"node": node}, {"currstate": state})
                                      for node in request.nodes])
    for node in request.nodes:
        if state == "offline":
            bootfiles.remove(node)
        else:
            bootfiles.write(node, bootfiles.Boot("boot"))
        reply.node(node, state)
        request.fault.node_done()
    _tell_dhcp(request, reply, request.nodes)


def _in_batches(request, reply, name):
    for start in range(0, len(request.nodes), texts.NODESET_BATCH):
        _Batch(request, reply, request.nodes[start:start + texts.NODESET_BATCH]).run(name)


def _tell_dhcp(request, reply, nodes):
    if nodes and (request.cluster.site("dhcpsetup") or "y").lower() not in ("n", "no", "0"):
        makedhcp.makedhcp(request.again("makedhcp", nodes, []), reply)


class _Batch:
    """Some nodes on their way to an osimage."""

    def __init__(self, request, reply, nodes):
        self.request, self.reply, self.nodes = request, reply, nodes
        self.cluster = request.cluster
        self.types = self.cluster.attributes("nodetype", nodes)
        self.resources = self.cluster.attributes("noderes", nodes)
        self.images = {row["imagename"]: row for row in self.cluster.rows("osimage")}
        self.linux = {row["imagename"]: row for row in self.cluster.rows("linuximage")}

    def run(self, name):
        """Prepares each node, then records and announces those that worked."""
        boots = {}
        for node in self.nodes:
            boot = self._prepare(node, name or self.types[node].get("provmethod"))
            if boot:
                boots[node] = boot
                bootfiles.write(node, boot)
                self.reply.node(node, boot.state)
            self.request.fault.node_done()
        if len(boots) < len(self.nodes):
            self.reply.error(_FAILED.format(host=os.uname().nodename))
        self._record(boots)
        _tell_dhcp(self.request, self.reply, list(boots))

    def _prepare(self, node, name):
        if not name:
            self.reply.node_error(node, texts.NO_IMAGE_NAME)
            return None
        image = self.images.get(name)
        if not image:
            self.reply.node_error(node, texts.NO_SUCH_IMAGE.format(image=name))
            return None
        state = (f"{image['provmethod']} {image['osvers']}-{image['osarch']}-"
                 f"{image['profile']}")
        if image["provmethod"] == "install":
            return self._install(node, name, state)
        return self._netboot(node, name, state)

    def _install(self, node, name, state):
        pkgdir = (self.linux[name].get("pkgdir") or "").split(",")[0]
        for kernel, initrd in _INSTALLERS:
            if os.path.exists(f"{pkgdir}/{kernel}") and os.path.exists(f"{pkgdir}/{initrd}"):
                break
        else:
            self.reply.node_error(node, f"Install image not found in {pkgdir}")
            return None
        names = _publish(name, f"{pkgdir}/{kernel}", f"{pkgdir}/{initrd}")
        master, server = self._servers(node)
        port = self.cluster.site("xcatiport") or "3002"
        bootfiles.write_kickstart(node, master, server, port, pkgdir)
        resources = self.resources[node]
        source = resources.get("nfsserver") or resources.get("xcatmaster") or "!myipfn!"
        kickstart = resources.get("xcatmaster") or "!myipfn!"
        line = (f"inst.repo=http://{source}:80{pkgdir} "
                f"inst.ks=http://{kickstart}:80/install/autoinst/{node} ip=dhcp  ")
        return bootfiles.Boot(state, name, *names, line)

    def _netboot(self, node, name, state):
        root = self.linux[name].get("rootimgdir") or ""
        found = {}
        for what, choices in (("rootimg", ("rootimg.cpio.gz", "rootimg.tar.gz", "rootimg.sfs")),
                              ("kernel", ("kernel",)),
                              ("initrd", ("initrd-stateless.gz", "initrd.gz"))):
            found[what] = next((c for c in choices if os.path.exists(f"{root}/{c}")), None)
            if not found[what]:
                self.reply.node_error(node, texts.NO_ROOT_IMAGE.format(what=what, path=root))
                return None
        names = _publish(name, f"{root}/{found['kernel']}", f"{root}/{found['initrd']}")
        resources = self.resources[node]
        master = resources.get("xcatmaster") or "!myipfn!"
        server = resources.get("tftpserver") or master
        line = (f"imgurl=http://{server}:80/{root}/{found['rootimg']} XCAT={master}:3001 "
                f"NODE={node} FC=0 XCATHTTPPORT=80  selinux=0  ")
        return bootfiles.Boot(state, name, *names, line)

    def _servers(self, node):
        """(MASTER, package server): noderes.xcatmaster, my first address there, site.master."""
        address = (network.lookup(node) or [None])[0]
        master = (self.resources[node].get("xcatmaster") or network.facing(address)
                  or self.cluster.site("master"))
        return master, self.resources[node].get("nfsserver") or master

    def _record(self, boots):
        chains, types = [], []
        for node, boot in boots.items():
            image = self.images[boot.image]
            chain = "boot" if image["provmethod"] == "install" else None
            chains.append(({"node": node}, {"currstate": boot.state, "currchain": chain}))
            types.append(({"node": node}, {
                "os": image["osvers"], "arch": image["osarch"], "profile": image["profile"],
                "provmethod": boot.image}))
        self.request.tables.put_many("chain", chains)
        self.request.tables.put_many("nodetype", types)


_published = {}


def _publish(name, kernel, initrd):
    """Copies kernel and initrd to /tftpboot/xcat/osimage/NAME once per process."""
    target = f"/tftpboot/xcat/osimage/{name}"
    if name not in _published:
        os.makedirs(target, exist_ok=True)
        for path in (kernel, initrd):
            shutil.copy(path, target)
        _published[name] = os.path.basename(kernel), os.path.basename(initrd)
    return _published[name]
