"""The client side of every xCAT command: xcatclient, xcatclientnnr, xcatDBcmds.

Sends the request to xcatd over TLS, prints what comes back, exits with its
codes; under XCATBYPASS runs the command here, on the tables directly.  Texts and
exit codes of failures: capture fo1, and texts.py for the recalled ones.
"""
import os
import select
import signal
import socket
import ssl
import stat
import sys

from . import paths, texts, wire
from .reply import Reply, show

DEFAULT_HOST = "localhost:3001"
CONNECT_SECONDS = 15


class ConnectFailure(Exception):
    """No usable connection to xcatd; the text is what follows "Connection failure: "."""


def standard_input():
    """Everything on stdin if it is a pipe, None otherwise.

    As xCAT's clients do: a pipe that is never closed makes the command wait for
    ever; without TERM in the environment stdin is polled for 1 s instead.
    """
    if sys.stdin is None or sys.stdin.closed:
        return None
    if "TERM" not in os.environ:
        if not select.select([sys.stdin], [], [], 1.0)[0]:
            return None
        return sys.stdin.read()
    return sys.stdin.read() if stat.S_ISFIFO(os.fstat(0).st_mode) else None


def request_for(command, arguments, takes_noderange):
    """The request as the client programs build it.

    With `takes_noderange` the first argument without a hyphen is the noderange,
    wherever it stands.
    """
    request = {"command": [command], "cwd": [os.getcwd()], "clienttype": ["cli"]}
    rest = list(arguments)
    if takes_noderange:
        for index, argument in enumerate(rest):
            if not argument.startswith("-"):
                request["noderange"] = [rest.pop(index)]
                break
    if rest:
        request["arg"] = rest
    data = standard_input()
    if data:
        request["stdin"] = [data]
    return request


def submit(request):
    """Runs the request, prints its messages, returns the exit code."""
    if os.environ.get("XCATBYPASS"):
        return _bypass(request)
    address = os.environ.get("XCATHOST") or DEFAULT_HOST
    try:
        connection = connect(address)
    except ConnectFailure as failure:
        # stdout is buffered, so a pipe sees these lines after stderr's; the code is perl's die.
        print(f"Unable to open socket connection to xcatd daemon on {address}.\n"
              "Verify that the xcatd daemon is running and that your SSL setup is correct.",
              flush=True)
        print(f"Connection failure: {failure}", file=sys.stderr)
        return 255
    return _converse(connection, request)


def _converse(connection, request):
    def abort(*_):
        try:
            connection.sendall(wire.encode(wire.REQUEST, {"abortcommand": ["1"]}))
        except OSError:
            pass
        sys.exit(0)

    signal.signal(signal.SIGINT, abort)
    signal.signal(signal.SIGTERM, abort)
    code = 0
    try:
        connection.sendall(wire.encode(wire.REQUEST, request))
        for document in wire.read_documents(lambda: connection.recv(65536), wire.RESPONSE):
            message = wire.decode(document)
            code |= show(message)
            if "serverdone" in message:
                return code
    except (OSError, ValueError):
        pass
    print(texts.CUT_SHORT, file=sys.stderr)
    return code


def _bypass(request):
    from . import commands
    from .tables import DirectTables, TableError
    code = 0

    def send(message):
        nonlocal code
        code |= show(message)

    try:
        commands.run(request, Reply(send), DirectTables(), user="root")
    except TableError as error:
        print(f"ERROR: Unable to open basic site table for configuration ({error})")
        return 1
    return code & 255


def credentials(home=None):
    """(certificate with key, CA) of the user who runs the command."""
    home = home or os.path.expanduser(f"~{os.environ.get('USER', 'root')}")
    return f"{home}/.xcat/client-cred.pem", f"{home}/.xcat/ca.pem"


def connect(address):
    """A TLS connection to xcatd; only the CA is checked, never the name (capture fo8)."""
    host, _, port = address.rpartition(":")
    certificate, authority = credentials("/root" if os.geteuid() == 0 else None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        plain = socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS)
    except OSError as error:
        raise ConnectFailure(_plain_failure(error)) from error
    plain.settimeout(None)
    try:
        if os.access(certificate, os.R_OK) and os.access(authority, os.R_OK):
            context.load_verify_locations(authority)
            context.load_cert_chain(certificate)
        return context.wrap_socket(plain)
    except OSError as error:
        raise ConnectFailure(_tls_failure(error)) from error


def _plain_failure(error):
    if isinstance(error, ConnectionRefusedError):
        text = texts.CONNECT_REFUSED
    elif isinstance(error, TimeoutError):
        text = texts.CONNECT_TIMEOUT
    else:
        text = texts.CONNECT_OTHER.format(reason=error.strerror or error)
    return f"{text} at {paths.ROOT}/lib/perl/xCAT/Client.pm line {texts.CONNECT_LINE}."


def _tls_failure(error):
    reason = getattr(error, "reason", None) or ""
    if reason in texts.TLS_REASONS:
        code, words = texts.TLS_REASONS[reason]
        text = f"SSL connect attempt failed error:{code}:SSL routines::{words}"
    else:
        text = f"SSL connect attempt failed {str(reason).lower().replace('_', ' ')}".rstrip()
    return f"{text} at {paths.ROOT}/lib/perl/xCAT/Client.pm line {texts.TLS_LINE}."


def main(takes_noderange):
    """Entry of the launchers; the command is the name it was called by."""
    name = os.path.basename(sys.argv[0])
    arguments = sys.argv[1:]
    if name.startswith("xcatclient") or name == "xcatDBcmds":
        name, arguments = arguments[0], arguments[1:]
    sys.exit(submit(request_for(name, arguments, takes_noderange)))
