"""xcatd: processes, TLS, policy, start, takeover of sockets, and how its clients fail."""
import re
import threading
import time
import unittest

from hosts import CN1, MN1
from transcripts import Transcript

NO_DAEMON_OUT = ("Unable to open socket connection to xcatd daemon on localhost:3001.\n"
                 "Verify that the xcatd daemon is running and that your SSL setup is correct.\n")
NO_DAEMON_ERR = ("Connection failure: IO::Socket::INET: connect: Connection refused at "
                 "/opt/xcat/lib/perl/xCAT/Client.pm line 248.\n")
WITHOUT_CERTIFICATE = """/usr/bin/python3 -c '
import socket, ssl
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False
c.load_verify_locations("/root/.xcat/ca.pem")
s = c.wrap_socket(socket.create_connection(("localhost", 3001)))
s.sendall(b"<xcatrequest><command>%s</command><arg>%s</arg></xcatrequest>")
d = b""
while b"serverdone" not in d: d += s.recv(65536)
print(d.decode())'"""


class XcatdTest(unittest.TestCase):
    """One daemon under systemd, made anew for every test."""

    def setUp(self):
        MN1.become_mn()

    def assert_denied(self, result):
        """The refusal goes to stderr and the exit code is 0."""
        self.assertEqual(("", "Error: Permission denied for request\n", 0),
                         (result.out, result.err, result.code))

    def test_looks_like_the_real_one(self):
        listening = MN1.must("ss -Hlntu | awk '{print $1, $5}' | sort")
        for line in ("tcp 0.0.0.0:3001", "tcp 0.0.0.0:3002", "tcp 127.0.0.1:3003",
                     "udp 0.0.0.0:3001"):
            self.assertIn(line, listening)
        expected = set(re.findall(r"\d\d:\d\d:\d\d (xcatd: .*)$", Transcript("ports").out, re.M))
        found = set(MN1.must("ps -eo args").split("\n"))
        self.assertEqual(set(), {title.strip() for title in expected} - found)
        self.assertEqual("cmdlogservice.pid\ndbworker.sock.N\ninstallservice.pid\n"
                         "mainservice.pid\nudpservice.pid\n",
                         re.sub(r"sock\.\d+", "sock.N", MN1.must("ls /run/xcat")))
        self.assertEqual("active\n", MN1.must("systemctl is-active xcatd"))

    def test_answers_when_its_start_returns_and_takes_its_time(self):
        MN1.must("systemctl stop xcatd")
        MN1.write("/etc/xcat/simulator.conf", "[xcatd]\nstart_seconds = 1.5\n")
        begun = time.monotonic()
        self.assertEqual("dbengine=SQLite\n", MN1.must("systemctl start xcatd; lsxcatd -d"))
        self.assertGreater(time.monotonic() - begun, 1.5)

    def test_stopping_leaves_nothing(self):
        MN1.must("systemctl stop xcatd")
        self.assertEqual("", MN1.run("pgrep -fa '^xcatd'").out)
        self.assertEqual(1, MN1.run("ls /run/xcat 2>/dev/null | grep .").code)

    def test_clients_fail_as_captured_without_the_daemon(self):
        MN1.must("systemctl stop xcatd")
        for command in ("lsxcatd -d", "tabdump site", "makedns -n", "lsdef"):
            result = MN1.run(command)
            self.assertEqual((NO_DAEMON_OUT, NO_DAEMON_ERR, 255),
                             (result.out, result.err, result.code), command)

    def test_the_bypass_needs_no_daemon(self):
        MN1.must("systemctl stop xcatd")
        self.assertIn('"master","10.1.0.1",,', MN1.must("XCATBYPASS=1 tabdump site"))
        self.assertIn("1 object definitions", MN1.must("XCATBYPASS=1 mkdef -t node n1 groups=all"))
        self.assertEqual("n1\n", MN1.must("XCATBYPASS=1 nodels; systemctl start xcatd"))
        self.assertEqual("n1\n", MN1.must("nodels"))

    def test_without_a_certificate_only_public_commands_run(self):
        self.assertIn("dbengine", MN1.must(WITHOUT_CERTIFICATE % ("lsxcatd", "-d")))
        self.assertIn("Permission denied", MN1.must(WITHOUT_CERTIFICATE % ("tabdump", "site")))

    def test_policy_can_shut_root_out_and_chtab_lets_it_in_again(self):
        MN1.must("chtab priority=1 policy.rule=deny")
        self.assert_denied(MN1.run("tabdump site"))
        MN1.must("chtab priority=1 policy.rule=allow")
        self.assertEqual(0, MN1.run("tabdump site").code)

    def test_denies_everything_when_the_db_worker_is_gone(self):
        MN1.must("pkill -9 -f '^xcatd: DB Access'")
        self.assert_denied(MN1.run("lsxcatd -d"))
        self.assertEqual("active\n", MN1.must("systemctl is-active xcatd"))

    def test_makes_missing_tables_when_it_starts(self):
        MN1.must("systemctl stop xcatd; rm /etc/xcat/vpd.sqlite; systemctl start xcatd")
        self.assertEqual("600\n", MN1.must("stat -c %a /etc/xcat/vpd.sqlite"))

    def test_a_directory_called_opt_xcat_cfg_hides_the_tables(self):
        MN1.must("systemctl stop xcatd; mkdir /opt/xcat/cfg")
        self.addCleanup(MN1.run, "rm -rf /opt/xcat/cfg")
        self.assertNotEqual(0, MN1.run("systemctl start xcatd").code)
        self.assertIn("Need xcatdport defined in site table",
                      MN1.must("journalctl -u xcatd -n 20 --no-pager"))

    def test_reads_cfgloc(self):
        MN1.must("mkdir /etc/xcat/db; mv /etc/xcat/*.sqlite /etc/xcat/db; "
                 "echo SQLite:/etc/xcat/db > /etc/xcat/cfgloc; systemctl restart xcatd")
        self.assertIn('"master","10.1.0.1"', MN1.must("tabdump site"))

    def test_a_pipe_on_stdin_that_stays_open_holds_the_client_up(self):
        result = MN1.run("export TERM=dumb; sleep 2 | lsxcatd -d")
        self.assertGreaterEqual(result.seconds, 2)
        self.assertEqual("dbengine=SQLite\n", result.out)

    def test_install_monitor_speaks_to_nodes_only(self):
        ask = ("/usr/bin/python3 -c 'import socket; s = socket.create_connection((\"10.1.0.1\", "
               "3002), 3); s.sendall(b\"installstatus installing\\n\"); s.settimeout(3); "
               "print(s.makefile().read())'")
        self.assertEqual("", CN1.run(ask).out.strip())
        MN1.must("mkdef -t node cn1 groups=all ip=10.1.1.1; makehosts")
        self.assertEqual("ready\ndone", CN1.must(ask).strip())
        MN1.until("lsdef cn1 -i status | grep status=installing", 5)


