"""Files stay short, promise nothing for later, and have no mode that only pretends."""

import re

LONGEST_FILE = 499
# Written apart, so that this file does not find itself.
_LATER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
_PRETENDING = re.compile(r"dry" r"_run")
_PROSE = (".md", ".txt")


def check(sources):
    for source in sources:
        is_code = not source.path.endswith(_PROSE) or source.path.endswith("CMakeLists.txt")
        if is_code and source.path.endswith((".h", ".cpp", ".py", ".cmake", "CMakeLists.txt")):
            lines = source.text.count("\n")
            if lines > LONGEST_FILE:
                yield source.finding(len(source.text) - 1, f"{lines} lines; at most {LONGEST_FILE}")
        if is_code:
            for match in _LATER.finditer(source.text):
                yield source.finding(match.start(), f"{match.group()}: do it, or leave it")
            for match in _PRETENDING.finditer(source.text):
                yield source.finding(match.start(), "looking and acting are apart: plan, then perform")


GOOD = {
    "base/a.cpp": "int x;\n" * LONGEST_FILE,
    "base/b.cpp": 'auto t = "hamn-XX' 'XXXX";\n',
    "docs/decisions.md": "There is no dry" "_run: a plan is shown instead.\n",
}
BAD = {
    "base/c.cpp": ("int x;\n" * (LONGEST_FILE + 1), [LONGEST_FILE + 1]),
    "sync/a.h": ("// TO" "DO: later\nint a;  // FIX" "ME\n", [1, 2]),
    "takeover/a.cpp": ("bool dry" "_run = false;\n", [1]),
    "tests/unit/base/a.cpp": ("// XX" "X\n", [1]),
}
