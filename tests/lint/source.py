"""Source files as the lint programs see them."""

import os
import re
from typing import NamedTuple

PARTS = ("base", "sync", "dbrepl", "nimrebuild", "cron", "takeover", "cli")
SKIPPED_DIRECTORIES = {".git", ".cache", "build", "__pycache__"}
TEXT_ENDINGS = (".h", ".cpp", ".py", ".cmake", ".txt", ".md", ".sh", ".json", ".toml", ".service",
                ".timer", ".in")

_TOKENS = re.compile(
    r'(?P<comment>//[^\n]*|/\*.*?\*/)'
    r'|(?P<raw>R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")'
    r'|(?P<string>"(?:\\.|[^"\\\n])*")'
    r"|(?P<character>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')",
    re.DOTALL)


class Finding(NamedTuple):
    path: str
    line: int
    text: str


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def _without_comments(match):
    return _blank(match.group()) if match.group("comment") else match.group()


def _without_comments_and_strings(match):
    text = match.group()
    if match.group("comment"):
        return _blank(text)
    return text[0] + _blank(text[1:-1]) + text[-1]


class Source:
    """One file: its path from the root of the repository and its text.

    `uncommented` has its comments blanked, `code` its comments and the insides of its literals;
    both keep every offset and every line.
    """

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.folder = path.split("/")[0]
        self.is_part = self.folder in PARTS
        self.is_cpp = path.endswith((".h", ".cpp"))
        self.is_header = path.endswith(".h")
        self._uncommented = None
        self._code = None

    @property
    def uncommented(self):
        if self._uncommented is None:
            self._uncommented = _TOKENS.sub(_without_comments, self.text)
        return self._uncommented

    @property
    def code(self):
        if self._code is None:
            self._code = _TOKENS.sub(_without_comments_and_strings, self.text)
        return self._code

    def finding(self, offset, text):
        return Finding(self.path, self.text.count("\n", 0, offset) + 1, text)


def read_sources(root):
    """All text files below `root`, by path."""
    sources = []
    for directory, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in SKIPPED_DIRECTORIES)
        for name in sorted(files):
            path = os.path.join(directory, name)
            if not name.endswith(TEXT_ENDINGS) and "." in name or os.path.islink(path):
                continue
            try:
                with open(path, encoding="utf-8") as file:
                    sources.append(Source(os.path.relpath(path, root), file.read()))
            except (UnicodeDecodeError, OSError):
                continue  # not text
    return sources


def closing_brace(code, opening):
    """The offset of the brace that closes the one at `opening`, or the end of the code."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, opening):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.start()
    return len(code)


def enclosing_brace(code, offset):
    """The offset of the innermost brace that is open at `offset`, or -1."""
    depth = 0
    for at in range(offset - 1, -1, -1):
        if code[at] == "}":
            depth += 1
        elif code[at] == "{":
            if depth == 0:
                return at
            depth -= 1
    return -1
