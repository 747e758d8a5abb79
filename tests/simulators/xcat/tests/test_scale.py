"""A thousand nodes: the demo cluster, the costs of the commands, and a client's view.

The limits are wide (shared machines); what matters is that nothing is quadratic.
"""
import json
import os
import unittest

from hosts import CN1, MN1, TESTS, lab

LIMITS = {"makehosts": 20, "makedns -n": 40, "makedhcp -n": 30, "makedhcp -a": 300,
          "makeconservercf": 20, "nodeset n0930-n0999 osimage": 60, "nodels": 5,
          "nodeset all,-n0930-n0999 boot": 300, "lsdef all": 20}


class ThousandNodesTest(unittest.TestCase):
    """The demo cluster on mn1, probed from cn1."""

    @classmethod
    def setUpClass(cls):
        MN1.become_mn()
        MN1.put(os.path.join(TESTS, "demo", "cluster"), "/root/cluster")
        MN1.must("systemctl stop xcatd")
        mac = lab("mac", "cn1").strip()
        cls.made = json.loads(MN1.must(
            "/root/cluster/make_cluster.py --master 10.1.0.1 --network 10.1.0.0/16 --mn mn1 "
            f"--mn mn2 --cn1 10.1.1.1 --cn1-mac {mac} --files /"))
        MN1.must("systemctl start xcatd")
        cls.seconds = {}
        for command, limit in LIMITS.items():
            result = MN1.run(command, timeout=limit)
            assert result.code == 0, (command, result.err[-500:])
            cls.seconds[command] = round(result.seconds, 2)
        print("\n  seconds:", cls.seconds)

    def test_the_cluster_is_as_described(self):
        self.assertEqual(1000, self.made["nodes"])
        self.assertEqual("1000\n", MN1.must("nodels | wc -l"))
        self.assertEqual(50, MN1.must("tabdump chain").count('"install '))
        self.assertEqual(20, MN1.must("tabdump chain").count('"netboot '))
        self.assertEqual("1000\n", MN1.must("grep -c '^host ' /var/lib/dhcp/dhcpd.leases"))
        self.assertEqual("1000\n", MN1.must("grep -c '^console ' /etc/conserver.cf"))
        self.assertEqual("50\n", MN1.must("ls /install/autoinst | wc -l"))

    def test_leases_alone_serve_all_hosts_after_a_restart(self):
        MN1.must("systemctl restart isc-dhcp-server; makedhcp -n")
        self.assertIn("n0999: ip-address = ", MN1.must("makedhcp -q n0999"))

    def test_a_real_client_gets_its_lease(self):
        out = CN1.must("dhclient -v -1 -sf /bin/true -lf /tmp/leases -pf /tmp/dhclient.pid eth0 "
                       "2>&1; dhclient -x -pf /tmp/dhclient.pid 2>/dev/null; cat /tmp/leases")
        self.assertIn("fixed-address 10.1.1.1;", out)
        self.assertIn("option dhcp-server-identifier 10.1.0.1;", out)

    def test_the_prober_sees_every_service(self):
        CN1.write("/tmp/credentials.txt", "")
        for name in ("ca.pem", "client-cred.pem"):
            CN1.write(f"/root/.xcat/{name}", MN1.read(f"/root/.xcat/{name}"))
        CN1.put(os.path.join(TESTS, "lab", "probe.py"), "/root/probe.py")
        report = json.loads(CN1.must(
            "/root/probe.py --address 10.1.0.1 --seconds 4 --dns-name n0001.cluster.test "
            f"--dns-answer {self.made['first']['address']} --dhcp-address 10.1.1.1"))
        for name, service in report["services"].items():
            self.assertFalse(service["still_down"], name)
            self.assertEqual({}, service["errors"], name)
            self.assertGreater(service["ok"], 10, name)
        self.assertLess(report["cpu_seconds"], 2)

    def test_the_prober_measures_an_outage(self):
        for name in ("ca.pem", "client-cred.pem"):
            CN1.write(f"/root/.xcat/{name}", MN1.read(f"/root/.xcat/{name}"))
        CN1.put(os.path.join(TESTS, "lab", "probe.py"), "/root/probe.py")
        CN1.must("rm -f /tmp/ready /tmp/out.json; (/root/probe.py --address 10.1.0.1 --seconds 60 "
                 "--wait-recovered --dns-name n0001.cluster.test --dns-answer "
                 f"{self.made['first']['address']} --dhcp-address 10.1.1.1 --ready-file /tmp/ready "
                 "--out /tmp/out.json >/tmp/log 2>&1 &)")
        CN1.until("test -e /tmp/ready", 20)
        lab("partition", "mn1")
        CN1.must("sleep 2")
        lab("heal", "mn1")
        CN1.until("test -e /tmp/out.json", 30)
        report = json.loads(CN1.read("/tmp/out.json"))
        for name, service in report["services"].items():
            self.assertGreater(service["gap_ms"], 1900, (name, service))
            self.assertLess(service["gap_at_least_ms"], 6000, (name, service))
            self.assertFalse(service["still_down"], name)

    def test_lost_changes_are_counted(self):
        MN1.must("rm -rf /root/older; mkdir /root/older; cd /root/cluster; "
                 "./change_rows.py --changes 40 --seconds 1 > /root/changes")
        MN1.must("for f in /etc/xcat/*.sqlite; do sqlite3 $f \".backup /root/older/$(basename $f)\";"
                 " done")
        MN1.must("cd /root/cluster; sed -i '$!b' /root/changes; "
                 "./change_rows.py --changes 60 --seconds 1 > /root/changes")
        self.assertEqual(0, MN1.run("/root/cluster/change_rows.py --check /root/changes").code)
        result = MN1.run("/root/cluster/change_rows.py --check /root/changes --dir /root/older")
        self.assertEqual(1, result.code)
        lost = json.loads(result.out)
        self.assertEqual((60, 20), (lost["acknowledged"], lost["lost"]))


if __name__ == "__main__":
    unittest.main()
