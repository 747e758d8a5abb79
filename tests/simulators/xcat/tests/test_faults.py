"""Every fault of simulator.conf, and the real ways in which xCAT's commands fail."""
import unittest

from hosts import MN1

NODES = ("mkdef -t node n[1-9] groups=all ip='|\\D+(\\d+)|10.1.2.($1+0)|' "
         "mac='|\\D+(\\d+)|02:00:00:00:02:0($1+0)|' arch=x86_64 os=rhels8.6 profile=compute "
         "netboot=xnba mgt=ipmi cons=ipmi")
CUT_SHORT = ("ERROR/WARNING: communication with the xCAT server seems to have been ended "
             "prematurely\n")


class SetFaultsTest(unittest.TestCase):
    """Faults a test asks for."""

    @classmethod
    def setUpClass(cls):
        MN1.become_mn()
        MN1.must(NODES)
        MN1.must("makehosts; makedns -n; makedhcp -n; makedhcp -a")

    def setUp(self):
        self.addCleanup(MN1.set_conf, "")

    def test_fails_with_exit_code_0(self):
        for command in ("makedns -n", "makedhcp -n", "makehosts", "makeconservercf", "lsxcatd -d",
                        "tabdump site", "nodels", "lsdef", "chtab key=x site.value=1",
                        "dumpxCATdb -p /tmp/x", "restorexCATdb -p /tmp/x", "restartxcatd",
                        "nodeset all boot", "rpower all stat", "makegocons"):
            MN1.set_conf(f"[{command.split()[0]}]\nfail_with_rc0 = something odd\n")
            result = MN1.run(command)
            self.assertEqual(("", 0), (result.out, result.code), command)
            self.assertRegex(result.err, r"^Error: (\[mn1\]: )?something odd\n$", command)

    def test_fails_with_a_code(self):
        MN1.set_conf("[makedhcp]\nexit_code = 3\n")
        self.assertEqual(3, MN1.run("makedhcp -n").code)

    def test_hangs(self):
        MN1.set_conf("[lsxcatd]\nhang_seconds = 2\n")
        result = MN1.run("lsxcatd -d")
        self.assertEqual("dbengine=SQLite\n", result.out)
        self.assertGreater(result.seconds, 2)

    def test_dies_in_the_middle_and_exits_with_0(self):
        MN1.set_conf("[nodeset]\ndie_after_n_nodes = 4\n")
        MN1.must("rm -rf /tftpboot/xcat/xnba")
        result = MN1.run("nodeset all boot")
        self.assertEqual((CUT_SHORT, 0), (result.err, result.code))
        self.assertEqual(5, result.out.count(": boot"))
        self.assertEqual("10\n", MN1.must("ls /tftpboot/xcat/xnba/nodes | wc -l"))

    def test_makedhcp_dies_between_two_nodes(self):
        MN1.must("makedhcp -d all")
        MN1.set_conf("[makedhcp]\ndie_after_n_nodes = 3\n")
        self.assertEqual(CUT_SHORT, MN1.run("makedhcp -a").err)
        MN1.set_conf("")
        self.assertEqual(4, MN1.must("makedhcp -q all").count("ip-address"))
        MN1.must("makedhcp -a")

    def test_makedns_reports_success_without_a_running_named(self):
        MN1.set_conf("[makedns]\nskip_service_restart = yes\n")
        result = MN1.run("makedns -n")
        self.assertEqual(0, result.code)
        self.assertTrue(result.out.endswith("DNS setup is completed\n"))
        self.assertNotEqual(0, MN1.run("host n1.cluster.test 10.1.0.1").code)
        MN1.set_conf("")
        MN1.must("makedns -n; host n1.cluster.test 10.1.0.1")

    def test_makedhcp_reports_success_without_a_restart(self):
        before = MN1.must("pidof dhcpd")
        MN1.set_conf("[makedhcp]\nskip_service_restart = yes\n")
        self.assertEqual(0, MN1.run("makedhcp -n").code)
        self.assertEqual(before, MN1.must("pidof dhcpd"))

    def test_makeconservercf_reports_success_without_a_restart(self):
        MN1.must("systemctl stop conserver; /etc/init.d/conserver stop")
        MN1.set_conf("[makeconservercf]\nskip_service_restart = yes\n")
        self.assertEqual(0, MN1.run("makeconservercf").code)
        self.assertNotEqual(0, MN1.run("pidof conserver").code)

    def test_rpower_runs_the_command_it_is_given(self):
        MN1.must("printf '#!/bin/sh\\n[ $1 = n2 ] && { echo broken >&2; exit 1; }\\n"
                 "echo \"$2 done\"\\n' > /root/power; chmod 755 /root/power")
        MN1.set_conf("[rpower]\ncommand = /root/power\n")
        result = MN1.run("rpower n1,n2 off")
        self.assertEqual(("n1: off done\n", "n2: [mn1]: Error: broken\n", 1),
                         (result.out, result.err, result.code))


