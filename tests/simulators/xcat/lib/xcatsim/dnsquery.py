"""The one DNS question makedns asks itself: who serves a zone (Net::DNS's query(zone, NS))."""
import os
import socket
import struct

_NS = 2
TIMEOUT = 5.0  # [s]


class NameServers:
    """Asks the named on this host; remembers every answer for one run of makedns."""

    def __init__(self, server="127.0.0.1"):
        self._known = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(TIMEOUT)
        self._socket.connect((server, 53))

    def close(self):
        """Closes the socket."""
        self._socket.close()

    def of_zone(self, zone):
        """The NS names of exactly this zone; [] if there is none or named is silent."""
        if zone not in self._known:
            self._known[zone] = self._ask(zone)
        return self._known[zone]

    def _ask(self, zone):
        number = os.urandom(2)
        labels = b"".join(bytes([len(label)]) + label.encode()
                          for label in zone.rstrip(".").split("."))
        question = number + struct.pack("!5H", 0x0100, 1, 0, 0, 0) + labels + b"\0" + \
            struct.pack("!2H", _NS, 1)
        try:
            self._socket.send(question)
            while True:
                answer = self._socket.recv(4096)
                if answer[:2] == number:
                    return _names(answer)
        except OSError:
            return []


def _names(answer):
    flags, _, count = struct.unpack("!3H", answer[2:8])
    if flags & 15 or not count:
        return []
    offset = _skip(answer, 12) + 4
    names = []
    for _ in range(count):
        offset = _skip(answer, offset)
        kind, length = struct.unpack("!H", answer[offset:offset + 2])[0], \
            struct.unpack("!H", answer[offset + 8:offset + 10])[0]
        offset += 10
        if kind == _NS:
            names.append(_name(answer, offset))
        offset += length
    return names


def _skip(data, offset):
    while data[offset]:
        if data[offset] >= 0xC0:
            return offset + 2
        offset += data[offset] + 1
    return offset + 1


def _name(data, offset):
    labels = []
    while data[offset]:
        if data[offset] >= 0xC0:
            offset = struct.unpack("!H", data[offset:offset + 2])[0] & 0x3FFF
            continue
        labels.append(data[offset + 1:offset + 1 + data[offset]].decode())
        offset += data[offset] + 1
    return ".".join(labels) + "."
