"""Conversations with dhcpd through the real omshell, one process per node.

The commands are those of xCAT's dhcp.pm (addnode, delnode, listnode): remove
whatever has the name, the address or the hardware address, then create.
"""
import re
import subprocess

_PATH = "/usr/bin/omshell"


class Session:
    """What every conversation starts with: the key of passwd omapi, the local dhcpd."""

    def __init__(self, secret):
        self._start = [f'key xcat_key "{secret}"', "connect"]

    def add(self, name, address, hardware, statements):
        """Adds a host; dhcpd keeps it in dhcpd.leases."""
        script = self._removals(name, address, hardware)
        script += ["new host", f'set name = "{name}"', f"set hardware-address = {hardware}",
                   "set hardware-type = 1", f"set dhcp-client-identifier = {hardware}"]
        if address:
            script.append(f"set ip-address = {address}")
        escaped = statements.replace('"', '\\"')
        script += [f'set statements = "{escaped}"', "create", "close"]
        return self._run(script)

    def remove(self, name, address, hardware):
        """Removes a host by each thing it is known by."""
        return self._run(self._removals(name, address, hardware))

    def query(self, name):
        """(address, hardware) of a host as dhcpd knows it, or None."""
        output = self._run(["new host", f'set name = "{name}"', "open", "close"])
        address = re.search(r"^ip-address = ((?:[0-9a-f]{2}:?){4})$", output, re.M)
        hardware = re.search(r"^hardware-address = (\S+)", output, re.M)
        if not address:
            return None
        dotted = ".".join(str(int(part, 16)) for part in address[1].split(":"))
        return dotted, hardware[1] if hardware else ""

    @staticmethod
    def _removals(name, address, hardware):
        script = ["new host", f'set name = "{name}"', "open", "remove", "close"]
        if address:
            script += ["new host", f"set ip-address = {address}", "open", "remove", "close"]
        if hardware:
            script += ["new host", f"set hardware-address = {hardware}", "open", "remove", "close"]
        return script

    def _run(self, script):
        try:
            return subprocess.run([_PATH], input="\n".join(self._start + script) + "\n",
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                  timeout=60, check=False).stdout
        except (OSError, subprocess.TimeoutExpired):
            return ""
