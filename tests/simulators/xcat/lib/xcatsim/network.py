"""The host's own addresses, networks and name lookups, as xCAT's NetworkUtils sees them."""
import ipaddress
import re
import socket
import subprocess


def addresses():
    """[(NIC, IPv4Interface)] in the order `ip addr` prints them: primary before secondary."""
    output = subprocess.run(["ip", "-o", "-4", "addr"], capture_output=True, text=True,
                            check=False).stdout
    found = []
    for line in output.splitlines():
        match = re.match(r"\d+:\s+(\S+)\s+inet\s+(\S+)", line)
        if match:
            found.append((match[1], ipaddress.ip_interface(
                match[2] if "/" in match[2] else match[2] + "/32")))
    return found


def facing(address):
    """My FIRST address on the network that holds `address`, whatever site.master says; or None.

    Captures fo5, fo9, fo11: with an address of its own before the service
    address on the NIC, xCAT writes its own one into dhcpd.conf.
    """
    if not address:
        return None
    for _, mine in addresses():
        if ipaddress.ip_address(address) in mine.network:
            return str(mine.ip)
    return None


def connected_networks():
    """[(NIC, network)] of the routing table's direct networks, without loopback."""
    output = subprocess.run(["ip", "-o", "-4", "route"], capture_output=True, text=True,
                            check=False).stdout
    found = []
    for line in output.splitlines():
        match = re.match(r"(\d\S+/\d+) .*?dev (\S+)", line)
        if not match or " via " in line:
            continue
        entry = (match[2], ipaddress.ip_network(match[1]))
        if entry not in found and not entry[1].is_loopback and not entry[1].is_link_local:
            found.append(entry)
    return found


def lookup(name):
    """All IPv4 addresses of a name, by the system's resolver; [] if there is none."""
    try:
        return list(dict.fromkeys(entry[4][0] for entry in socket.getaddrinfo(
            name.rstrip("."), None, socket.AF_INET, socket.SOCK_STREAM)))
    except OSError:
        return []


def is_local(name):
    """Whether a name or address is this host's (xCAT: not thishostisnot)."""
    mine = {str(interface.ip) for _, interface in addresses()}
    return name in mine or bool(mine & set(lookup(name)))


def host_addresses():
    """Own addresses and names for conserver's "trusted" lines, as capture fo6 lists them."""
    names = []
    for _, interface in addresses():
        address = str(interface.ip)
        try:
            name, aliases, _ = socket.gethostbyaddr(address)
            short = [n.split(".")[0] for n in [name] + aliases]
        except OSError:
            short = []
        names.append((address, short))
    return names


def reverse_zone(network):
    """The in-addr zones that cover a network: whole octets, as ddns.pm cuts them."""
    bits = network.prefixlen
    octets = 3 if bits > 16 else 2 if bits > 8 else 1
    if bits >= 24:
        nets = [ipaddress.ip_network(f"{network.network_address}/24", strict=False)]
    else:
        nets = network.subnets(new_prefix=octets * 8) if bits % 8 else [network]
    return [".".join(reversed(str(net.network_address).split(".")[:octets])) + ".IN-ADDR.ARPA."
            for net in nets]


def networks_of(cluster):
    """[(row, IPv4Network)] of the networks table; rows that are no IPv4 network are left out."""
    found = []
    for row in cluster.rows("networks"):
        try:
            found.append((row, ipaddress.ip_network(f"{row['net']}/{row['mask']}")))
        except ValueError:
            continue
    return found


def domain_of(address, cluster):
    """The domain of the network that holds an address, else site.domain."""
    for row, network in networks_of(cluster):
        if address and ipaddress.ip_address(address) in network and row["domain"]:
            return row["domain"].lstrip(".")
    return (cluster.site("domain") or "").lstrip(".")
