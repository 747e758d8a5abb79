"""The commands xcatd executes; here: looking one up and running it.

A command is a function (Request, Reply).  It may raise TableError, which is
reported as an error with code 1.
"""
import importlib

from .. import noderange, texts
from ..faults import Fault
from ..nodes import Cluster
from ..tables import TableError

# command: (module, function)
_COMMANDS = {
    "chdef": ("definitions", "chdef"),
    "lsdef": ("listing", "lsdef"),
    "lsxcatd": ("information", "lsxcatd"),
    "makeconservercf": ("consoles", "makeconservercf"),
    "makedhcp": ("makedhcp", "makedhcp"),
    "makedns": ("makedns", "makedns"),
    "makegocons": ("consoles", "makegocons"),
    "makehosts": ("makehosts", "makehosts"),
    "mkdef": ("definitions", "mkdef"),
    "nodels": ("information", "nodels"),
    "nodeset": ("nodeset", "nodeset"),
    "rmdef": ("definitions", "rmdef"),
    "rpower": ("rpower", "rpower"),
    "tabdump": ("tabfiles", "tabdump"),
    "tabrestore": ("tabfiles", "tabrestore"),
    "updatenodestat": ("information", "updatenodestat"),
}


class Request:
    """One command with everything it may look at."""

    def __init__(self, fields, tables, user):
        self.command = fields["command"][0]
        self.arguments = fields.get("arg", [])
        self.noderange = (fields.get("noderange") or [""])[0]
        self.stdin = (fields.get("stdin") or [""])[0]
        self.user = user
        self.tables = tables
        self.cluster = Cluster(tables)
        self.nodes = []
        self.fault = Fault(self.command)

    def has(self, *options):
        """Whether one of the options was given, alone or bundled (-Vn)."""
        for argument in self.arguments:
            if argument in options:
                return True
            if argument[:1] == "-" and argument[1:2] not in ("-", "") and "=" not in argument:
                if any(len(o) == 2 and o[1] in argument[1:] for o in options):
                    return True
        return False

    def again(self, command, nodes, arguments):
        """A request of one command to another, such as nodeset's makedhcp."""
        request = Request({"command": [command], "arg": arguments}, self.tables, self.user)
        request.nodes = nodes
        return request


def preload():
    """Imports all commands, so that xcatd's children need not."""
    for module, _ in _COMMANDS.values():
        importlib.import_module(f"{__name__}.{module}")


def function_of(command):
    """The function that carries out `command`."""
    module, function = _COMMANDS[command]
    return getattr(importlib.import_module(f"{__name__}.{module}"), function)


def run(fields, reply, tables, user):
    """Runs the request in `fields`; every outcome goes to `reply`."""
    request = Request(fields, tables, user)
    if request.command not in _COMMANDS:
        reply.error(texts.UNSUPPORTED)
        return
    try:
        if request.noderange and not _resolve(request, reply):
            return
        if not request.fault.before(reply):
            function_of(request.command)(request, reply)
    except TableError as error:
        reply.error(str(error))


def _resolve(request, reply):
    """Fills request.nodes; xcatd itself refuses unknown names, without its host mark (fo3)."""
    nodes, missed = noderange.expand(request.noderange, request.cluster.node_names(),
                                     request.cluster.groups())
    if missed:
        reply.raw_error(f"Invalid nodes and/or groups in noderange: {','.join(missed)}")
        return False
    request.nodes = nodes
    return True
