"""The SQLite files under several writers, and under hands that replace them."""
import threading
import time
import unittest

from hosts import MN1

HOLD = """/usr/bin/python3 -c '
import sqlite3, time
c = sqlite3.connect("/etc/xcat/nodelist.sqlite", isolation_level=None)
c.execute("BEGIN IMMEDIATE"); open("/tmp/held", "w"); time.sleep(3); c.execute("ROLLBACK")'"""


class WritersTest(unittest.TestCase):
    """The DB worker beside others."""

    @classmethod
    def setUpClass(cls):
        MN1.become_mn()
        MN1.must("mkdef -t node n[1-3] groups=all")

    def worker_files(self):
        """The table files the DB worker holds open."""
        return MN1.must("ls -l /proc/$(pgrep -f '^xcatd: DB Access')/fd | grep -o '[a-z]*.sqlite'")

    def test_the_db_worker_keeps_files_open_and_nobody_else_does(self):
        MN1.must("tabdump mac; tabdump hosts; tabdump site")
        self.assertLessEqual({"mac.sqlite", "hosts.sqlite", "site.sqlite"},
                             set(self.worker_files().split()))
        self.assertEqual("", MN1.run("ls -l /proc/$(pgrep -f '^xcatd: SSL listener')/fd "
                                     "| grep sqlite").out)

    def test_chtab_writes_without_xcatd(self):
        MN1.must("systemctl stop xcatd; chtab node=n1 nodelist.comments=x; systemctl start xcatd")
        self.assertIn('"n1","all",,,,,,,,,,"x",', MN1.must("tabdump nodelist"))

    def test_a_locked_table_delays_writers_but_not_readers(self):
        holder = threading.Thread(target=MN1.run, args=(HOLD,))
        holder.start()
        MN1.until("test -e /tmp/held", 5)
        reading = MN1.run("tabdump nodelist")
        writing = MN1.run("chdef n2 usercomment=late")
        holder.join()
        self.assertEqual((0, 0), (reading.code, writing.code))
        self.assertLess(reading.seconds, 1.5)
        self.assertGreater(writing.seconds, 1.5)
        self.assertIn("usercomment=late", MN1.must("lsdef n2 -i usercomment; rm /tmp/held"))

    def test_a_file_renamed_over_is_not_seen_and_cannot_be_written(self):
        MN1.must("tabdump nodepos; sqlite3 /etc/xcat/nodepos.sqlite .dump | "
                 "sqlite3 /tmp/new.sqlite; sqlite3 /tmp/new.sqlite "
                 "\"insert into nodepos (node, rack) values ('n1', 'r9')\"; "
                 "mv /tmp/new.sqlite /etc/xcat/nodepos.sqlite")
        self.assertNotIn("r9", MN1.must("tabdump nodepos"))
        result = MN1.run("chdef n1 rack=r1")
        self.assertEqual(1, result.code)
        self.assertIn("attempt to write a readonly database", result.err)
        MN1.must("systemctl restart xcatd")
        self.assertIn("r9", MN1.must("tabdump nodepos"))

    def test_writers_beside_xcatd_lose_nothing(self):
        worker = threading.Thread(target=MN1.run, args=(
            "for i in $(seq 20); do chtab node=n1 nodelist.comments=$i; done",))
        worker.start()
        for number in range(5):
            MN1.must(f"chdef n2 usercomment={number}")
            time.sleep(0.1)
        worker.join()
        self.assertEqual("Object name: n1\n    usercomment=20\nObject name: n2\n"
                         "    usercomment=4\n", MN1.must("lsdef n1,n2 -i usercomment"))


if __name__ == "__main__":
    unittest.main()
