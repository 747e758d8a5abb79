"""A second management node takes over: the captured session of mn2, replayed.

mn1 is cut off; mn2 gets its credentials, tables and files, and the service address.
"""
import os
import re
import tempfile
import unittest

from hosts import MN1, MN2, lab
from transcripts import Transcript, same

SETUP = ("mkdef_nodes", "mkdef_node_real", "mkdef_osimage_linux", "mkdef_osimage_nim",
         "mkdef_osimage_nim_and_lsdef", "makehosts")
IDENTITY = ("etc/xcat/ca etc/xcat/cert etc/xcat/hostkeys root/.xcat home/conserver/.xcat "
            "root/.ssh/id_rsa root/.ssh/id_rsa.pub install/postscripts")
FILES = "etc/hosts tftpboot install"


def interface_index(text):
    """eth0@if6: the number is the lab's."""
    return re.sub(r"@if\d+", "@if6", same(text))


class TakeoverTest(unittest.TestCase):
    """The captures fo1 to fo11, in their order."""

    @classmethod
    def setUpClass(cls):
        MN1.become_mn()
        MN2.become_mn()
        for name in SETUP:
            MN1.must(Transcript(name).command)
        MN1.must("d=/install/netboot/rhels8.6/x86_64/compute; mkdir -p $d; "
                 "touch $d/kernel $d/initrd-stateless.gz $d/rootimg.cpio.gz; makedns -n; "
                 "makedhcp -n; makedhcp -a; "
                 "nodeset cn1,cn2 osimage=rhels8.6-x86_64-netboot-compute")

    @classmethod
    def tearDownClass(cls):
        MN2.run("hostname mn2; echo mn2 > /etc/hostname; "
                "ip addr flush dev eth0; ip addr add 10.1.0.2/16 dev eth0")
        lab("heal", "mn1")

    def replay(self, name, normalise=same):
        """Runs a transcript on mn2 and compares exit code, stdout and stderr."""
        expected = Transcript(name)
        result = MN2.run(expected.command)
        self.assertEqual(normalise(expected.out), normalise(result.out), name)
        self.assertEqual(normalise(expected.err), normalise(result.err), name)
        self.assertEqual(expected.code, result.code, name)

    def test_01_another_ca_is_refused(self):
        self.replay("fo1_foreign_client_to_mn1")

    def test_02_tables_without_credentials_let_nobody_in_from_outside(self):
        result = MN1.run("XCATHOST=10.1.0.2:3001 lsxcatd -d")
        self.assertEqual(255, result.code)
        self.assertIn("certificate verify failed", result.err)

    def test_03_starts_with_the_copies(self):
        MN2.must("systemctl stop xcatd")
        MN1.must("systemctl stop xcatd")
        MN1.must(f"cd /etc/xcat; tar -C / -czf /root/all.tgz {IDENTITY} {FILES} "
                 "$(ls *.sqlite | sed s,^,etc/xcat/,)")
        with tempfile.TemporaryDirectory() as directory:
            archive = os.path.join(directory, "all.tgz")
            lab("get", "mn1", "/root/all.tgz", archive)
            MN2.put(archive, "/root/all.tgz")
        lab("partition", "mn1")
        MN2.must("tar -C / -xzf /root/all.tgz; ip addr add 10.1.0.1/16 dev eth0")
        self.replay("fo2_start_xcatd_ip_only")

    def test_04_commands_run_under_the_other_name(self):
        self.replay("fo3_cmds_hostname_mn2")

    def test_05_makedns_serves_on_the_new_node(self):
        result = MN2.run("makedns -n; echo rc=$?; host n001 10.1.0.1")
        expected = Transcript("makedns_n").out
        tail = expected[expected.index("Getting reverse"):]
        self.assertIn(tail, result.out)
        self.assertEqual("", result.err)
        self.assertIn("10.1.2.1", MN2.must("host n001.cluster.test 10.1.0.1"))

    def test_06_makedhcp_writes_the_first_address_not_the_service_address(self):
        self.replay("fo5_makedhcp_n")

    def test_07_makeconservercf(self):
        MN2.must("chdef -t site consoleondemand=yes; rm -f /etc/conserver.cf")
        self.replay("fo6_makeconservercf")

    def test_08_nodeset(self):
        self.replay("fo7_nodeset")

    def test_09_a_changed_host_name_does_not_matter(self):
        self.replay("fo8_changed_hostname")
        MN2.must("hostname mn2; echo mn2 > /etc/hostname")

    def test_10_deleting_the_first_address_deletes_the_service_address(self):
        self.replay("fo9_vip_first_makedhcp", interface_index)

    def test_11_with_the_service_address_first_the_files_are_right(self):
        MN2.must("ip addr flush dev eth0; ip addr add 10.1.0.1/16 dev eth0; "
                 "ip addr add 10.1.0.2/16 dev eth0")
        self.replay("fo11_vip_first_makedhcp", interface_index)


if __name__ == "__main__":
    unittest.main()
