"""What xCAT derives from its tables: site values, node attributes, groups.

A node's attribute is its own row's value, else that of the first of its groups
that has one.  Values of the form |match|replacement| are computed from the node
name, as in ip="|\\D+(\\d+)|10.1.1.($1+0)|" (capture mkdef_nodes).
"""
import ast
import operator
import re

_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
              ast.Mod: operator.mod, ast.Div: operator.floordiv}


class Cluster:
    """Cached read access for one request; forget() after a change."""

    def __init__(self, tables):
        self.tables = tables
        self._cache = {}

    def forget(self, table=None):
        """Drops what was read of one table, or of all."""
        if table is None:
            self._cache.clear()
        self._cache.pop(table, None)

    def rows(self, table):
        """The rows of a table that are not disabled."""
        if table not in self._cache:
            self._cache[table] = [row for row in self.tables.rows(table)
                                  if str(row.get("disable") or "").lower() not in ("1", "yes")]
        return self._cache[table]

    def site(self, key, default=None):
        """A site value; None or `default` when the row is missing or empty."""
        for row in self.rows("site"):
            if row["key"] == key:
                return row["value"] or default
        return default

    def node_names(self):
        """All nodes, in table order."""
        return [row["node"] for row in self.rows("nodelist")]

    def groups(self):
        """{group: [nodes]} from nodelist.groups and static nodegroup rows."""
        found = {"all": self.node_names()}
        for row in self.rows("nodelist"):
            for group in _names(row["groups"]):
                if group != "all":
                    found.setdefault(group, []).append(row["node"])
        for row in self.rows("nodegroup"):
            found.setdefault(row["groupname"], []).extend(_names(row["members"]))
        return found

    def attributes(self, table, nodes):
        """{node: row} with group values and expressions worked out; {} if nothing is set."""
        by_name = {row["node"]: row for row in self.rows(table)}
        groups = {row["node"]: _names(row["groups"]) for row in self.rows("nodelist")}
        return {node: self._merged(by_name, node, groups.get(node, [])) for node in nodes}

    def _merged(self, by_name, node, groups):
        merged = {}
        for name in [node] + groups:
            for column, value in by_name.get(name, {}).items():
                if value is not None and column not in merged:
                    merged[column] = evaluate(value, node)
        if merged:
            merged["node"] = node
        return merged


def _names(text):
    return [name for name in (text or "").split(",") if name]


def evaluate(value, node):
    """`value`, or what its |match|replacement| or /match/replacement/ makes of `node`."""
    if len(value) < 3 or value[0] not in "|/" or value[-1] != value[0]:
        return value
    parts = value[1:-1].split(value[0])
    if len(parts) == 1:
        parts = [r"\D*(\d+).*", parts[0]]
    if len(parts) != 2:
        return value
    match = re.match(parts[0], node)
    if not match:
        return ""
    text = re.sub(r"\$(\d)", lambda m: match.group(int(m[1])), parts[1])
    return re.sub(r"\(([^()]*)\)", lambda m: _number(m[1]), text)


def _number(expression):
    # Leading zeros of a node's number are no octal literal.
    plain = re.sub(r"\b0+(\d)", r"\1", expression)
    return str(_value(ast.parse(plain, mode="eval").body))


def _value(tree):
    if isinstance(tree, ast.Constant):
        return tree.value
    return _OPERATORS[type(tree.op)](_value(tree.left), _value(tree.right))
