"""makedns: named.conf, zones and records (captures makedns_n, makedns_files; source ddns.pm).

With -n named is stopped, its files are deleted and written anew, named is
started empty, and only then are the records pushed: between the stop and the end
of the updates the names are not served.  Without a noderange the names come from
/etc/hosts, not from the tables.
"""
import base64
import ipaddress
import os
import random
import re
import socket
import string
import subprocess
import time

from .. import network, services, zones
from ..dnsquery import NameServers
from . import makehosts

BATCH = 300  # records per update message (source ddns.pm)
DDNS_KEY = "/etc/xcat/ddns.key"
_UPDATING = "Updating DNS records, this may take several minutes for a large cluster."
_UPDATED = "Completed updating DNS records."
_DONE = "DNS setup is completed"
# Zones that are never asked for (source ddns.pm, find_nameserver_for_dns).
_IGNORED = re.compile(r"^(192\.|172\.|127\.)?IN-ADDR\.ARPA|^ARPA")


def makedns(request, reply):
    """makedns [-n] [noderange] | -d noderange."""
    if request.has("-d") and not request.nodes:
        reply.data("Usage: makedns [-h|--help] [-V|--verbose] [-e] [-n] [noderange] "
                   "| [-d noderange]")
        return
    if not request.cluster.site("domain"):
        reply.error("domain not defined in site table")
        return
    work = _Work(request, reply)
    work.read_names()
    reply.data("Getting reverse zones, this may take several minutes for a large cluster.")
    work.collect_zones()
    reply.data("Completed getting reverse zones.")
    if request.has("-n"):
        services.systemctl("stop", "named")
        zones.remove_all()
    os.makedirs(zones.ZONE_DIRECTORY, exist_ok=True)
    os.chmod(zones.ZONE_DIRECTORY, 0o775)
    if not work.write_files() or not work.make_named_run():
        return
    work.update_records()


