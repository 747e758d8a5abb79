"""makehosts: node lines in /etc/hosts (capture makehosts; source hosts.pm).

Edits the file in place after a copy to /etc/hosts.xcatbak: a crash in between
leaves a truncated /etc/hosts, as with the real one.
"""
import fcntl
import ipaddress
import shutil

from .. import network, paths

HOSTS = "/etc/hosts"


def makehosts(request, reply):
    """-n starts from an empty file, -d removes the nodes, -l puts the long name first."""
    lock = open(f"{paths.lock_directory()}/hostsfile.lock", "w", encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_EX)
    shutil.copy(HOSTS, HOSTS + ".xcatbak")
    if request.has("-n"):
        lines = ["127.0.0.1 localhost\n"]
    else:
        with open(HOSTS, encoding="utf-8") as file:
            lines = file.readlines()
    book = _Book(lines)
    nodes = request.nodes or ([] if request.has("-d") else request.cluster.node_names())
    for node, address, names in _entries(nodes, request.cluster, reply):
        if request.has("-d"):
            book.remove(node, address)
        else:
            domain = network.domain_of(address, request.cluster)
            book.put(node, address, line_for(node, address, names, domain, request.has("-l")))
        request.fault.node_done()
    with open(HOSTS, "w", encoding="utf-8") as file:
        file.writelines(book.lines)


def _entries(nodes, cluster, reply):
    rows = cluster.attributes("hosts", nodes)
    for node in nodes:
        address = rows[node].get("ip") or (network.lookup(node) or [None])[0]
        if not address:
            reply.warning(f"Ignoring node '{node}', it can not be resolved.")
            continue
        try:
            ipaddress.ip_address(address)
        except ValueError:
            reply.warning(f"Ignoring node '{node}', its ip address '{address}' is not valid.")
            continue
        yield node, address, rows[node].get("hostnames") or ""


def line_for(node, address, names, domain, long_first=False):
    """"ip short long others": note the blank before the newline when there are no others."""
    others = [name for name in names.replace(",", " ").split()
              if name not in (node, f"{node}.{domain}")]
    first, second = (f"{node}.{domain}", node) if long_first else (node, f"{node}.{domain}")
    return f"{address} {first} {second} {' '.join(others)}\n"


class _Book:
    """The file's lines, found by address or first name as hosts.pm finds them."""

    def __init__(self, lines):
        self.lines = lines
        self._index = {}
        for number in range(len(lines)):
            self._enter(number)

    def _enter(self, number):
        words = self.lines[number].split()
        if len(words) > 1 and not words[0].startswith("#"):
            for key in {words[0], words[1], words[1].split(".")[0]}:
                self._index.setdefault(key, set()).add(number)

    def _matches(self, node, address):
        numbers = self._index.get(node, set()) | self._index.get(address, set())
        return sorted(n for n in numbers if self._still(n, node, address))

    def _still(self, number, node, address):
        words = self.lines[number].split()
        return len(words) > 1 and (words[0] == address or words[1].split(".")[0] == node
                                   or words[1] == node)

    def remove(self, node, address):
        """Empties the lines of the node or its address."""
        for number in self._matches(node, address):
            self.lines[number] = ""

    def put(self, node, address, line):
        """Replaces the first matching line, drops further ones, appends if there is none."""
        found = self._matches(node, address)
        if not found:
            self.lines.append(line)
            self._enter(len(self.lines) - 1)
            return
        self.lines[found[0]] = line
        self._enter(found[0])
        for number in found[1:]:
            self.lines[number] = ""
