"""xCAT's noderange grammar.

names, commas, n[001-100], n001-n100, n001+3, groups, all, -exclude, a@b
(intersection), /regex, ^file.  (xCAT 2.19 man page noderange(3).)
"""
import re


def expand(text, nodes, groups):
    """(nodes in order, names that do not exist) for `text`.

    `nodes` are the defined ones; None accepts every name, as mkdef does.
    """
    known = None if nodes is None else set(nodes)
    result, missed = {}, []
    for part in _split(text):
        excluded = part.startswith("-")
        names, bad = _intersection(part[1:] if excluded else part, nodes, known, groups)
        if excluded:
            for name in names:
                result.pop(name, None)
        else:
            result.update(dict.fromkeys(names))
            missed += bad
    return list(result), missed


def _split(text):
    """Commas outside brackets separate."""
    parts, depth, part = [], 0, ""
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    return [p for p in parts + [part] if p]


def _intersection(part, nodes, known, groups):
    names, missed = None, []
    for atom in part.split("@") if not part.startswith("/") else [part]:
        found, bad = _atom(atom, nodes, known, groups)
        missed += bad
        names = found if names is None else [n for n in names if n in set(found)]
    return names or [], missed


def _atom(atom, nodes, known, groups):
    if known is not None and atom in known:
        return [atom], []
    if atom in groups:
        return list(groups[atom]), []
    if atom.startswith("/"):
        return [n for n in nodes or [] if re.search(atom[1:], n)], []
    if atom.startswith("^"):
        with open(atom[1:], encoding="utf-8") as file:
            return expand(",".join(file.read().split()), nodes, groups)
    names = _names(atom)
    if known is None:
        return names, []
    missed = [name for name in names if name not in known]
    # One bad end makes the whole range bad, and it is named as it was typed.
    return [n for n in names if n in known], ([atom] if missed and len(names) == 1 else missed)


def _names(atom):
    bracket = re.fullmatch(r"(.*?)\[([^]]+)\](.*)", atom)
    if bracket:
        before, inside, after = bracket.groups()
        return [name for piece in inside.split(",") for number in _numbers(piece)
                for name in _names(f"{before}{number}{after}")]
    pair = re.fullmatch(r"(.*?)(\d+)[-:]\1(\d+)", atom)
    if pair:
        return [pair[1] + number for number in _numbers(f"{pair[2]}-{pair[3]}")]
    plus = re.fullmatch(r"(.*?)(\d+)\+(\d+)", atom)
    if plus:
        last = str(int(plus[2]) + int(plus[3])).zfill(len(plus[2]))
        return [plus[1] + number for number in _numbers(f"{plus[2]}-{last}")]
    return [atom]


def _numbers(piece):
    match = re.fullmatch(r"(\d+)[-:](\d+)", piece)
    if not match:
        return [piece]
    first, last = match.groups()
    return [str(n).zfill(len(first)) for n in range(int(first), int(last) + 1)]
