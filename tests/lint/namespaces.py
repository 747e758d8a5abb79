"""A folder is a namespace: base/… is hamn::base. Headers begin with #pragma once."""

import re

from source import closing_brace

_FORWARD = re.compile(r"\s*(?:(?:class|struct)\s+\w+\s*;\s*)+")
_NAMESPACE = re.compile(r"^(?:inline[ \t]+)?namespace[ \t]+([\w:]+)[ \t]*\{", re.MULTILINE)


def check(sources):
    for source in sources:
        if not source.is_part or not source.is_cpp:
            continue
        wanted = "hamn::" + source.folder
        found = [match for match in _NAMESPACE.finditer(source.code)
                 if not _only_names_types(source.code, match)]
        for match in found:
            if match.group(1) != wanted:
                yield source.finding(match.start(), f"namespace {match.group(1)} in {source.folder}/"
                                                    f": it must be {wanted}")
        if not found and not source.path.endswith("/main.cpp"):
            yield source.finding(0, f"nothing is in namespace {wanted}")
        if source.is_header and not source.text.startswith("#pragma once\n"):
            yield source.finding(0, "a header begins with #pragma once")


def _only_names_types(code, match):
    """namespace CLI { class App; }: a header names a type of a package that it does not show."""
    opening = match.end() - 1
    return _FORWARD.fullmatch(code, opening + 1, closing_brace(code, opening)) is not None


GOOD = {
    "cli/a.h": "#pragma once\nnamespace CLI {\nclass App;\n}\nnamespace hamn::cli {\n}\n",
    "base/a.h": "#pragma once\nnamespace hamn::base {\n}\n",
    "sync/a.cpp": "namespace hamn::sync {\nnamespace {\n}\nnamespace fs = std::filesystem;\n}\n",
    "cli/main.cpp": "int main() {}\n",
    "tests/unit/sync/a.cpp": "namespace hamn::test {\n}\n",
}
BAD = {
    "base/a.cpp": ("namespace hamn::sync {\n}\n", [1]),
    "cron/a.cpp": ("\nnamespace hamn {\n}\n", [2]),
    "sync/a.cpp": ("int x;\n", [1]),
    "sync/b.h": ("namespace hamn::sync {\n}\n", [1]),
}
