#!/usr/bin/python3
"""Probes a service address from a client's side, and reports every gap as JSON.
  probe.py --address 10.77.0.11 --dns-name n0001.cluster.test --dns-answer 10.77.4.2 \\
      --dhcp-address 10.77.0.21 --xcatd-credentials /root/.xcat --seconds 60 --out gaps.json

Services, each on its own schedule: `address` (ICMP echo), `dns` (A query), `dhcp`
(DISCOVER with this host's MAC through a packet socket; the OFFER must name the service
address as server identifier and next-server), `xcatd` (TLS, real request `lsxcatd -d`).
A probe is sent every --interval-ms whether or not earlier ones were answered, so a dead
service is seen to return at that resolution.  xcatd's requests cost its host a process
each: while it answers it is asked only every --xcatd-steady-ms.

Times are CLOCK_MONOTONIC [s], the same clock in every host of a lab.  A gap runs from
the last good answer before to the first good answer after; gap_at_least_ms, from the
sending of the first probe in between, excludes the quiet time before it.  A gap that has
not ended has first_ok_after null.  Ends after --seconds, on SIGTERM or SIGINT, or with
--wait-recovered.
"""
import argparse
import asyncio
import ctypes
import errno
import fcntl
import json
import os
import signal
import socket
import ssl
import struct
import sys
import time

NOTABLE_MS = 100.0   # gaps longer than this are listed
STEADY = 1.0         # --wait-recovered: all services up for so long [s]
SERVICES = ("address", "dns", "dhcp", "xcatd")
REQUEST = (b"<xcatrequest>\n<command>lsxcatd</command>\n<arg>-d</arg>\n"
           b"<clienttype>cli</clienttype>\n</xcatrequest>\n")