class RestartTest(unittest.TestCase):
    """restartxcatd and the traps of sockets taken over outside systemd."""

    def setUp(self):
        MN1.become_mn()
        self.addCleanup(MN1.run, "systemctl stop xcatd; pkill -9 -f '^xcatd: '")

    def main_pid(self):
        """The main process as systemd knows it."""
        return MN1.must("systemctl show -P MainPID xcatd").strip()

    def test_systemd_adopts_the_new_daemon_of_a_healthy_unit(self):
        before = self.main_pid()
        result = MN1.run("restartxcatd")
        captured = Transcript("fo10_restartxcatd_breaks_systemd").out
        self.assertIn(result.out, captured)
        self.assertEqual(0, result.code)
        MN1.until(f"[ $(systemctl show -P MainPID xcatd) != {before} ]", 5)
        self.assertEqual("active\ndbengine=SQLite\n",
                         MN1.must("systemctl is-active xcatd; lsxcatd -d"))

    def test_a_request_in_progress_survives(self):
        MN1.set_conf("[makehosts]\nhang_seconds = 3\n")
        results = []
        worker = threading.Thread(target=lambda: results.append(MN1.run("makehosts")))
        worker.start()
        MN1.until("pgrep -f 'xcatd SSL: makehosts'", 5)
        MN1.must("restartxcatd; lsxcatd -d")
        worker.join()
        self.assertEqual(("", "", 0), (results[0].out, results[0].err, results[0].code))

    def test_a_daemon_started_outside_systemd_is_unknown_to_it(self):
        MN1.must("systemctl stop xcatd; restartxcatd; lsxcatd -d")
        self.assertEqual("inactive\n", MN1.run("systemctl is-active xcatd").out)

    def test_the_next_start_takes_a_healthy_orphan_over(self):
        MN1.must("systemctl stop xcatd; restartxcatd; systemctl start xcatd; lsxcatd -d")
        self.assertEqual("active\n", MN1.must("systemctl is-active xcatd"))

    def test_an_orphan_without_pid_file_breaks_the_unit_and_then_denies_everything(self):
        MN1.must("systemctl stop xcatd; restartxcatd; rm /run/xcat/mainservice.pid; lsxcatd -d")
        self.assertNotEqual(0, MN1.run("systemctl start xcatd").code)
        self.assertIn("Unable to perform socket takeover from existing xCAT instance",
                      MN1.must("journalctl -u xcatd -n 20 --no-pager"))
        # systemd removed its RuntimeDirectory, and the orphan's dbworker socket with it
        MN1.until("! ls /run/xcat/dbworker.sock.* 2>/dev/null", 5)
        self.assertEqual("Error: Permission denied for request\n", MN1.run("lsxcatd -d").err)

    def test_does_not_start_beside_a_stranger_on_its_port(self):
        MN1.must("systemctl stop xcatd")
        stranger = threading.Thread(target=MN1.run, args=("timeout 6 nc -l -k -p 3001",))
        stranger.start()
        MN1.until("ss -Hlnt 'sport = :3001' | grep .", 5)
        self.assertNotEqual(0, MN1.run("systemctl start xcatd").code)
        stranger.join()


if __name__ == "__main__":
    unittest.main()
