"""What a command answers: the messages of xCAT's plugins, and how a client prints them."""
import sys


class Reply:
    """Collects one command's messages; each is handed to `send` at once.

    `source` is the host xcatd puts before errors and warnings ("[mn1]: "); it is
    empty under XCATBYPASS, where no xcatd is involved.
    """

    def __init__(self, send, source=""):
        self._send = send
        self._mark = f"[{source}]: " if source else ""
        self.failed = False

    def data(self, text):
        """One piece of output."""
        self._send({"data": [text]})

    def error(self, text, code=1):
        """"Error: [mn1]: text" on stderr."""
        self.failed = self.failed or bool(code)
        self._send({"error": [self._mark + text], "errorcode": [str(code)]})

    def raw_error(self, text, code=1):
        """An error of xcatd itself: without the host's mark (capture fo3)."""
        self.failed = True
        self._send({"error": [text], "errorcode": [str(code)]})

    def warning(self, text):
        """"Warning: [mn1]: text" on stderr; never changes the exit code."""
        self._send({"warning": [self._mark + text]})

    def node(self, name, text):
        """"name: text"."""
        self._send({"node": [{"name": [name], "data": [text]}]})

    def node_error(self, name, text, code=1):
        """"name: [mn1]: Error: text" on stderr (capture nodeset_bad)."""
        self.failed = True
        shown = f"{name}: {self._mark}".rstrip(": ") if self._mark else name
        self._send({"node": [{"name": [shown], "error": [text], "errorcode": [str(code)]}]})


def show(message):
    """Prints one message as xCAT's Client.pm does; returns its exit code bits."""
    code = _codes(message)
    for text in message.get("error", []):
        print(f"Error: {text}", file=sys.stderr, flush=True)
    for text in message.get("warning", []):
        print(f"Warning: {text}", file=sys.stderr, flush=True)
    for text in message.get("info", []):
        print(text, flush=True)
    for node in message.get("node", []):
        code |= _show_node(node)
    for text in message.get("data", []):
        if text:
            print(text, flush=True)
    return code


def _codes(message):
    code = 0
    for value in message.get("errorcode", []):
        code |= int(value)
    return code


def _show_node(node):
    text, stream = node["name"][0], sys.stdout
    for kind in ("error", "warning"):
        if node.get(kind):
            text += f": {kind.capitalize()}: {node[kind][0]}"
            stream = sys.stderr
    if node.get("data"):
        text += f": {node['data'][0]}"
    print(text, file=stream, flush=True)
    return _codes(node)
