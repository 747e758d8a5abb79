"""lsdef (captures lsdef_*, mkdef_osimage_nim_and_lsdef, mkdef_invalid_attr, fo6)."""
from .. import noderange, objects

_TYPES = {"nodes": "node", "images": "osimage"}


class Options:
    """The options the *def commands share; `attributes` are the attr=value words."""

    def __init__(self, arguments):
        self.kind, self.names, self.attributes, self.words = None, None, {}, []
        self.flags, self.wanted, self.selection = set(), None, []
        rest = list(arguments)
        while rest:
            word = rest.pop(0)
            if word in ("-t", "-o", "-i", "-w") and rest:
                self._valued(word, rest.pop(0))
            elif word.startswith("-") and len(word) > 1:
                self.flags.update(word[1:] if not word.startswith("--") else [word])
            elif "=" in word:
                key, _, value = word.partition("=")
                self.attributes[key] = value
            else:
                self.words.append(word)

    def _valued(self, option, value):
        if option == "-t":
            self.kind = _TYPES.get(value, value)
        elif option == "-o":
            self.names = value
        elif option == "-i":
            self.wanted = value.split(",")
        else:
            self.selection.append(value)

    def object_names(self, cluster, kind):
        """(names, missing) the command is about; (None, []) when none was given."""
        text = self.names or ",".join(self.words)
        if not text:
            return None, []
        if kind == "node":
            return noderange.expand(text, cluster.node_names(), cluster.groups())
        known = objects.names_of(kind, cluster)
        names = text.split(",")
        return [n for n in names if n in known], [n for n in names if n not in known]


def lsdef(request, reply):
    """Lists objects of one type, or shows their attributes."""
    options = Options(request.arguments)
    kind = options.kind or "node"
    if kind not in objects.TYPES:
        reply.error(f"'{kind}' is not a valid xCAT object type.")
        return
    names, missing = options.object_names(request.cluster, kind)
    for name in missing:
        reply.error(f"Could not find an object named '{name}' of type '{kind}'.")
    show_all = names is None and kind != "site"
    if names is None:
        names = objects.names_of(kind, request.cluster)
    if not names:
        reply.data("No object definitions have been found")
        return
    brief = show_all and not (options.flags & set("lzc") or options.wanted or options.selection)
    if brief:
        reply.data("\n".join(f"{name}  ({kind})" for name in sorted(names)))
        return
    _show(options, kind, names, request, reply)


def _show(options, kind, names, request, reply):
    values = objects.values_of(kind, names, request.cluster)
    lines = ["# <xCAT data object stanza file>"] if "z" in options.flags else []
    for name in sorted(names):
        if not all(_selected(values[name], expression) for expression in options.selection):
            continue
        shown = _shown(values[name], options.wanted, kind)
        if "z" in options.flags:
            lines += ["", f"{name}:", f"    objtype={kind}"]
            lines += [f"    {key}={value}" for key, value in shown]
        elif "c" in options.flags:
            lines += [f"{name}: {key}={value}" for key, value in shown]
        else:
            lines += [f"Object name: {name}"] + [f"    {key}={value}" for key, value in shown]
    if lines:
        reply.data("\n".join(lines))


def _shown(values, wanted, kind):
    if wanted is None:
        return sorted((key, value) for key, value in values.items() if value != "")
    if kind == "site":
        return sorted((key, values[key]) for key in wanted if values.get(key))
    # Attributes asked for by name are shown even when empty (capture nodeset_install).
    return sorted((key, values.get(key) or "") for key in wanted)


def _selected(values, expression):
    for sign, test in (("==", str.__eq__), ("!=", str.__ne__), ("=~", lambda v, p: p in v)):
        key, found, value = expression.partition(sign)
        if found:
            return test(values.get(key) or "", value)
    return False
