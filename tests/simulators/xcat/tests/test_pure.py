"""What needs no host: grammars, formats, rules."""
import ipaddress
import os
import sqlite3
import tempfile
import unittest

import pure  # noqa: F401  makes xcatsim importable
from xcatsim import cfgloc, network, noderange, nodes, policy, wire, zones
from xcatsim.commands import tabfiles
from xcatsim.commands.makehosts import line_for
from xcatsim.tables import DirectTables, TableError

NODES = [f"n{number:03d}" for number in range(1, 6)] + ["rack1-a"]
GROUPS = {"all": NODES, "odd": ["n001", "n003", "n005"]}


class NoderangeTest(unittest.TestCase):
    """The grammar of noderange(3)."""

    def test_expands_every_form(self):
        for text, expected in (
                ("n001", "n001"), ("n001,n003", "n001 n003"), ("n[001-003]", "n001 n002 n003"),
                ("n001-n003", "n001 n002 n003"), ("n001+2", "n001 n002 n003"),
                ("odd", "n001 n003 n005"), ("all,-odd", "n002 n004 rack1-a"),
                ("odd@n[001-003]", "n001 n003"), ("/n00[12]", "n001 n002"),
                ("rack1-a", "rack1-a"), ("n003,n001,n003", "n003 n001")):
            self.assertEqual((expected.split(), []), noderange.expand(text, NODES, GROUPS), text)

    def test_names_what_does_not_exist(self):
        self.assertEqual(([], ["cn"]), noderange.expand("cn", NODES, GROUPS))
        self.assertEqual((["n005"], ["n006"]), noderange.expand("n[005-006]", NODES, GROUPS))

    def test_makes_new_names_when_told_that_none_are_defined(self):
        self.assertEqual((["cn1", "cn2"], []), noderange.expand("cn[1-2]", None, {}))


class AttributeTest(unittest.TestCase):
    """Group values and computed values."""

    def test_computes_values_from_the_node_name(self):
        expression = "|\\D+(\\d+)|10.1.1.($1+0)|"
        self.assertEqual("10.1.1.7", nodes.evaluate(expression, "cn007"))
        self.assertEqual("plain", nodes.evaluate("plain", "cn1"))

    def test_a_group_gives_what_the_node_lacks(self):
        class Tables:
            def rows(self, table):
                return {"nodelist": [{"node": "n1", "groups": "a,b"}],
                        "noderes": [{"node": "n1", "netboot": None, "xcatmaster": "m1"},
                                    {"node": "a", "netboot": "xnba", "xcatmaster": "m2"},
                                    {"node": "b", "netboot": "pxe", "xcatmaster": "m3"}]}[table]
        row = nodes.Cluster(Tables()).attributes("noderes", ["n1"])["n1"]
        self.assertEqual(("xnba", "m1"), (row["netboot"], row["xcatmaster"]))


class CfglocTest(unittest.TestCase):
    """Which database is used, and what lsxcatd -d says of it."""

    def test_the_environment_comes_first(self):
        self.assertEqual("/tmp/x", cfgloc.database({"XCATCFG": "/tmp/x"}).directory)
        self.assertEqual("/tmp/y", cfgloc.database({"XCATCFG": "SQLite:/tmp/y"}).directory)

    def test_reports_a_server_without_its_password(self):
        database = cfgloc.Database("Pg:dbname=xcatdb;host=10.1.0.1|xcatadm|secret")
        self.assertEqual(["cfgloc=Pg:dbname=xcatdb;host=10.1.0.1|xcatadm", "dbengine=Pg",
                          "dbname=xcatdb", "dbhost=10.1.0.1", "dbadmin=xcatadm"],
                         database.report())


