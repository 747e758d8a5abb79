"""Exceptions are caught where docs/errors.md says so, in its table "Catch sites"."""

import re

from source import Finding

DOCUMENT = "docs/errors.md"
_CATCH = re.compile(r"\bcatch\s*\(")


def listed_sites(text):
    """The rows of the table: path → (line, reason)."""
    sites = {}
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            inside = line.lstrip("#").strip() == "Catch sites"
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if inside and line.lstrip().startswith("|") and "/" in cells[0]:
            sites[cells[0].strip("`")] = (number, cells[1] if len(cells) > 1 else "")
    return sites


def check(sources):
    documents = [source for source in sources if source.path == DOCUMENT]
    listed = listed_sites(documents[0].text) if documents else {}
    catching = set()
    for source in sources:
        if not source.is_part or not source.is_cpp:
            continue
        for match in _CATCH.finditer(source.code):
            catching.add(source.path)
            if source.path not in listed:
                yield source.finding(match.start(),
                                     f"this catch site is not listed in {DOCUMENT}, Catch sites")
    for path, (line, reason) in listed.items():
        if path not in catching:
            yield Finding(DOCUMENT, line, f"{path} catches nothing")
        if not reason:
            yield Finding(DOCUMENT, line, f"no reason is given for catching in {path}")


_TABLE = "# Errors\n\n## Catch sites\n\n| file | why |\n|---|---|\n"
GOOD = {
    DOCUMENT: _TABLE + "| `sync/pass.cpp` | one file's trouble |\n\n## Other\n| a/b | c |\n",
    "sync/pass.cpp": "void f() {\n  try {\n  } catch (const Error&) {\n  }\n}\n",
    "sync/words.cpp": '// catch (this)\nauto s = "catch (that)";\nvoid catch_up();\n',
    "tests/unit/a.cpp": "void f() { try {} catch (...) {} }\n",
}
BAD = {
    DOCUMENT: (_TABLE + "| sync/gone.cpp | was here |\n| cli/main.cpp | |\n", [7, 8]),
    "cli/main.cpp": ("int main() { try {} catch (const Error&) {} }\n", []),
    "base/a.cpp": ("void f() {\n  try {\n  } catch (...) {\n  }\n}\n", [3]),
}