class _Work:
    """One run: the names, the zones they need, the records to push."""

    def __init__(self, request, reply):
        self.request, self.reply, self.cluster = request, reply, request.cluster
        self.networks = self._own_networks()
        self.hosts = {}    # name as written: (address, aliases)
        self.zones = []
        self.secret, self.restart_needed = None, False

    def _own_networks(self):
        """Networks whose name server, if one is set, is this host."""
        site_servers = self.cluster.site("nameservers")
        kept = []
        for row, net in network.networks_of(self.cluster):
            mine = network.facing(str(net.network_address))
            named = (row["nameservers"] or "").split(",")
            if named == [""] or set(named) & {mine, "<xcatmaster>", site_servers}:
                kept.append((row, net))
        return kept

    def read_names(self):
        """Fills hosts from /etc/hosts, or from the tables for a noderange."""
        for line in random.sample(lines := self._lines(), len(lines)):
            words = line.split("#")[0].split()
            if not words:
                continue
            problem = _problem(words)
            if problem:
                self.reply.data(f"Ignoring line {line.strip()} in /etc/hosts, {problem}")
                continue
            address, name, aliases = words[0], words[1], words[2:]
            self.reply.data(f"Handling {name} in /etc/hosts.")
            if any(ipaddress.ip_address(address) in net for _, net in self.networks):
                self.hosts[name] = (address, aliases)
                self.request.fault.node_done()
            elif "localhost" not in name:
                self.reply.data(f"Ignoring host {name}, it does not belong to any nets defined in "
                                "networks table or the net it belongs to is configured to use an "
                                "external nameserver.")

    def _lines(self):
        if not self.request.nodes:
            with open(makehosts.HOSTS, encoding="utf-8") as file:
                return file.readlines()
        rows = self.cluster.attributes("hosts", self.request.nodes)
        lines = []
        for node in self.request.nodes:
            address = rows[node].get("ip") or (network.lookup(node) or [None])[0]
            if address:
                lines.append(makehosts.line_for(node, address, rows[node].get("hostnames") or "",
                                                network.domain_of(address, self.cluster)))
        return lines

    def collect_zones(self):
        """The reverse zones of all networks, their domains and the site's."""
        found = []
        for row, net in self.networks:
            found += network.reverse_zone(net)
            found += [row[key].lstrip(".") for key in ("ddnsdomain", "domain") if row[key]]
        found.append(self.cluster.site("domain").lstrip("."))
        self.zones = random.sample(unique := list(dict.fromkeys(found)), len(unique))

    def write_files(self):
        """named.conf, key and zone files; False if this host has no address."""
        self.secret = omapi_secret(self.request)
        forwarders = [f for f in re.split("[ ,]", self.cluster.site("forwarders") or "") if f]
        self.restart_needed = zones.write_conf(self.zones, self.secret, forwarders)
        _write_key(self.secret)
        self.reply.data("Updating zones.")
        host = socket.gethostname()
        address = (network.lookup(host) or [None])[0]
        if not address:
            self.reply.error(f"Unable to find an IP for {host} in hosts table or via system "
                             "lookup (i.e. /etc/hosts")
            return False
        domain = network.domain_of(address, self.cluster)
        server = host if "." in host else f"{host}.{domain}"
        for zone in self.zones:
            self.restart_needed |= zones.write_zone(zone, server + ".", address)
        self.reply.data("Completed updating zones.")
        return True

    def make_named_run(self):
        """Restarts named if a file changed; False when it cannot be started.

        The fault skip_service_restart ends the run here, with the lines of success.
        """
        if self.request.fault.skip_service_restart:
            for line in ("Restarting bind9", "Restarting named complete", _UPDATING, _UPDATED, _DONE):
                self.reply.data(line)
            return False
        if self.restart_needed:
            self.reply.data("Restarting bind9")
            if services.systemctl("restart", "named"):
                self.reply.error("failed to start named.\n")
                return False
            self.reply.data("Restarting named complete")
            time.sleep(1)
        if not services.is_active("named") and services.systemctl("start", "named"):
            self.reply.error("failed to start named.\n")
            return False
        return True

    def update_records(self):
        """Sorts the records into zones by asking named, and pushes them zone by zone."""
        self.reply.data(_UPDATING)
        servers = NameServers()
        updates = {}
        for name, (address, aliases) in self.hosts.items():
            if "localhost" not in name and "loopback" not in name:
                self._sort_records(name, address, aliases, servers, updates)
        for zone, records in updates.items():
            for server in servers.of_zone(zone):
                target = network.lookup(server)
                if not target:
                    self.reply.error(f"Please make sure {server} exist either in /etc/hosts or "
                                     "DNS.")
                    return
                self._push(zone, target[0], records)
        servers.close()
        self.reply.data(_UPDATED)
        self.reply.data(_DONE)

    def _sort_records(self, name, address, aliases, servers, updates):
        domain = network.domain_of(address, self.cluster)
        full = name if name.endswith("." + domain) else f"{name}.{domain}"
        reverse = ".".join(reversed(address.split("."))) + ".IN-ADDR.ARPA."
        for records, zone in (([(reverse, "PTR", full + ".")], reverse),
                              (_forward(full, address, aliases, domain), domain + ".")):
            while zone and (_IGNORED.match(zone) or not servers.of_zone(zone)):
                zone = zone.split(".", 1)[1]
            if not zone:
                self.reply.node_error(name, f"Unable to find zone to hold {name}")
                continue
            updates.setdefault(zone, []).extend(records)

    def _push(self, zone, server, records):
        for start in range(0, len(records), BATCH):
            part = records[start:start + BATCH]
            verb = "delete" if self.request.has("-d") else "add"
            script = [f"server {server}", f"key hmac-md5:xcat_key {self.secret}", f"zone {zone}"]
            for name, kind, value in part:
                script.append(f"update delete {name} {kind}" if verb == "delete"
                              else f"update add {name} 86400 {kind} {value}")
            result = subprocess.run(["nsupdate", "-t", "20"], input="\n".join(script + ["send\n"]),
                                    capture_output=True, text=True, check=False)
            if result.returncode:
                self._failure(zone, part[-1], result.stderr)
        if len(records) % BATCH:
            time.sleep(1)  # as the source does, for its resolver's sake

    def _failure(self, zone, record, output):
        code = re.search(r"update failed: (\w+)", output)
        if code:
            entry = f"{record[0]} IN {record[1]} {record[2]}"
            self.reply.error(f"Failure encountered updating {zone} with entry '{entry}', error was "
                             f"{code[1]}. See more details in system log.")
        else:
            self.reply.error(f"No reply received when sending DNS update to zone {zone}")


def _forward(full, address, aliases, domain):
    records = [(full + ".", "A", address)]
    for alias in aliases:
        name = alias if alias.endswith("." + domain) else f"{alias}.{domain}"
        if name != full:
            records.append((name + ".", "CNAME", full + "."))
    return records


def _problem(words):
    """Why a line of /etc/hosts is ignored, or None."""
    if not re.fullmatch(r"\d+\.\d+\.\d+\.\d+|[abcdef0-9:]+", words[0]):
        return "address seems malformed."
    if re.search(r"(?:^|\.)0+(?=\d)", words[0]) and ":" not in words[0]:
        return "ip address octets can not contain leading zeroes."
    names = " ".join(words[1:])
    if not re.fullmatch(r"[A-Za-z0-9. \t-]+", names):
        return (f"names  {names} contain invalid characters (valid characters include a through z, "
                "numbers and the '-', but not '_'")
    return None


def omapi_secret(request):
    """The secret of passwd key=omapi; else named.conf's; else a new one, remembered in passwd."""
    for row in request.cluster.rows("passwd"):
        if row["key"] == "omapi" and row["password"]:
            return row["password"]
    letters = string.ascii_letters + string.digits
    plain = "".join(random.SystemRandom().choice(letters) for _ in range(32))
    secret = zones.secret_in_conf() or base64.b64encode(plain.encode()).decode()
    request.tables.put("passwd", {"key": "omapi", "username": "xcat_key"}, {"password": secret})
    request.cluster.forget("passwd")
    return secret


def _write_key(secret):
    """/etc/xcat/ddns.key exists after makedns (capture sqlite_fds); its form is not known."""
    descriptor = os.open(DDNS_KEY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f'key "xcat_key" {{\n\talgorithm hmac-md5;\n\tsecret "{secret}";\n}};\n')
