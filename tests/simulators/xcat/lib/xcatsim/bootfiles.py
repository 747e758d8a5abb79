"""The files nodeset writes for one node (captures nodeset_*, autoinst_n001_mnip; source xnba.pm).

install: the MN's address stands literally in the boot script and eight times in
the kickstart file; netboot: ${next-server} instead, unless noderes names servers.
"""
import os

SCRIPTS = "/tftpboot/xcat/xnba/nodes"
AUTOINST = "/install/autoinst"
_SUFFIXES = ("", ".uefi", ".elilo", ".pxelinux")

# Line number: text, as "grep -n" shows them in capture autoinst_n001_mnip.
_KICKSTART = {
    65: 'export MASTER_IP="{master}"',
    137: "sock.connect(('{master}',{port}))",
    157: "sock.connect(('{master}',{port}))",
    695: 'export MASTER_IP="{master}"',
    696: 'export MASTER="{master}"',
    2568: "baseurl=http://{server}:80//{pkgdir}/BaseOS",
    2574: "baseurl=http://{server}:80//{pkgdir}/AppStream",
    2610: '[ "$MASTER_IP" ] || export MASTER_IP="{master}"',
}
_KICKSTART_LINES = 2640


class Boot:
    """What a node shall boot: its state, kernel, initrd and command line."""

    def __init__(self, state, image="", kernel="", initrd="", line=""):
        self.state, self.image, self.kernel, self.initrd = state, image, kernel, initrd
        self.line = line  # !myipfn! stands for the server as the boot loader knows it


def remove(node):
    """No boot files: the node counts as offline."""
    for suffix in _SUFFIXES:
        path = f"{SCRIPTS}/{node}{suffix}"
        if os.path.exists(path):
            os.unlink(path)


def write(node, boot):
    """Writes the scripts for BIOS (xnba) and UEFI (elilo) machines."""
    os.makedirs(SCRIPTS, exist_ok=True)
    if not boot.kernel:
        text = f"#!gpxe\n#{boot.state}\nexit\n"
        _put(node, "", text)
        _put(node, ".uefi", text)
        return
    where = f"xcat/osimage/{boot.image}"
    url = "http://${next-server}/tftpboot/" + where
    line = boot.line.replace("!myipfn!", "${next-server}")
    _put(node, "", f"#!gpxe\n#{boot.state}\nimgfetch -n kernel {url}/{boot.kernel}\n"
         f"imgload kernel\nimgargs kernel {line}BOOTIF=01-${{netX/mac:hexhyp}}\n"
         f"imgfetch -n initrd {url}/{boot.initrd}\nimgexec kernel\n")
    _put(node, ".uefi", "#!gpxe\nchain http://${next-server}/tftpboot/xcat/elilo-x64.efi -C "
         f"/tftpboot/xcat/xnba/nodes/{node}.elilo\n")
    line = boot.line.replace("!myipfn!", "%N")
    _put(node, ".elilo", 'default="xCAT"\ndelay=0\n\n'
         f'image=/tftpboot/{where}/{boot.kernel}\n   label="xCAT"\n'
         f'   initrd=/tftpboot/{where}/{boot.initrd}\n   append="{line}BOOTIF=%B"\n')


def _put(node, suffix, text):
    with open(f"{SCRIPTS}/{node}{suffix}", "w", encoding="utf-8") as file:
        file.write(text)


def state_of(node):
    """What "nodeset stat" says: the comment of the script; "offline" without one."""
    try:
        with open(f"{SCRIPTS}/{node}", encoding="utf-8") as file:
            file.readline()
            return file.readline().lstrip("#").strip()
    except OSError:
        return "offline"


def write_kickstart(node, master, server, port, pkgdir):
    """/install/autoinst/<node>, with filler between the lines that hold addresses."""
    os.makedirs(AUTOINST, exist_ok=True)
    lines = [f"# {node} kickstart {number}" for number in range(1, _KICKSTART_LINES + 1)]
    for number, text in _KICKSTART.items():
        lines[number - 1] = text.format(master=master, server=server, port=port,
                                        pkgdir=pkgdir.lstrip("/"))
    with open(f"{AUTOINST}/{node}", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