class Series:
    """What became of one service's probes."""

    def __init__(self, interval, steady_interval, timeout):
        self.interval, self.steady_interval, self.timeout = interval, steady_interval, timeout
        self.probes = self.ok = 0
        self.first_ok = self.last_ok = self.last_failure = None
        self.first_sent, self.unanswered = None, 0   # of the probes since last_ok
        self.failing = False                         # the newest news is a failure
        self.gaps, self.errors, self.latencies = [], {}, []

    def sent(self, now):
        """A probe is on its way."""
        self.probes += 1
        self.unanswered += 1
        if self.first_sent is None:
            self.first_sent = now

    def good(self, sent, now):
        """A right answer came at `now` to the probe of `sent`."""
        self.ok += 1
        self.latencies.append(now - sent)
        gap = self._gap(now)
        if self.first_ok is None:
            self.first_ok = now
        elif gap["gap_ms"] > NOTABLE_MS and (
                self.failing or gap["gap_ms"] > NOTABLE_MS + self.steady_interval * 1000):
            self.gaps.append({**gap, "first_ok_after": now})
        self.last_ok, self.failing = now, False
        self.first_sent, self.unanswered = None, 0

    def bad(self, sent, now, kind):
        """The probe of `sent` failed; one older than the last good answer opens no gap."""
        self.errors[kind] = self.errors.get(kind, 0) + 1
        if self.last_ok is None or sent > self.last_ok:
            self.last_failure, self.failing = now, True

    def _gap(self, now):
        """The time since the last good answer, as a gap that has not ended."""
        if self.last_ok is None:
            return {"gap_ms": 0.0}
        return {"last_ok_before": self.last_ok, "first_ok_after": None,
                "gap_ms": round((now - self.last_ok) * 1000, 1),
                "gap_at_least_ms": round((now - (self.first_sent or now)) * 1000, 1),
                "failed_probes": max(0, self.unanswered - 1)}

    def is_down(self):
        """Whether the newest news is a failure, or there was none yet."""
        return self.failing or self.last_ok is None

    def steady(self, now):
        """Whether it has answered without a failure for STEADY."""
        if self.last_ok is None or now - self.last_ok > 3 * self.steady_interval:
            return False
        news = [self.first_ok, self.last_failure or 0.0]
        news += [gap["first_ok_after"] for gap in self.gaps[-1:]]
        return now - max(news) >= STEADY

    def report(self, now):
        """The JSON of one service."""
        gaps = self.gaps + ([self._gap(now)] if self.failing and self.last_ok else [])
        longest = max(gaps, key=lambda gap: gap["gap_ms"], default={})
        ordered = sorted(self.latencies)
        return {
            "probes": self.probes, "ok": self.ok, "errors": self.errors,
            "first_ok": self.first_ok, "last_ok": self.last_ok, "still_down": self.is_down(),
            "gap_ms": longest.get("gap_ms", 0.0), "gaps": gaps,
            "gap_at_least_ms": longest.get("gap_at_least_ms", 0.0),
            "last_ok_before_gap": longest.get("last_ok_before"),
            "first_ok_after_gap": longest.get("first_ok_after"),
            "interval_ms": self.interval * 1000, "timeout_ms": self.timeout * 1000,
            "interval_while_up_ms": self.steady_interval * 1000,
            "latency_ms": {"median": round(ordered[len(ordered) // 2] * 1000, 2),
                           "max": round(ordered[-1] * 1000, 2)} if ordered else None}


class Datagrams:
    """Probes that are one packet out and one packet in; answers are told apart by a number."""

    def __init__(self, series):
        self.series, self.waiting, self.socket = series, {}, None
        self.problems = {}  # of probes that had a wrong answer so far

    def start(self, loop):
        """Opens the socket and listens."""
        self.socket = self.open()
        self.socket.setblocking(False)
        loop.add_reader(self.socket, self._readable)

    async def probe(self):
        """Sends one probe and gives up on those that are too old."""
        now = time.monotonic()
        for number in [n for n, sent in self.waiting.items() if now - sent > self.series.timeout]:
            self.series.bad(self.waiting.pop(number), now, self.problems.pop(number, "timeout"))
        number = (self.series.probes + os.getpid() * 7919) & 0xFFFF
        self.series.sent(now)
        try:
            self.waiting[number] = now
            self.send(number)
        except OSError as error:
            del self.waiting[number]
            self.series.bad(now, time.monotonic(), errno_name(error))

    def _readable(self):
        for _ in range(50):
            try:
                data = self.socket.recv(2048)
            except BlockingIOError:
                return
            except OSError as error:
                self._refused(errno_name(error))
                continue
            now = time.monotonic()
            number, problem = self.judge(data)
            sent = self.waiting.get(number)
            if sent is None:
                continue
            if problem:  # the probe stays open: the right server may still answer
                self.problems[number] = problem
                continue
            del self.waiting[number]
            self.problems.pop(number, None)
            self.series.good(sent, now)

    def _refused(self, kind):
        """An ICMP error tells of the oldest probe."""
        if self.waiting:
            number = next(iter(self.waiting))
            self.series.bad(self.waiting.pop(number), time.monotonic(), kind)


class Address(Datagrams):
    """ICMP echo."""

    def __init__(self, series, address):
        super().__init__(series)
        self.address, self.ident = address, os.getpid() & 0xFFFF

    def open(self):
        """A raw socket that sees echo replies only."""
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        endpoint.setsockopt(255, 1, struct.pack("I", ~1 & 0xFFFFFFFF))  # SOL_RAW ICMP_FILTER
        endpoint.connect((self.address, 0))
        return endpoint

    def send(self, number):
        """One echo request."""
        body = struct.pack("!BBHHH", 8, 0, 0, self.ident, number) + b"hamn"
        self.socket.send(body[:2] + struct.pack("!H", checksum(body)) + body[4:])

    def judge(self, data):
        """(number, None) of a reply to this process, else (None, None)."""
        header = (data[0] & 15) * 4
        kind, _, _, ident, number = struct.unpack("!BBHHH", data[header:header + 8])
        return (number, None) if kind == 0 and ident == self.ident else (None, None)


class Dns(Datagrams):
    """An A query with a known answer."""

    def __init__(self, series, address, name, answer):
        super().__init__(series)
        self.address, self.answer = address, socket.inet_aton(answer)
        self.question = b"".join(bytes([len(label)]) + label.encode()
                                 for label in name.rstrip(".").split(".")) + b"\0\0\1\0\1"

    def open(self):
        """A connected socket, so that "port unreachable" is noticed."""
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        endpoint.connect((self.address, 53))
        return endpoint

    def send(self, number):
        """One query without recursion: the server itself must know."""
        self.socket.send(struct.pack("!6H", number, 0, 1, 0, 0, 0) + self.question)

    def judge(self, data):
        """(number, problem): the code must be NOERROR and the address among the answers."""
        number, flags, _, count = struct.unpack("!4H", data[:8])
        if flags & 15:
            return number, f"rcode-{flags & 15}"
        if not count or self.answer not in data[12 + len(self.question):]:
            return number, "wrong-answer"
        return number, None


class Dhcp(Datagrams):
    """DISCOVER; an OFFER is right with our address and the service address as server."""

    _FILTER = (  # IPv4, UDP, not a fragment, to port 68; else drop
        (0x28, 0, 0, 12), (0x15, 0, 8, 0x0800), (0x30, 0, 0, 23), (0x15, 0, 6, 17),
        (0x28, 0, 0, 20), (0x45, 4, 0, 0x1FFF), (0xB1, 0, 0, 14), (0x48, 0, 0, 16),
        (0x15, 0, 1, 68), (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0))

    def __init__(self, series, server, nic, address):
        super().__init__(series)
        self.server, self.nic = socket.inet_aton(server), nic
        self.address = socket.inet_aton(address)
        self.xid = os.urandom(2)

    def open(self):
        """A packet socket; the interface's configuration is not touched."""
        endpoint = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        program = b"".join(struct.pack("HBBI", *step) for step in self._FILTER)
        self.buffer = ctypes.create_string_buffer(program)
        endpoint.setsockopt(socket.SOL_SOCKET, 26, struct.pack(
            "HL", len(self._FILTER), ctypes.addressof(self.buffer)))
        endpoint.bind((self.nic, 0x0800))
        request = fcntl.ioctl(endpoint, 0x8927, struct.pack("256s", self.nic.encode()))
        self.mac = request[18:24]
        return endpoint

    def send(self, number):
        """One DISCOVER, answer by broadcast: no ICMP error for a port nobody listens on."""
        xid = self.xid + struct.pack("!H", number)
        bootp = struct.pack("!4B4sHH16s16s192x4s", 1, 1, 6, 0, xid, 0, 0x8000, b"", self.mac,
                            b"\x63\x82\x53\x63")
        bootp += b"\x35\x01\x01\x37\x04\x01\x03\x06\x36\xff"
        udp = struct.pack("!4H", 68, 67, 8 + len(bootp), 0) + bootp
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0,
                           b"\0" * 4, b"\xff" * 4)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        self.socket.send(b"\xff" * 6 + self.mac + b"\x08\x00" + head + udp)

    def judge(self, data):
        """(number, problem) of an OFFER with our xid."""
        bootp = data[14 + (data[14] & 15) * 4 + 8:]
        if len(bootp) < 240 or bootp[0] != 2 or bootp[4:6] != self.xid:
            return None, None
        number = struct.unpack("!H", bootp[6:8])[0]
        options = dhcp_options(bootp[240:])
        if options.get(53) != b"\x02":
            return None, None
        if bootp[16:20] != self.address:
            return number, f"wrong-address-{socket.inet_ntoa(bootp[16:20])}"
        if options.get(54) != self.server:
            return number, f"wrong-server-identifier-{dotted(options.get(54))}"
        if bootp[20:24] != self.server:
            return number, f"wrong-next-server-{dotted(bootp[20:24])}"
        return number, None


class Xcatd:
    """One TLS connection and request per probe; few at a time."""

    CONNECTING, TALKING = 12, 3  # probes under way at once

    def __init__(self, series, address, port, credentials):
        self.series, self.address, self.port = series, address, port
        self.connecting = self.talking = 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.load_verify_locations(f"{credentials}/ca.pem")
        self.context.load_cert_chain(f"{credentials}/client-cred.pem")
        self.tasks = set()

    def start(self, loop):
        """Nothing to prepare."""

    async def probe(self):
        """Starts a probe of its own unless enough are under way."""
        if self.connecting >= self.CONNECTING or self.talking >= self.TALKING:
            return
        now = time.monotonic()
        self.series.sent(now)
        task = asyncio.ensure_future(self._one(now))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _one(self, sent):
        try:
            await asyncio.wait_for(self._ask(), self.series.timeout)
            self.series.good(sent, time.monotonic())
        except asyncio.TimeoutError:
            self.series.bad(sent, time.monotonic(), "timeout")
        except (OSError, ValueError) as error:
            self.series.bad(sent, time.monotonic(), errno_name(error))

    async def _ask(self):
        loop = asyncio.get_running_loop()
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        plain.setblocking(False)
        self.connecting += 1
        try:
            # A SYN that got no answer is only repeated after 1 s; a newer probe comes first.
            await asyncio.wait_for(loop.sock_connect(plain, (self.address, self.port)), 0.2)
        except BaseException:
            plain.close()
            raise
        finally:
            self.connecting -= 1
        self.talking += 1
        try:
            await self._talk(plain)
        finally:
            self.talking -= 1

    async def _talk(self, plain):
        reader, writer = await asyncio.open_connection(sock=plain, ssl=self.context,
                                                       server_hostname="")
        try:
            writer.write(REQUEST)
            answer = b""
            while b"serverdone" not in answer:
                part = await reader.read(65536)
                if not part:
                    raise ValueError("cut-short")
                answer += part
        finally:
            writer.transport.abort()
        if b"Permission denied" in answer:
            raise ValueError("denied")
        if b"dbengine=" not in answer:
            raise ValueError("wrong-answer")


def checksum(data):
    """The Internet checksum of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def dhcp_options(data):
    """{code: value}."""
    options, index = {}, 0
    while index + 1 < len(data) and data[index] != 255:
        length = data[index + 1] if data[index] else -1  # code 0 is padding: one byte
        options[data[index]] = data[index + 2:index + 2 + max(0, length)]
        index += 2 + length
    return options


def dotted(value):
    """An address for an error's name."""
    return socket.inet_ntoa(value) if value and len(value) == 4 else "none"


def errno_name(error):
    """A short, countable name of a failure."""
    if isinstance(error, ssl.SSLError):
        return f"tls-{(error.reason or 'error').lower()}"
    if isinstance(error, OSError) and error.errno:
        return errno.errorcode.get(error.errno, str(error.errno)).lower()
    return str(error) or type(error).__name__


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", required=True, help="the service address")
    parser.add_argument("--services", default=",".join(SERVICES))
    parser.add_argument("--interval-ms", type=float, default=20.0)
    parser.add_argument("--xcatd-steady-ms", type=float, default=200.0,
                        help="interval of xcatd's probes while it answers")
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--wait-recovered", action="store_true",
                        help="end when, after an outage, all services were up for 1 s")
    parser.add_argument("--out", help="file for the JSON; standard output without it")
    parser.add_argument("--ready-file", help="made when every service has answered once")
    parser.add_argument("--dns-name", default="cn1.cluster.test")
    parser.add_argument("--dns-answer", default="10.77.0.21")
    parser.add_argument("--dhcp-nic", default="eth0")
    parser.add_argument("--dhcp-address", default="10.77.0.21", help="what must be offered")
    parser.add_argument("--xcatd-port", type=int, default=3001)
    parser.add_argument("--xcatd-credentials", default="/root/.xcat",
                        help="directory of client-cred.pem and ca.pem")
    options = parser.parse_args()
    options.services = options.services.split(",")
    if set(options.services) - set(SERVICES):
        parser.error(f"--services: some of {','.join(SERVICES)}")
    socket.inet_aton(options.address)
    return options