class FormatTest(unittest.TestCase):
    """CSV, XML, hosts lines, zones."""

    def test_csv_keeps_empty_and_absent_apart(self):
        rows = [["a", None, "", 'say "x"', "two\nlines"]]
        text = 'a,,"","say ""x""","two\nlines"\n'
        self.assertEqual(rows, list(tabfiles.parse_csv(text)))

    def test_messages_survive_the_wire(self):
        message = {"node": [{"name": ["n1"], "data": ["<a> & \x1b b"]}], "errorcode": ["1"]}
        document = wire.encode(wire.RESPONSE, message)
        parts = iter([document[:10], document[10:] + document, b""])
        received = [wire.decode(d) for d in wire.read_documents(lambda: next(parts), wire.RESPONSE)]
        self.assertEqual([message, message], received)

    def test_host_lines_end_in_a_blank(self):
        self.assertEqual("10.1.1.1 cn1 cn1.d \n", line_for("cn1", "10.1.1.1", "", "d"))
        self.assertEqual("10.1.1.1 cn1 cn1.d x\n", line_for("cn1", "10.1.1.1", "cn1,x", "d"))

    def test_reverse_zones_are_cut_at_whole_octets(self):
        for text, zone in (("10.1.0.0/16", "1.10.IN-ADDR.ARPA."), ("10.1.2.0/24",
                           "2.1.10.IN-ADDR.ARPA."), ("10.1.2.128/25", "2.1.10.IN-ADDR.ARPA."),
                           ("10.0.0.0/8", "10.IN-ADDR.ARPA.")):
            self.assertEqual([zone], network.reverse_zone(ipaddress.ip_network(text)))
        self.assertEqual(4, len(network.reverse_zone(ipaddress.ip_network("10.1.4.0/22"))))
        self.assertEqual("db.10.1", zones.file_name("1.10.IN-ADDR.ARPA."))


class PolicyTest(unittest.TestCase):
    """The rules of policy(5)."""

    def allows(self, rows, user, command):
        class Cluster:
            def rows(self, table):
                if rows is None:
                    raise TableError("gone")
                return [{**dict.fromkeys(("name", "commands", "parameters", "noderange")), **row}
                        for row in rows]
        return policy.allows(Cluster(), user, command, [], "")

    def test_the_lowest_priority_that_matches_decides(self):
        rows = [{"priority": "10", "rule": "allow"}, {"priority": "2", "name": "root",
                                                      "rule": "deny"}]
        self.assertFalse(self.allows(rows, "root", "tabdump"))
        self.assertTrue(self.allows(rows, "other", "tabdump"))

    def test_nobody_may_do_anything_without_a_policy(self):
        self.assertFalse(self.allows([], "root", "tabdump"))
        self.assertFalse(self.allows(None, "root", "tabdump"))

    def test_a_star_needs_a_certificate(self):
        rows = [{"priority": "1", "name": "*", "rule": "allow"}]
        self.assertFalse(self.allows(rows, None, "tabdump"))
        self.assertTrue(self.allows(rows, "any", "tabdump"))


class TablesTest(unittest.TestCase):
    """Direct access to the files."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.tables = DirectTables(self.directory.name)
        self.addCleanup(self.tables.close)

    def test_files_are_private_and_without_a_log(self):
        self.tables.put("site", {"key": "a"}, {"value": "1"})
        path = f"{self.directory.name}/site.sqlite"
        self.assertEqual(0o600, os.stat(path).st_mode & 0o777)
        with sqlite3.connect(path) as connection:
            self.assertEqual("delete", connection.execute("PRAGMA journal_mode").fetchone()[0])

    def test_put_updates_or_inserts(self):
        self.tables.put("site", {"key": "a"}, {"value": "1"})
        self.tables.put("site", {"key": "a"}, {"value": "2"})
        self.tables.put("site", {"key": "b"}, {"value": "3"})
        found = {row["key"]: row["value"] for row in self.tables.rows("site")}
        self.assertEqual({"a": "2", "b": "3"}, found)

    def test_a_failed_batch_leaves_nothing(self):
        with self.assertRaises(TableError):
            self.tables.put_many("site", [({"key": "a"}, {"value": "1"}),
                                          ({"key": "b"}, {"nosuch": "1"})])
        self.assertEqual([], self.tables.rows("site"))

    def test_adds_missing_columns(self):
        path = f"{self.directory.name}/mac.sqlite"
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE mac (node VARCHAR(128), PRIMARY KEY (node))")
        self.tables.put("mac", {"node": "n1"}, {"mac": "02:00"})
        self.assertEqual("02:00", self.tables.rows("mac")[0]["mac"])


if __name__ == "__main__":
    unittest.main()
