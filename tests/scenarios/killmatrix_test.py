"""kill -9 of a failover at many moments; the next plain run finishes it."""
from harness import SiteTest, kill_environment

LOG = "/run/events"


class KillMatrix(SiteTest):
    """Every kind of moment: a file made durable, renamed or removed, a child begun or ended."""

    weight = 80
    primary = "off"
    total = None

    def count(self):
        """Events of a run that nobody disturbs."""
        answer = self.site.failover(environment=kill_environment(0, log=LOG))
        self.assert_code(answer, 0, 4)
        return self.site.file("mn2", LOG).splitlines()

    def test_count(self):
        events = self.count()
        for e in events: print(e)
        for n, e in enumerate(self.site.journal()): print(n, e["event"], {k: v[:50] for k, v in e["facts"].items() if k in ("step", "sentence", "state", "result", "gate")})
