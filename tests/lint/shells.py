"""Commands are lists of words; no shell takes them apart."""

import re

_CALL = re.compile(r"(?<![\w.>])(?:std::|::)?(system|popen|wordexp)\s*\(")
_WORDS = re.compile(r'"(?:[\w/]*/)?(?:ba|da|k|z|c)?sh"\s*,\s*"-\w*c"')


def check(sources):
    for source in sources:
        if not source.is_part or not source.is_cpp:
            continue
        for match in _CALL.finditer(source.code):
            yield source.finding(match.start(), f"{match.group(1)}() gives a string to a shell")
        for match in _WORDS.finditer(source.uncommented):
            yield source.finding(match.start(), "a command must not be a string for a shell")


GOOD = {
    "base/a.cpp": 'auto e = system_error("x", 1, "y");\nCommand c{.argv = {"cp", "a", "b"}};\n'
                  '// system("x"), {"sh", "-c", "x"}\nauto t = "system(x)";\n',
    "tests/unit/a.cpp": 'Command c{.argv = {"/bin/sh", "-c", "x"}};\n',
}
BAD = {
    "base/b.cpp": ('void f() {\n  system("reboot");\n  ::popen("ls", "r");\n}\n', [2, 3]),
    "sync/b.cpp": ('Command c{.argv = {"sh",\n    "-c", "x"}};\nauto d = words("/bin/bash", "-lc");\n',
                   [1, 3]),
}
