"""makedhcp -n | -a | noderange | -d | -q (captures makedhcp_*, fo5, fo9, fo11; source dhcp.pm).

-n only writes dhcpd.conf and restarts dhcpd; hosts get into the running dhcpd, and
so into dhcpd.leases, one omshell conversation per node.
"""
import fcntl
import os
import re

from .. import dhcpconf, network, omshell, paths, services
from .makedns import omapi_secret

_USAGE = ("Usage: makedhcp -n\n\tmakedhcp -a\n\tmakedhcp -a -d\n\tmakedhcp -d noderange\n"
          "\tmakedhcp <noderange> [-s statements]\n\tmakedhcp -q\n\tmakedhcp [-h|--help]")
_NOT_RUNNING = "dhcp server is not running.  please start the dhcp server."
_COMMENT = ("#definition for host {node} aka host {node} can be found in the dhcpd.leases file "
            "(typically /var/lib/dhcpd/dhcpd.leases)\n")


def makedhcp(request, reply):
    """See the module's text."""
    new, every, delete, query = (request.has(o) for o in ("-n", "-a", "-d", "-q"))
    if request.has("-h", "--help") or not (new or every or request.nodes):
        reply.data(_USAGE)
        return
    if not new and not services.is_active("dhcp"):
        reply.error(_NOT_RUNNING)
        return
    for option, given in (("-q", query), ("-n", new)):
        if given and sum((new, every, delete, query)) > 1:
            reply.error(f"The {option} option cannot be used with other options.")
            return
    if query:
        _query(request, reply)
        return
    with open(f"{paths.lock_directory()}/dhcplock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _change(request, reply, new, delete)


def _query(request, reply):
    """Asks the running dhcpd for each node; silent about nodes it does not know."""
    session = omshell.Session(omapi_secret(request))
    for node in request.nodes:
        found = session.query(node)
        if found:
            reply.data(f"{node}: ip-address = {found[0]}, hardware-address = {found[1]}")
        request.fault.node_done()


def _change(request, reply, new, delete):
    cluster = request.cluster
    secret = omapi_secret(request)
    restart = False
    if new and os.path.exists(dhcpconf.CONF):
        reply.data(f"Renamed existing dhcp configuration file to  {dhcpconf.CONF}.xcatbak\n")
        os.rename(dhcpconf.CONF, dhcpconf.CONF + ".xcatbak")
    lines = dhcpconf.read()
    nics = dhcpconf.active_nics(cluster)
    dhcpconf.set_interfaces(nics)
    if not lines:
        restart = True
        lines = dhcpconf.new_file(nics, secret, cluster)
    for nic, net in network.connected_networks():
        if nic in nics:
            restart |= dhcpconf.add_network(lines, nic, net, cluster, reply)
    nodes = request.nodes
    if request.has("-a"):
        nodes = cluster.node_names() if delete else [r["node"] for r in cluster.rows("mac")]
    if nodes and not _hosts(request, reply, nodes, delete, lines, secret):
        return
    dhcpconf.write(dhcpconf.without_empty_sections(lines))
    if restart and not request.fault.skip_service_restart:
        services.systemctl("restart", "dhcp")  # its result is ignored


def _hosts(request, reply, nodes, delete, lines, secret):
    """Adds or removes the nodes; False when two nodes share an address."""
    cluster = request.cluster
    hosts, macs = (cluster.attributes(table, nodes) for table in ("hosts", "mac"))
    resources = cluster.attributes("noderes", nodes)
    owner = {}
    for node in nodes:
        address = hosts[node].get("ip")
        if address and owner.setdefault(address, node) != node:
            reply.error("Duplicated IP addresses in hosts table for following nodes: "
                        f"{node},{owner[address]}")
            return False
    session, known = omshell.Session(secret), set(lines)
    for node in nodes:
        for hardware, name in _interfaces(node, macs[node].get("mac")):
            if delete:
                session.remove(name, (network.lookup(name) or [None])[0], hardware)
                continue
            address = (network.lookup(name) or [None])[0]
            if address and not network.facing(address):
                continue  # not on any of my networks
            session.add(name, address, hardware, _statements(name, resources[node], reply))
            comment = _COMMENT.format(node=node)
            if comment not in known:
                known.add(comment)
                lines.append(comment)
        if not macs[node].get("mac"):
            reply.warning(f"Unable to find mac address for {node}")
        request.fault.node_done()
    return True


def _interfaces(node, text):
    """[(hardware address, host name)] of mac.mac: "mac!name|mac!name"."""
    for entry in (text or "").split("|"):
        hardware, _, name = entry.partition("!")
        if hardware:
            if ":" not in hardware:
                hardware = ":".join(re.findall("..", hardware.lower()))
            yield hardware, name or node


def _statements(name, resources, reply):
    """What dhcpd is told per host; next-server only if noderes.tftpserver is set."""
    text = f'ddns-hostname "{name}"; send host-name "{name}";'
    server = resources.get("tftpserver")
    if server and server != "<xcatmaster>":
        address = network.lookup(server)
        if not address:
            reply.error("Unable to resolve the tftpserver for node")
        else:
            text += f"next-server {address[0]};"
    return text