class RealFailuresTest(unittest.TestCase):
    """What goes wrong when the services do."""

    @classmethod
    def setUpClass(cls):
        MN1.become_mn()
        MN1.must(NODES)
        MN1.must("makehosts; makedns -n; makedhcp -n")

    def test_makedns_fails_when_named_cannot_start(self):
        MN1.must("systemctl mask --runtime named")
        self.addCleanup(MN1.must, "systemctl unmask --runtime named; makedns -n")
        result = MN1.run("makedns -n")
        self.assertEqual(("Error: [mn1]: failed to start named.\n\n", 1),
                         (result.err, result.code))

    def test_makedns_needs_its_own_full_name(self):
        hosts = MN1.read("/etc/hosts")
        self.addCleanup(MN1.write, "/etc/hosts", hosts)
        self.addCleanup(MN1.write, "/etc/resolv.conf", "")
        MN1.write("/etc/hosts", hosts.replace("mn1.cluster.test mn1", "mn1"))
        MN1.write("/etc/resolv.conf", "nameserver 127.0.0.2\n")  # else named itself is asked
        result = MN1.run("makedns -n")
        self.assertEqual("Error: [mn1]: Please make sure mn1.cluster.test. exist either in "
                         "/etc/hosts or DNS.\n", result.err)
        self.assertEqual(1, result.code)

    def test_makedns_takes_names_from_etc_hosts_not_from_the_tables(self):
        hosts = MN1.read("/etc/hosts")
        self.addCleanup(MN1.must, "makedns -n")
        self.addCleanup(MN1.write, "/etc/hosts", hosts)
        MN1.write("/etc/hosts", "".join(line + "\n" for line in hosts.splitlines()
                                        if " n3 " not in line))
        MN1.must("makedns -n")
        self.assertEqual(1, MN1.run("host n3.cluster.test 10.1.0.1").code)
        self.assertEqual(0, MN1.run("host n4.cluster.test 10.1.0.1").code)

    def test_makedhcp_n_says_nothing_of_a_dead_dhcpd_but_a_and_nodeset_do(self):
        MN1.must("systemctl mask --runtime isc-dhcp-server; systemctl stop isc-dhcp-server")
        self.addCleanup(MN1.must, "systemctl unmask --runtime isc-dhcp-server; makedhcp -n")
        self.assertEqual(0, MN1.run("makedhcp -n").code)
        down = "Error: [mn1]: dhcp server is not running.  please start the dhcp server.\n"
        for command in ("makedhcp -a", "makedhcp n1", "makedhcp -q n1", "nodeset n1 boot"):
            result = MN1.run(command)
            self.assertEqual((down, 1), (result.err, result.code), command)

    def test_makedhcp_warns_of_a_node_without_a_mac_with_exit_code_0(self):
        MN1.must("mkdef -t node x1 groups=all ip=10.1.2.200; makehosts x1")
        self.addCleanup(MN1.must, "makehosts -d x1; rmdef x1")
        result = MN1.run("makedhcp x1")
        self.assertEqual(("Warning: [mn1]: Unable to find mac address for x1\n", 0),
                         (result.err, result.code))

    def test_makedhcp_refuses_two_nodes_with_one_address(self):
        MN1.must("mkdef -t node x1,x2 groups=all ip=10.1.2.200 mac=02:00:00:00:03:01")
        self.addCleanup(MN1.must, "rmdef x1,x2")
        result = MN1.run("makedhcp x1,x2")
        self.assertIn("Duplicated IP addresses in hosts table", result.err)
        self.assertEqual(1, result.code)

    def test_makeconservercf_needs_conserver_and_refuses_beside_goconserver(self):
        MN1.must("mv /usr/sbin/conserver /usr/sbin/conserver.away")
        self.addCleanup(MN1.run, "mv /usr/sbin/conserver.away /usr/sbin/conserver")
        result = MN1.run("makeconservercf")
        self.assertEqual(("Error: [mn1]: conserver is not supported or not installed.\n", 1),
                         (result.err, result.code))
        MN1.must("mv /usr/sbin/conserver.away /usr/sbin/conserver; cp /bin/sleep /tmp/goconserver; "
                 "/tmp/goconserver 20 >/dev/null 2>&1 &")
        self.addCleanup(MN1.run, "pkill goconserver")
        MN1.until("pidof goconserver", 5)
        result = MN1.run("makeconservercf")
        self.assertIn("makegocons instead", result.err)

    def test_consoles_storm_unless_they_are_on_demand(self):
        count = "cat /var/log/xcat/simulator-consoles.log 2>/dev/null | wc -l"
        MN1.must("chdef -t site consoleondemand=yes; rm -f /var/log/xcat/simulator-consoles.log; "
                 "makeconservercf; sleep 1")
        self.assertEqual("0\n", MN1.must(count))
        MN1.must("chdef -t site consoleondemand=no; makeconservercf")
        MN1.until(f"[ $({count}) -ge 9 ]", 10)
        self.assertEqual("9\n", MN1.must("pgrep -fc '^/bin/sh /opt/xcat/share/xcat/cons/ipmi'"))
        MN1.must("/etc/init.d/conserver stop")
        MN1.until("! pgrep -f '^/bin/sh .*cons/ipmi'", 10)

    def test_conserver_that_cannot_start_changes_nothing_in_the_exit_code(self):
        MN1.must("mv /etc/xcat/cert/server-cred.pem /root/away")
        self.addCleanup(MN1.must, "systemctl restart xcatd")
        self.addCleanup(MN1.must, "mv /root/away /etc/xcat/cert/server-cred.pem")
        result = MN1.run("XCATBYPASS=1 makeconservercf")
        self.assertEqual(("", "", 0), (result.out, result.err, result.code))
        self.assertNotEqual(0, MN1.run("sleep 0.5; pidof conserver").code)


if __name__ == "__main__":
    unittest.main()
