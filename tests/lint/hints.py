"""Every error says what to do next."""

import re

from source import closing_brace, enclosing_brace

_WHAT = re.compile(r"(?<![\w)\]])\.what\s*=")
_HINT = re.compile(r"(?<![\w)\]])\.hint\s*=\s*")
_POSITIONAL = re.compile(r"\b(?:Error|UnsupportedBySsh)\s*\{\s*\{\s*(?![\s.}])")
_CALL = re.compile(r"\b(?:base::)?system_error\s*\(")
_OF_AN_ERROR = re.compile(r"(?:\{|\bErrorText\b[^;{}()]*)\s*$")
_NOTHING = re.compile(r'""\s*[,})]|\{\s*\}|std::string\s*(?:\{\s*\}|\(\s*\))')


def check(sources):
    for source in sources:
        if not source.is_part or not source.is_cpp:
            continue
        for match in _WHAT.finditer(source.code):
            trouble = _trouble_at(source, match.start())
            if trouble:
                yield source.finding(match.start(), trouble)
        for match in _POSITIONAL.finditer(source.code):
            yield source.finding(match.start(), "name the parts of an error: .what, .detail, .hint")
        for match in _CALL.finditer(source.code):
            hint, end = _third_argument(source, match.end())
            only_words = source.code.startswith(".detail()", end + 1)
            if hint is not None and _NOTHING.match(hint + ")") and not only_words:
                yield source.finding(match.start(), "the hint of this error is empty")


def _trouble_at(source, offset):
    opening = enclosing_brace(source.code, offset)
    if not _OF_AN_ERROR.search(source.code, max(0, opening - 80), max(0, opening)):
        return None  # something else that has a "what"
    end = closing_brace(source.code, opening)
    hints = (hint for hint in _HINT.finditer(source.code, max(opening, 0), end)
             if enclosing_brace(source.code, hint.start()) == opening)
    hint = next(hints, None)
    if hint is None:
        return "this error has no hint"
    if _NOTHING.match(source.text, hint.end()):
        return "the hint of this error is empty"
    return None


def _third_argument(source, start):
    """The third argument of a call whose arguments begin at `start`, and where the call ends."""
    depth = 0
    commas = []
    for at in range(start, len(source.code)):
        character = source.code[at]
        if character in "({[":
            depth += 1
        elif character in ")}]":
            if depth == 0:
                return (source.text[commas[1] + 1:at].strip() if len(commas) == 2 else None), at
            depth -= 1
        elif character == "," and depth == 0:
            commas.append(at)
    return None, len(source.code)


GOOD = {
    "base/a.cpp": 'throw Error{{.what = "a " + b(c),\n             .detail = "d",\n'
                  '             .hint = "do " + x()}};\n'
                  'throw Error{{.what = w, .detail = {}, .hint = hint_for(e), .code = Exit::usage}};\n'
                  'auto e = system_error("x", errno, "do y");\n'
                  'auto f = system_error(a(b, c), errno, hint);\n'
                  'text.what = "context: " + text.what;\n'
                  'Error system_error(const std::string& what, int number, const std::string& hint);\n'
                  'Error e{std::move(text)};\n'
                  'Refusal r{.what = "x", .hint = ""};\n'
                  'auto words = base::system_error("", errno, "").detail();\n',
    "tests/unit/a.cpp": 'throw Error{{.what = "x"}};\n',
}
BAD = {
    "base/b.cpp": ('throw Error{{.what = "a", .detail = "b"}};\n'
                   'throw Error{{.what = "a", .detail = "b", .hint = ""}};\n'
                   'throw Error{{.what = "a", .detail = "b", .hint = {}}};\n'
                   'throw Error{{"a", "b", "c"}};\n'
                   'throw system_error("x", errno, "");\n'
                   'ErrorText text{.what = "a",\n  .detail = f({.hint = "not here"})};\n',
                   [1, 2, 3, 4, 5, 6]),
}