def make_probers(options):
    """{service: prober}."""
    interval = options.interval_ms / 1000
    steady = max(interval, options.xcatd_steady_ms / 1000)
    every = {name: Series(interval, interval, 0.5) for name in SERVICES}
    makers = {
        "address": lambda: Address(every["address"], options.address),
        "dns": lambda: Dns(every["dns"], options.address, options.dns_name, options.dns_answer),
        "dhcp": lambda: Dhcp(every["dhcp"], options.address, options.dhcp_nic,
                             options.dhcp_address),
        "xcatd": lambda: Xcatd(Series(interval, steady, 3.0), options.address,
                               options.xcatd_port, options.xcatd_credentials)}
    return {name: makers[name]() for name in options.services}


async def repeat(prober, stop):
    """Probes on a fixed grid; a late wake-up drops the missed ones."""
    series, due = prober.series, time.monotonic()
    while not stop.is_set():
        await prober.probe()
        due += series.interval if series.is_down() else series.steady_interval
        now = time.monotonic()
        if due < now:
            due = now
        await asyncio.sleep(due - now)


async def run(options):
    """Probes until the end; returns the report."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    probers = make_probers(options)
    started, wall = time.monotonic(), time.time()
    for prober in probers.values():
        prober.start(loop)
    tasks = [asyncio.ensure_future(repeat(prober, stop)) for prober in probers.values()]
    all_series = {name: prober.series for name, prober in probers.items()}
    ready = False
    while not stop.is_set() and time.monotonic() - started < options.seconds:
        await asyncio.sleep(0.05)
        if not ready and all(s.ok for s in all_series.values()):
            ready = True
            if options.ready_file:
                write(options.ready_file, "ready\n")
        if options.wait_recovered and ready and recovered(all_series):
            break
    stop.set()
    now = time.monotonic()
    for task in tasks:
        task.cancel()
    return {"service_address": options.address, "started": started, "ended": now,
            "started_unix": wall, "ready": ready,
            "gap_ms": {name: s.report(now)["gap_ms"] for name, s in all_series.items()},
            "cpu_seconds": round(time.process_time(), 3),
            "services": {name: s.report(now) for name, s in all_series.items()}}


def recovered(all_series):
    """Whether there was an outage and every service has been up for STEADY since."""
    now = time.monotonic()
    return any(s.gaps for s in all_series.values()) and \
        all(s.steady(now) for s in all_series.values())


def write(path, text):
    """Writes a file that nobody sees half written."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


def main():
    """Entry."""
    options = parse()
    report = asyncio.run(run(options))
    text = json.dumps(report, indent=1) + "\n"
    if options.out:
        write(options.out, text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
