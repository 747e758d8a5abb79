"""What the visitor sees: short lines, and the time that each part took."""
import codecs
import contextlib
import os
import re
import sys
import time

INDENT = "    "
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_UNFINISHED = re.compile(r"\r?(\x1b(\[[0-9;?]*)?)?\Z")
_COLOURS = {"bold": "1", "good": "32", "bad": "31", "dim": "2", "warning": "33"}


class Screen:
    """Standard output."""

    def __init__(self):
        self.is_terminal = sys.stdout.isatty()
        self.coloured = self.is_terminal and not os.environ.get("NO_COLOR") \
            and os.environ.get("TERM") != "dumb"
        self.columns = os.get_terminal_size().columns if self.is_terminal else 100
        self.phases = {}
        self.started = time.monotonic()

    def paint(self, style, text):
        """The text in a style, if there are colours."""
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if self.coloured else text

    def line(self, text="", style=None):
        """One line of the demo's own."""
        print(INDENT + self.paint(style, text) if style else (INDENT + text if text else ""),
              flush=True)

    def command(self, host, words):
        """A command as a user would type it."""
        self.line(f"{host}# {words}", "bold")

    @contextlib.contextmanager
    def phase(self, name, title):
        """A part of the demo, whose duration is shown and kept under `name`."""
        begun = time.monotonic()
        print(f"\n{self.paint('bold', title)}", flush=True)
        yield
        took = time.monotonic() - begun
        self.phases[name] = round(took, 2)
        self.line(f"({took:.1f} s)", "dim")

    def table(self, rows):
        """Two columns."""
        width = max(len(row[0]) for row in rows)
        for name, text, style in rows:
            mark = {"good": "+", "bad": "x", "warning": "!"}.get(style, " ")
            self.line(f"{self.paint(style, mark) if style else mark} {name:<{width}}  {text}")


class Indented:
    """Passes a program's output on, indented; understands "back to the start of the line"."""

    def __init__(self, screen):
        self.screen = screen
        self.at_start = True
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.rest = ""

    def write(self, data):
        """Bytes as they come; their end may be in the middle of a line, a character or an escape
        sequence. No bytes: the end."""
        text = self.rest + self.decoder.decode(data, not data)
        cut = _UNFINISHED.search(text).start() if data else len(text)
        text, self.rest = text[:cut], text[cut:]
        if not self.screen.coloured:
            text = _ESCAPES.sub(lambda found: found[0] if found[0] == "\x1b[K" else "", text)
        for part in re.split(r"(\r?\n|\r\x1b\[K)", text):
            if not part:
                continue
            if part.endswith("\n"):
                sys.stdout.write("\n")
                self.at_start = True
            elif part.startswith("\r"):
                sys.stdout.write(part)
                self.at_start = True
            else:
                sys.stdout.write((INDENT if self.at_start else "") + part)
                self.at_start = False
        sys.stdout.flush()


def human_bytes(number):
    """Such as 1.4 MiB."""
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"


def human_ms(milliseconds):
    """Such as 3.4 s."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
