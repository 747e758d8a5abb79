"""The tables against what the captures say of them."""
import re
import unittest

import pure  # noqa: F401  makes xcatsim importable
from transcripts import Transcript
from xcatsim import initial, schema


class SchemaTest(unittest.TestCase):
    """Columns, keys and initial rows."""

    def test_has_the_tables_of_a_real_database(self):
        names = re.findall(r"^ public \| (\w+)", Transcript("pg_schema").out, re.M)
        self.assertEqual(sorted(names), schema.TABLES)

    def test_empty_tables_dump_to_as_many_bytes_as_the_real_ones(self):
        sizes = dict(re.findall(r"^-\S+ 1 root root +(\d+) .* (\w+)\.csv$",
                                Transcript("dumpxCATdb").out, re.M))
        sizes = {name: int(size) for size, name in sizes.items()}
        filled = {"site", "policy", "postscripts", "notification", "networks", "passwd", "osimage",
                  "linuximage", "nimimage", "nodelist", "noderes", "nodetype", "nodehm", "hosts",
                  "mac", "ipmi", "chain"}
        for table in set(sizes) - filled - set(schema.UNSURE):
            header = "#" + ",".join(schema.columns(table)) + "\n"
            self.assertEqual(sizes[table], len(header), table)

    def test_headers_of_the_other_tables_are_those_of_the_captures(self):
        headers = set()
        for name in ("tabdump_bootparams_chain", "tabdump_nimimage", "makedns_files",
                     "tabdump_site"):
            headers |= set(re.findall(r"^#(\w+(?:,\w+)+)$", Transcript(name).out, re.M))
        mine = {",".join(schema.columns(table)) for table in schema.TABLES}
        self.assertEqual(set(), headers - mine)
        self.assertGreaterEqual(len(headers), 9)

    def test_creates_tables_with_the_real_sql(self):
        text = Transcript("sqlite_fds").out
        for table in ("site", "nodelist", "noderes"):
            self.assertIn(schema.create_sql(table) + ";\n", text)

    def test_key_columns_exist(self):
        for table in schema.TABLES:
            self.assertLessEqual(set(schema.keys(table)), set(schema.columns(table)))

    def test_initial_rows_are_complete(self):
        self.assertEqual(37, len(initial.site("10.1.0.1", "cluster.test")))
        self.assertEqual(13, len(initial.policy("mn1")))


if __name__ == "__main__":
    unittest.main()
