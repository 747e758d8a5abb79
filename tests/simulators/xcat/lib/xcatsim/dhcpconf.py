"""dhcpd.conf as makedhcp writes it (capture makedhcp_files, line by line; source dhcp.pm)."""
import ipaddress
import os
import re

from . import network

CONF = "/etc/dhcp/dhcpd.conf"
DEFAULTS = "/etc/default/isc-dhcp-server"

_HEAD = """\
#xCAT generated dhcp configuration

option conf-file code 209 = text;
option space isan;
option isan-encap-opts code 43 = encapsulate isan;
option isan.iqn code 203 = string;
option isan.root-path code 201 = string;
option space gpxe;
option gpxe-encap-opts code 175 = encapsulate gpxe;
option gpxe.bus-id code 177 = string;
option user-class-identifier code 77 = string;
option gpxe.no-pxedhcp code 176 = unsigned integer 8;
option tcode code 101 = text;
option iscsi-initiator-iqn code 203 = string;
ddns-update-style interim;
ignore client-updates;
option client-architecture code 93 = unsigned integer 16;
option tcode "{timezone}";
option gpxe.no-pxedhcp 1;
option www-server code 114 = string;
option cumulus-provision-url code 239 = text;

omapi-port 7911;
key xcat_key {{
  algorithm hmac-md5;
  secret "{secret}";
}};
omapi-key xcat_key;
class "pxe" {{
   match if substring (option vendor-class-identifier, 0, 9) = "PXEClient";
   ddns-updates off;
    max-lease-time 600;
}}
"""

_BOOT = """\
    if option user-class-identifier = "xNBA" and option client-architecture = 00:00 {{ #x86, xCAT Network Boot Agent
        always-broadcast on;
        filename = "http://{tftp}/tftpboot/xcat/xnba/nets/{net}";
    }} else if option user-class-identifier = "xNBA" and option client-architecture = 00:09 {{ #x86, xCAT Network Boot Agent
        filename = "http://{tftp}/tftpboot/xcat/xnba/nets/{net}.uefi";
    }} else if option user-class-identifier = "xNBA" and option client-architecture = 00:07 {{ #x86-64 UEFI, xCAT Network Boot Agent
        filename = "http://{tftp}/tftpboot/xcat/xnba/nets/{net}.uefi";
    }} else if option client-architecture = 00:00  {{ #x86
        filename "xcat/xnba.kpxe";
    }} else if option vendor-class-identifier = "Etherboot-5.4"  {{ #x86
        filename "xcat/xnba.kpxe";
    }} else if option client-architecture = 00:07 {{ #x86_64 uefi
         filename "xcat/xnba.efi";
    }} else if option client-architecture = 00:09 {{ #x86_64 uefi alternative id
         filename "xcat/xnba.efi";
    }} else if option client-architecture = 00:02 {{ #ia64
         filename "elilo.efi";
    }} else if option client-architecture = 00:0b {{ #aaarch64
       filename "boot/grub2/grub2.aarch64";
    }} else if option client-architecture = 00:0e {{ #OPAL-v3
         option conf-file = "http://{tftp}/tftpboot/pxelinux.cfg/p/{net}";
    }} else if substring (option vendor-class-identifier,0,11) = "onie_vendor" {{ #for onie on cumulus switch
        option www-server = "http://{tftp}/install/onie/onie-installer";
    }} else if substring(filename,0,1) = null {{ #otherwise, provide yaboot if the client isn't specific
         filename "/yaboot";
    }}
"""


def read():
    """The lines of the existing file; [] if it is not xCAT's own."""
    if not os.path.exists(CONF):
        return []
    with open(CONF, encoding="utf-8") as file:
        lines = file.readlines()
    return lines if lines and lines[0].startswith("#xCAT") else []


def write(lines):
    """Writes the file in place (open '>', not atomic), readable by all."""
    with open(CONF, "w", encoding="utf-8") as file:
        file.writelines(lines)
    os.chmod(CONF, 0o644)


def active_nics(cluster):
    """NICs to serve: site.dhcpinterfaces, else every one with a usual name and a network."""
    configured = cluster.site("dhcpinterfaces")
    if configured:
        found = []
        for part in configured.split(";"):
            host, _, names = part.rpartition("|")
            if not host or network.is_local(host):
                found += re.split(r"[,\s]+", names)
        return found
    usual = re.compile(r"ipoib|ib|vlan|bond|eth|myri|man|wlan|en\S*\d+|em\S*\d+")
    return list(dict.fromkeys(nic for nic, _ in network.connected_networks() if usual.search(nic)))


def set_interfaces(nics):
    """Replaces every line that starts with INTERFACES, or appends one.

    Debian's file has INTERFACESv4 and INTERFACESv6, which is why two equal lines
    are left (captures makedhcp_files, fo5).
    """
    if not os.path.exists(DEFAULTS):
        return
    with open(DEFAULTS, encoding="utf-8") as file:
        lines = file.readlines()
    wanted = f'INTERFACES="{" ".join(nics)}"\n'
    lines = [wanted if line.startswith("INTERFACES") else line for line in lines]
    if wanted not in lines:
        lines.append(wanted)
    with open(DEFAULTS, "w", encoding="utf-8") as file:
        file.writelines(lines)


