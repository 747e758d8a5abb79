"""xCAT's objects: which attribute of a node, site, network, osimage or policy is
which column (xCAT 2.19 man pages node(7), site(7), network(7), osimage(7), policy(7)).
"""
from . import schema

# attribute: (table, column), where the names differ or several tables are involved.
_NODE_PLAIN = {
    "nodelist": "groups status statustime appstatus appstatustime primarysn hidden "
                "updatestatus updatestatustime zonename",
    "hosts": "ip hostnames otherinterfaces",
    "mac": "mac interface",
    "nodetype": "os arch profile provmethod supportedarchs nodetype",
    "noderes": "servicenode netboot tftpserver tftpdir nfsserver monserver nfsdir installnic "
               "primarynic cmdinterface xcatmaster nimserver routenames nameservers proxydhcp "
               "syslog",
    "nodehm": "power mgt cons termserver termport conserver serialport serialspeed serialflow "
              "getmac consoleondemand consoleenabled",
    "ipmi": "bmc bmcport",
    "chain": "currstate currchain chain ondiscover",
    "bootparams": "kernel initrd kcmdline addkcmdline dhcpstatements adddhcpstatements",
    "postscripts": "postscripts postbootscripts",
    "nodepos": "rack chassis slot room height",
    "vpd": "serial mtm asset side uuid",
    "switch": "switch",
    "prescripts": "",
    "servicenode": "",
}
_NODE_RENAMED = {
    "usercomment": ("nodelist", "comments"),
    "bmcid": ("ipmi", "bmcid"), "bmcvlantag": ("ipmi", "taggedvlan"),
    "bmcusername": ("ipmi", "username"), "bmcpassword": ("ipmi", "password"),
    "unit": ("nodepos", "u"),
    "switchport": ("switch", "port"), "switchvlan": ("switch", "vlan"),
    "prescripts-begin": ("prescripts", "begin"), "prescripts-end": ("prescripts", "end"),
    "setupnameserver": ("servicenode", "nameserver"), "setupdhcp": ("servicenode", "dhcpserver"),
    "setuptftp": ("servicenode", "tftpserver"), "setupnfs": ("servicenode", "nfsserver"),
    "setupconserver": ("servicenode", "conserver"), "setupnim": ("servicenode", "nimserver"),
    "setupipforward": ("servicenode", "ipforward"), "setupntp": ("servicenode", "ntpserver"),
}
NODE = {name: (table, name) for table, names in _NODE_PLAIN.items() for name in names.split()}
NODE.update(_NODE_RENAMED)


def _of_table(table, key):
    plain = {name: (table, name) for name in schema.columns(table)
             if name not in (key, "comments", "disable")}
    plain["usercomment"] = (table, "comments")
    return plain


NETWORK = _of_table("networks", "netname")
POLICY = _of_table("policy", "priority")
_OSIMAGE_LINUX = {**_of_table("linuximage", "imagename"), **_of_table("osimage", "imagename")}
_OSIMAGE_NIM = {**_of_table("nimimage", "imagename"), **_of_table("osimage", "imagename")}

# object type: (table that lists the objects, its key column)
TYPES = {"node": ("nodelist", "node"), "network": ("networks", "netname"),
         "osimage": ("osimage", "imagename"), "policy": ("policy", "priority"),
         "site": ("site", "key")}
SITE_OBJECT = "clustersite"


def attributes(kind, values=None):
    """{attribute: (table, column)} of an object type.

    An osimage's further attributes depend on its imagetype, taken from `values`.
    """
    if kind == "osimage":
        return _OSIMAGE_NIM if (values or {}).get("imagetype") == "NIM" else _OSIMAGE_LINUX
    return {"node": NODE, "network": NETWORK, "policy": POLICY}[kind]


def names_of(kind, cluster):
    """All objects of a type, in table order."""
    if kind == "site":
        return [SITE_OBJECT]
    table, key = TYPES[kind]
    return [row[key] for row in cluster.rows(table)]


def values_of(kind, names, cluster):
    """{object: {attribute: value}} with the set attributes of each object."""
    if kind == "site":
        return {SITE_OBJECT: {row["key"]: row["value"] for row in cluster.rows("site")
                              if row["value"] is not None}}
    if kind == "node":
        return _node_values(names, cluster)
    return {name: _plain_values(kind, name, cluster) for name in names}


def _plain_values(kind, name, cluster):
    key = TYPES[kind][1]
    rows = {}
    for table in {table for table, _ in attributes(kind, None).values()} | \
            ({"nimimage"} if kind == "osimage" else set()):
        for row in cluster.rows(table):
            if row[key] == name:
                rows[table] = row
    image_type = rows.get("osimage", {}).get("imagetype") if kind == "osimage" else None
    found = {}
    for attribute, (table, column) in attributes(kind, {"imagetype": image_type}).items():
        value = rows.get(table, {}).get(column)
        if value is not None:
            found[attribute] = value
    return found


def _node_values(names, cluster):
    by_table = {table: cluster.attributes(table, names)
                for table in sorted({table for table, _ in NODE.values()})}
    found = {}
    for name in names:
        values = {}
        for attribute, (table, column) in NODE.items():
            value = by_table[table][name].get(column)
            if value is not None:
                values[attribute] = value
        for attribute in ("postscripts", "postbootscripts"):
            _add_defaults(values, attribute, cluster)
        found[name] = values
    return found


def _add_defaults(values, attribute, cluster):
    """postscripts.xcatdefaults come first (capture mkdef_nodes)."""
    for row in cluster.rows("postscripts"):
        if row["node"] == "xcatdefaults" and row[attribute]:
            own = values.get(attribute)
            values[attribute] = f"{row[attribute]},{own}" if own else row[attribute]


def changes(kind, name, values):
    """{table: {column: value}} that set `values`; unknown attributes must be gone already."""
    found = {}
    known = attributes(kind, values)
    for attribute, value in values.items():
        table, column = known[attribute]
        found.setdefault(table, {})[column] = value if value != "" else None
    return found
