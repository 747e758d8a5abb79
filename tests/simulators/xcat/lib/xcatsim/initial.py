"""The rows xcatconfig puts into a new database (capture tabdump_all_initial)."""

# Order as in the capture; MASTER and DOMAIN are replaced.
_SITE = """blademaxp 64
domain DOMAIN
fsptimeout 0
installdir /install
ipmimaxp 64
ipmiretries 3
ipmitimeout 2
consoleondemand no
master MASTER
nameservers MASTER
maxssh 8
ppcmaxp 64
ppcretry 3
ppctimeout 0
powerinterval 0
syspowerinterval 0
sharedtftp 1
SNsyncfiledir /var/xcat/syncfiles
nodesyncfiledir /var/xcat/node/syncfiles
tftpdir /tftpboot
xcatdport 3001
xcatiport 3002
xcatconfdir /etc/xcat
timezone Universal
useNmapfromMN no
enableASMI no
db2installloc /mntdb2
databaseloc /var/lib
sshbetweennodes ALLGROUPS
dnshandler ddns
vsftp n
cleanupxcatpost no
cleanupdiskfullxcatpost no
dhcplease 43200
auditnosyslog 0
xcattlspolicy modern
auditskipcmds ALL"""

_POLICY = (("1", "root", None, "allow"), ("1.2", "HOST", None, "trusted"),
           ("2", None, "getbmcconfig", "allow"), ("2.1", None, "remoteimmsetup", "allow"),
           ("2.3", None, "lsxcatd", "allow"), ("3", None, "nextdestiny", "allow"),
           ("4", None, "getdestiny", "allow"), ("4.4", None, "getpostscript", "allow"),
           ("4.5", None, "getcredentials", "allow"), ("4.6", None, "syncfiles", "allow"),
           ("4.7", None, "litefile", "allow"), ("4.8", None, "litetree", "allow"),
           ("4.9", None, "getadapter", "allow"))


def site(master, domain):
    """The rows of the site table."""
    rows = []
    for line in _SITE.splitlines():
        key, value = line.split(" ", 1)
        rows.append({"key": key, "value": value.replace("MASTER", master)
                     .replace("DOMAIN", domain)})
    return rows


def policy(host):
    """The rows of the policy table; `host` is the CN of the server certificate."""
    return [{"priority": priority, "name": host if name == "HOST" else name,
             "commands": commands, "rule": rule} for priority, name, commands, rule in _POLICY]


def postscripts():
    """The two default rows."""
    return [{"node": "xcatdefaults", "postscripts": "syslog,remoteshell,syncfiles",
             "postbootscripts": "otherpkgs"},
            {"node": "service", "postscripts": "servicenode"}]


def notification():
    """The one default row."""
    return [{"filename": "montbhandler.pm", "tables": "monsetting", "tableops": "a,u,d"}]


def network(nic, net, gateway):
    """The row makenetworks adds for one connected network."""
    address, mask = str(net.network_address), str(net.netmask)
    return {"netname": f"{address}-{mask}".replace(".", "_"), "net": address, "mask": mask,
            "mgtifname": nic, "gateway": gateway, "tftpserver": "<xcatmaster>", "mtu": "1500"}


def all_tables(host, master, domain, networks):
    """{table: rows} of a new installation."""
    return {"site": site(master, domain), "policy": policy(host), "postscripts": postscripts(),
            "notification": notification(), "networks": networks}
