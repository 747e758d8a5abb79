"""kill -9 of a failover at many moments; the next plain run finishes it."""
from harness import SiteTest, kill_environment

LOG = "/run/events"
# What the journal says when something dear begins, and the events after it at which to kill: the
# journal's line made durable, before and after the start of the child, at its end.
DATABASE_POINTS = (('"Put the tables of', (3, 4)), ('"Write down which recovery point', (3,)))
IDENTITY_POINTS = (('"Bring up 10.77', (4,)), ('"Take away 10.77', (4,)),
                   ('"Set the host name for', (3,)))
SERVICE_POINTS = (('"Start xcatd"', (3, 4)), ('"Record the role', (2, 3)))


class KillMatrix(SiteTest):
    """Every kind of moment: a file made durable, renamed or removed, a child begun or ended."""

    weight = 90
    primary = "off"

    def killed(self, at, **options):
        """Runs a failover that is to be killed; tells whether it was."""
        answer = self.site.failover(environment=kill_environment(at, **options))
        if self.site.run("mn2", "rm", "/run/killpoint").code == 0:
            self.assertNotEqual(answer.code, 0, str(answer))
            return True
        return False

    def assert_goes_on(self):
        """A plain run comes to the same end as one that nobody disturbed."""
        self.site.settled("mn2")
        over = self.site.role("mn2")["role"] == "primary"  # only the report was left to write
        answer = self.site.failover()
        self.assert_code(answer, *((5,) if over else (0, 4)))
        self.assert_in_charge()
        self.run_cli("mn2", "report", "verify")

    def one_by_one(self, points):
        """A kill and a plain run from the beginning, for every point."""
        count = 0
        for text, numbers in points:
            for number in numbers:
                if count:
                    self.site.fresh_start(self.primary)
                with self.subTest(after=text, event=number):
                    self.assertTrue(self.killed(number, after=text))
                    self.assert_goes_on()
                count += 1
        type(self).remark = f"killed at {count} points"

    def again_and_again(self, first, step, who=None):
        """One takeover in many runs, each killed a little later than the one before."""
        killed, at = 0, first
        while self.killed(at, who=who):
            killed += 1
            at += step
            self.site.settled("mn2")
        self.assertGreater(killed, 3)
        return killed

    def count(self, who=None):
        """Events of a run that nobody disturbs."""
        answer = self.site.failover(environment=kill_environment(0, who, log=LOG))
        self.assert_code(answer, 0, 4)
        return len(self.site.file("mn2", LOG).splitlines())


class KillMatrixDatabase(KillMatrix):
    """Around the exchange of the tables."""

    def test_points(self):
        self.one_by_one(DATABASE_POINTS)

    def test_exchange_itself(self):
        total = self.count("db swap-in")
        self.site.fresh_start(self.primary)
        killed = self.again_and_again(2, max(1, total // 14), "db swap-in")
        type(self).remark = f"killed at {killed} of {total} points"
        self.assert_in_charge()
        self.run_cli("mn2", "report", "verify")


class KillMatrixIdentity(KillMatrix):
    """Around addresses and names."""

    def test_points(self):
        self.one_by_one(IDENTITY_POINTS)


class KillMatrixServices(KillMatrix):
    """Around the point of no return and the end."""

    def test_points(self):
        self.one_by_one(SERVICE_POINTS)


class KillMatrixSeries(KillMatrix):
    """Many kills within one takeover."""

    def series(self, first):
        total = self.count()
        self.site.fresh_start(self.primary)
        killed = self.again_and_again(first, 7)
        type(self).remark = f"killed at {killed} of {total} points"
        self.assert_in_charge()
        self.run_cli("mn2", "report", "verify")

    def test_first(self):
        self.series(3)

    def test_second(self):
        self.series(6)