def new_file(nics, secret, cluster):
    """The head and an empty section per NIC."""
    text = _HEAD.format(secret=secret, timezone=cluster.site("timezone") or "Universal")
    for nic in nics:
        text += f"shared-network {nic} {{\n}} # {nic} nic_end\n"
    return text.splitlines(keepends=True)


def add_network(lines, nic, net, cluster, reply):
    """Adds the subnet to its NIC's section; False if it is there already."""
    mask = str(net.netmask)
    if any(f"}} # {net.network_address}/{mask} subnet_end" in line for line in lines):
        return False
    end = f"}} # {nic} nic_end\n"
    if end not in lines:
        reply.error(f"Could not add the subnet {net.network_address} for interface {nic} into "
                    f"{CONF}.\nPlease verify the xCAT database matches networks defined on this "
                    "system.")
        return False
    index = lines.index(end)
    lines[index:index] = _Subnet(net, cluster, reply).text().splitlines(keepends=True)
    return True


def without_empty_sections(lines):
    """NICs without a subnet are not written out."""
    kept, skip = [], False
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("shared-network") and following.startswith("} #"):
            skip = True
            continue
        if skip:
            skip = False
            continue
        kept.append(line)
    return kept


class _Subnet:
    """One subnet declaration; every "my address" in it is the FIRST one of the NIC."""

    def __init__(self, net, cluster, reply):
        self.net, self.cluster, self.reply = net, cluster, reply
        self.row = next((row for row, n in network.networks_of(cluster) if n == net), {})
        self.mine = network.facing(str(net.network_address)) or ""
        self.domain = (self.row.get("domain") or cluster.site("domain") or "").lstrip(".")

    def _value(self, column, default=None):
        value = self.row.get(column) or self.cluster.site(column) or default or ""
        return value.replace("<xcatmaster>", self.mine)

    def text(self):
        """The whole declaration."""
        lease = self.cluster.site("dhcplease") or "43200"
        lines = [f"  subnet {self.net.network_address} netmask {self.net.netmask} {{",
                 "    authoritative;", f"    max-lease-time {lease};",
                 f"    min-lease-time {lease};", f"    default-lease-time {lease};"]
        lines += self._options()
        lines += self._zones()
        name = f"{self.net.network_address}_{self.net.prefixlen}"
        lines += [_BOOT.format(tftp=self._tftp(), net=name).rstrip("\n")]
        lines += self._range()
        lines.append(f"  }} # {self.net.network_address}/{self.net.netmask} subnet_end")
        return "\n".join(lines) + "\n"

    def _tftp(self):
        return (self.row.get("tftpserver") or self.mine).replace("<xcatmaster>", self.mine)

    def _options(self):
        lines = []
        gateway = (self.row.get("gateway") or "").replace("<xcatmaster>", "")
        if gateway and ipaddress.ip_address(gateway) in self.net:
            lines.append(f"    option routers  {gateway};")
        elif gateway:
            self.reply.error(f"Specified gateway {gateway} is not valid for "
                             f"{self.net.network_address}/{self.net.netmask}, must be on same "
                             "network")
        servers = self._value("nameservers")
        lines += [f"    next-server  {self._tftp()};",
                  f"    option log-servers {self._value('logservers', self.mine)};",
                  f"    option ntp-servers {self._value('ntpservers', self.mine)};"]
        if servers:
            lines += [f'    option domain-name "{self.domain}";',
                      f"    option domain-name-servers  {servers};"]
        if self.row.get("mtu"):
            lines.append(f"    option interface-mtu {self.row['mtu']};")
        if self.domain:
            lines.append(f"    option domain-search  {self._search()};")
        lines.append('    option cumulus-provision-url '
                     f'"http://{self._tftp()}/install/postscripts/cumulusztp";')
        return lines

    def _search(self):
        others = [row["domain"] for row, _ in network.networks_of(self.cluster) if row["domain"]]
        found = dict.fromkeys([self.domain] + others + [self.cluster.site("domain") or ""])
        return ", ".join(f'"{domain}"' for domain in found if domain)

    def _zones(self):
        server = self._value("nameservers").split(",")[0]
        if "ddns" not in (self.cluster.site("dnshandler") or "") or not server:
            return []
        lines = []
        for zone in [f"{self.row.get('ddnsdomain') or self.domain}."] + \
                network.reverse_zone(self.net):
            lines += [f"    zone {zone} {{", f"       primary {server}; key xcat_key; ", "    }"]
        return lines

    def _range(self):
        wanted = self.row.get("dynamicrange")
        if not wanted:
            self.reply.warning(f"No dynamic range specified for {self.net.network_address}. If "
                               "hardware discovery is being used, a dynamic range is required.")
            return []
        return [f"    range dynamic-bootp {re.sub('[,-]', ' ', part)};"
                for part in wanted.split(";")]
