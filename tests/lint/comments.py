"""Public names are explained: `///` above every class, struct and function of a header.

A comment may stand above several declarations that follow each other without a blank line.
"""

import re

_SKIPPED = re.compile(r"\s*(?:namespace|using|typedef|extern|static_assert|friend|enum)\b")
_TYPE = re.compile(r"\s*(?:template\s*<.*>\s*)?(?:class|struct|union)\s+(?:\[\[\w+\]\]\s*)?(\w+)",
                   re.DOTALL)
_FUNCTION = re.compile(r"(?:\boperator\s*\S+|\b(\w+))\s*\(")
_BREAK = re.compile(r"[{};#]")


def check(sources):
    for source in sources:
        if source.is_part and source.is_header:
            yield from _check_header(source)


def _check_header(source):
    lines = source.text.split("\n")
    for offset, text in _declarations(source.code):
        name = _public_name(text)
        start = offset + len(text) - len(text.lstrip())
        line = source.text.count("\n", 0, start)
        if name and not _is_explained(lines, line):
            yield source.finding(start, f"{name} has no /// comment")


def _declarations(code):
    """Offset and text of every declaration at namespace scope, without its body."""
    at = 0
    while True:
        match = _BREAK.search(code, at)
        if match is None:
            return
        text = code[at:match.start()]
        if match.group() == "#":  # a directive ends with its line
            end = code.find("\n", match.start())
            at = end if end >= 0 else len(code)
            continue
        if match.group() == "{":
            if re.match(r"\s*(?:inline\s+)?namespace\b", text) or re.match(r'\s*extern\s+"', text):
                at = match.end()
                continue
            yield at, text + "{"
            depth, at = 1, match.end()
            while depth and at < len(code):
                brace = re.compile(r"[{}]").search(code, at)
                if brace is None:
                    return
                depth += 1 if brace.group() == "{" else -1
                at = brace.end()
            continue
        if match.group() == ";" and text.strip():
            yield at, text + ";"
        at = match.end()


def _public_name(text):
    if _SKIPPED.match(text) or not text.strip(" \n;"):
        return None
    a_type = _TYPE.match(text)
    if a_type:
        return None if text.rstrip().endswith(";") else a_type.group(1)
    without_attributes = re.sub(r"\[\[.*?\]\]", "", text)
    function = _FUNCTION.search(without_attributes)
    is_variable = function and "=" in without_attributes[:function.start()]
    if function is None or is_variable:
        return None
    return function.group(1) or "operator"


def _is_explained(lines, number):
    """True if the block of lines above this one, up to a blank line, holds a /// comment."""
    while number > 0 and lines[number - 1].strip():
        number -= 1
        if lines[number].startswith("///"):
            return True
        if lines[number].startswith(("}", "namespace", "#")):
            return False
    return False


GOOD = {
    "base/a.h": "#pragma once\n\n#include <string>\n\nnamespace hamn::base {\n\n"
                "class Forward;\nstruct _Other;\n\n"
                "/// Explained.\nclass A {\n public:\n  void f();\n  int g() { return 1; }\n};\n\n"
                "/// Explained.\n[[nodiscard]] std::string b(int c,\n                            int d);\n"
                "std::string second();\n\n"
                "/// Explained.\ntemplate <typename T>\nT e(T f) {\n  if (f) { return f; }\n  return f;\n}\n\n"
                "constexpr int limit = int(5);\nusing X = int;\nenum class Y { one, two };\n"
                "constexpr std::array all{1, 2};\n\n"
                "}  // namespace hamn::base\n",
    "base/a.cpp": "namespace hamn::base {\nvoid f() {}\n}\n",
}
BAD = {
    "base/b.h": ("#pragma once\nnamespace hamn::base {\n\nclass A {\n};\n\n// Plain.\nvoid b();\n\n"
                 "/// Explained.\nvoid c();\n\n[[nodiscard]]\nint d(int e);\n\n"
                 "struct F {\n  int g = 1;\n};\ninline int h() { return 1; }\n\n}\n", [4, 8, 13, 16, 19]),
}
