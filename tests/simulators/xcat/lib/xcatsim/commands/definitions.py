"""mkdef, chdef, rmdef (captures mkdef_*, makehosts, fo3).

mkdef creates nothing when one attribute is invalid, and says so in two lines;
chdef ends with a third.  Several objects count as "N object definitions".
"""
from .. import noderange, objects, texts
from .listing import Options

_DONE = "{count} object definitions have been created or modified."
_REMOVED = "{count} object definitions have been removed."
_FAILED = ("One or more errors occured when attempting to create or modify "
           "xCAT object definitions.")


def mkdef(request, reply):
    """Creates objects from attr=value words or, with -z, from stanzas on stdin."""
    _apply(request, reply, creating=True)


def chdef(request, reply):
    """Changes objects; those that do not exist are created."""
    _apply(request, reply, creating=False)


def rmdef(request, reply):
    """Removes objects from every table of their type."""
    options = Options(request.arguments)
    kind = options.kind or "node"
    names, missing = options.object_names(request.cluster, kind)
    for name in missing:
        reply.error(f"Could not find an object named '{name}' of type '{kind}'.")
    if not names:
        reply.data("No objects have been removed from the xCAT database.")
        return
    key = objects.TYPES[kind][1]
    known = set(objects.attributes(kind).values())
    tables = {table for table, _ in known} | ({"nimimage"} if kind == "osimage" else set())
    for table in sorted(tables):
        request.tables.delete_many(table, [{key: name} for name in names])
    reply.data(_REMOVED.format(count=len(names)))


def _apply(request, reply, creating):
    options = Options(request.arguments)
    if "z" in options.flags:
        wanted = list(_stanzas(request.stdin))
    else:
        wanted = _from_words(options, request, reply, creating)
    if wanted is None or not _valid(wanted, reply, creating):
        return
    if creating and not _absent(wanted, request, reply, "f" in options.flags):
        return
    for kind, name, values in wanted:
        if options.flags & set("pm") and not creating:
            values = _merged(kind, name, values, request, "p" in options.flags)
        _store(kind, name, values, request.tables)
        request.fault.node_done()
    reply.data(_DONE.format(count=len(wanted)))


def _from_words(options, request, reply, creating):
    kind = options.kind or "node"
    if kind not in objects.TYPES:
        reply.error(f"'{kind}' is not a valid xCAT object type.")
        return None
    text = options.names or ",".join(options.words)
    if kind == "site":
        text = objects.SITE_OBJECT
    if not text:
        reply.error("No object names were provided.")
        return None
    names = text.split(",")
    if kind == "node":
        groups = {} if creating else request.cluster.groups()
        names = noderange.expand(text, None, groups)[0]
    return [(kind, name, dict(options.attributes)) for name in names]


def _stanzas(text):
    """(kind, name, attributes) of each stanza, as lsdef -z prints them."""
    name, values = None, {}
    for line in text.splitlines() + [":"]:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if "=" not in line and line.rstrip().endswith(":"):
            if name:
                yield values.pop("objtype", "node"), name, values
            name, values = line.strip()[:-1], {}
        else:
            key, _, value = line.strip().partition("=")
            values[key] = value


def _valid(wanted, reply, creating):
    ok = True
    for kind, _, values in wanted:
        if kind == "site":
            continue
        known = objects.attributes(kind, values)
        for attribute in [a for a in values if a not in known]:
            reply.error(f"'{attribute}' is not a valid attribute name for an object type "
                        f"of '{kind}'.")
            reply.error("Skipping to the next attribute.")
            ok = False
    if not ok and not creating:
        reply.error(_FAILED)
    return ok


def _absent(wanted, request, reply, force):
    existing = {kind: set(objects.names_of(kind, request.cluster))
                for kind in {kind for kind, _, _ in wanted}}
    present = [name for kind, name, _ in wanted if name in existing[kind] and not force]
    for name in present:
        reply.error(texts.ALREADY_EXISTS.format(name=name))
    if present:
        reply.error(_FAILED)
    return not present


def _merged(kind, name, values, request, adding):
    """chdef -p adds to comma lists, -m takes from them."""
    current = objects.values_of(kind, [name], request.cluster)[name]
    result = {}
    for attribute, value in values.items():
        have = [v for v in (current.get(attribute) or "").split(",") if v]
        listed = value.split(",")
        if adding:
            have += [v for v in listed if v not in have]
        else:
            have = [v for v in have if v not in listed]
        result[attribute] = ",".join(have)
    return result


def _store(kind, name, values, tables):
    if kind == "site":
        for key, value in values.items():
            if value == "":
                tables.delete_many("site", [{"key": key}])
            else:
                tables.put("site", {"key": key}, {"value": value})
        return
    table, key = objects.TYPES[kind]
    changes = objects.changes(kind, name, values)
    changes.setdefault(table, {})
    for changed, columns in changes.items():
        if changed == table and not columns:
            if not tables.rows(table, {key: name}):
                tables.put(table, {key: name}, {})
            continue
        tables.put(changed, {key: name}, columns)
