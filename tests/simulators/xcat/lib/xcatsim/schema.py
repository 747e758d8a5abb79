"""xCAT's tables: columns, keys and the SQL that creates them.

Columns in tabdump's header order.  Checked against xCAT 2.19: headers in the
captures tabdump_* and where_is_mn_ip, and for the empty tables the byte counts
of their CSV files in capture dumpxCATdb (tests/test_schema.py repeats that
check, so a wrong column shows).  Form of the SQL: capture sqlite_fds.
Every table ends in "comments" and "disable"; those two are added here.
"""

# Columns of these (always empty here) tables are not known for certain.
UNSURE = ("taskstate", "zvm", "zvmivp")

# Tables whose key columns are not simply the leading ones.
_KEYS = {"deps": ("node", "cmd")}

# table: (leading key columns, other columns); "comments disable" follow.
_TABLES = {
    "auditlog": ("recid", "audittime userid clientname clienttype command noderange args status"),
    "bootparams": ("node", "kernel initrd kcmdline addkcmdline dhcpstatements adddhcpstatements"),
    "boottarget": ("bprofile", "kernel initrd kcmdline"),
    "cfgmgt": ("node", "cfgmgr cfgserver roles"),
    "chain": ("node", "currstate currchain chain ondiscover"),
    "deps": ("node", "nodedep msdelay cmd"),
    "discoverydata": ("uuid", "node method discoverytime arch cpucount cputype memory mtm serial "
                      "nicdriver nicipv4 nichwaddr nicpci nicloc niconboard nicfirm switchname "
                      "switchaddr switchdesc switchport otherdata"),
    "domain": ("node", "ou authdomain adminuser adminpassword type"),
    "eventlog": ("recid", "eventtime eventtype monitor monnode node application component id "
                 "severity message rawdata"),
    "firmware": ("node", "cfgfile"),
    "hosts": ("node", "ip hostnames otherinterfaces"),
    "hwinv": ("node", "cputype cpucount memory disksize"),
    "hypervisor": ("node", "type mgr interface netmap defaultnet cluster datacenter preferdirect"),
    "ipmi": ("node", "bmc bmcport taggedvlan bmcid username password"),
    "iscsi": ("node", "server target lun iname file userid passwd kernel kcmdline initrd"),
    "kit": ("kitname", "basename description version release ostype isinternal "
            "kitdeployparams kitdir"),
    "kitcomponent": ("kitcompname", "description kitname kitreponame basename version release "
                     "serverroles kitpkgdeps prerequisite driverpacks kitcompdeps "
                     "postbootscripts genimage_postinstall exlist"),
    "kitrepo": ("kitreponame", "kitname osbasename osmajorversion osminorversion osarch "
                "compat_osbasenames kitrepodir"),
    "kvm_masterdata": ("name", "xml"),
    "kvm_nodedata": ("node", "xml"),
    "linuximage": ("imagename", "template boottarget addkcmdline pkglist pkgdir otherpkglist "
                   "otherpkgdir exlist postinstall rootimgdir kerneldir nodebootif otherifce "
                   "netdrivers kernelver krpmver permission dump crashkernelsize partitionfile "
                   "driverupdatesrc"),
    "litefile": ("image file", "options"),
    "litetree": ("priority", "image directory mntopts"),
    "mac": ("node", "interface mac"),
    "mic": ("node", "host id nodetype bridge onboot vlog powermgt"),
    "monitoring": ("name", "nodestatmon"),
    "monsetting": ("name key", "value"),
    "mp": ("node", "mpa id nodetype"),
    "mpa": ("mpa username", "password displayname slots urlpath"),
    "networks": ("netname", "net mask mgtifname gateway dhcpserver tftpserver nameservers "
                 "ntpservers logservers dynamicrange staticrange staticrangeincrement "
                 "nodehostname ddnsdomain vlanid domain mtu"),
    "nics": ("node", "nicips nichostnamesuffixes nichostnameprefixes nictypes niccustomscripts "
             "nicnetworks nicaliases nicextraparams nicdevices nicsadapter"),
    "nimimage": ("imagename", "nimtype lpp_source spot root dump paging resolv_conf tmp home "
                 "shared_home res_group nimmethod script bosinst_data installp_bundle mksysb "
                 "fb_script shared_root otherpkgs image_data configdump"),
    "nodegroup": ("groupname", "grouptype members membergroups wherevals"),
    "nodehm": ("node", "power mgt cons termserver termport conserver serialport serialspeed "
               "serialflow getmac cmdmapping consoleondemand consoleenabled"),
    "nodelist": ("node", "groups status statustime appstatus appstatustime primarysn hidden "
                 "updatestatus updatestatustime zonename"),
    "nodepos": ("node", "rack u chassis slot room height"),
    "noderes": ("node", "servicenode netboot tftpserver tftpdir nfsserver monserver nfsdir "
                "installnic primarynic discoverynics cmdinterface xcatmaster current_osimage "
                "next_osimage nimserver routenames nameservers proxydhcp syslog"),
    "nodetype": ("node", "os arch profile provmethod supportedarchs nodetype"),
    "notification": ("filename", "tables tableops"),
    "openbmc": ("node", "bmc consport taggedvlan username password"),
    "osdistro": ("osdistroname", "basename majorversion minorversion arch type dirpaths"),
    "osdistroupdate": ("osupdatename", "osdistroname dirpath downloadtime"),
    "osimage": ("imagename", "groups profile imagetype description provmethod rootfstype "
                "nfsrootopts osdistroname osupdatename cfmdir osname osvers osarch synclists "
                "postscripts postbootscripts serverrole isdeletable kitcomponents environvar"),
    "passwd": ("key username", "password cryptmethod authdomain"),
    "pdu": ("node", "nodetype pdutype outlet username password snmpversion community snmpuser "
            "authtype authkey privtype privkey seclevel"),
    "pduoutlet": ("node", "pdu"),
    "performance": ("timestamp node attrname", "attrvalue"),
    "policy": ("priority", "name host commands noderange parameters time rule"),
    "postscripts": ("node", "postscripts postbootscripts"),
    "ppc": ("node", "hcp id pprofile parent nodetype supernode sfp"),
    "ppcdirect": ("hcp username", "password"),
    "ppchcp": ("hcp", "username password"),
    "prescripts": ("node", "begin end"),
    "prodkey": ("node product", "key"),
    "rack": ("rackname", "displayname num height room"),
    "routes": ("routename", "net mask gateway ifname"),
    "servicenode": ("node", "nameserver dhcpserver tftpserver nfsserver conserver monserver "
                    "ldapserver ntpserver ftpserver nimserver ipforward dhcpinterfaces "
                    "proxydhcp"),
    "site": ("key", "value"),
    "statelite": ("node", "image statemnt mntopts"),
    "storage": ("node", "osvolume size state storagepool hypervisor fcprange volumetag type "
                "controller"),
    "switch": ("node switch port", "vlan interface"),
    "switches": ("switch", "snmpversion username password privacy auth linkports sshusername "
                 "sshpassword protocol switchtype"),
    "taskstate": ("node", "command state pid reqid"),
    "token": ("tokenid", "username expire created access"),
    "virtsd": ("node", "sdtype stype location host cluster datacenter"),
    "vm": ("node", "mgr host migrationdest storage storagemodel storagecache storageformat "
           "cfgstore memory cpus nics nicmodel bootorder clockoffset virtflags master vncport "
           "textconsole powerstate beacon datacenter cluster guestostype othersettings physlots "
           "vidmodel vidproto vidpassword"),
    "vmmaster": ("name", "os arch profile storage storagemodel nics vintage originator virttype "
                 "specializeparameters"),
    "vpd": ("node", "serial mtm side asset uuid"),
    "websrv": ("node", "port username password"),
    "winimage": ("imagename", "template installto partitionfile winpepath"),
    "zone": ("zonename", "sshkeydir sshbetweennodes defaultzone"),
    "zvm": ("node", "hcp userid nodetype parent discovered status"),
    "zvmivp": ("id", "ip schedule last_run type_of_run access_user orch_parms prep_parms "
               "main_parms"),
}


TABLES = sorted(_TABLES)


def columns(table):
    """All columns of `table` in tabdump's order; KeyError if xCAT has no such table."""
    keys, others = _TABLES[table]
    return keys.split() + others.split() + ["comments", "disable"]


def keys(table):
    """The columns of the primary key."""
    return list(_KEYS.get(table) or _TABLES[table][0].split())


def create_sql(table):
    """The CREATE TABLE statement as xCAT writes it (capture sqlite_fds)."""
    key_columns = keys(table)
    lines = [f"  {quote(name)} {'VARCHAR(128) ' if name in key_columns else 'TEXT'},"
             for name in columns(table)]
    lines.append(f"  PRIMARY KEY ({', '.join(quote(name) for name in key_columns)})")
    return f"CREATE TABLE {quote(table)} (\n" + "\n".join(lines) + "\n)"


def quote(name):
    """A column or table name that is an SQL keyword must be quoted; others stay bare."""
    return f'"{name}"' if name.upper() in _SQL_WORDS else name


# SQLite 3.40 parses every other column name of xCAT's bare.
_SQL_WORDS = {"BEGIN", "END", "GROUP", "ORDER", "TABLE", "INDEX"}
