"""Texts and codes that were recalled or read in an older xCAT source, not captured.

Correct them here when a real xCAT shows something else.  Everything printed
elsewhere in the simulators is word for word from a capture of xCAT 2.19.
"""

# Source, Client.pm: the connection failed before TLS (IO::Socket::INET's own words).
CONNECT_REFUSED = "IO::Socket::INET: connect: Connection refused"
CONNECT_TIMEOUT = "IO::Socket::INET: connect: timeout"
CONNECT_OTHER = "IO::Socket::INET: connect: {reason}"
CONNECT_LINE = 248   # line of Client.pm named in the message (xcat-core issue 3235)
TLS_LINE = 282       # capture fo1_foreign_client_to_mn1

# Source, Client.pm: the server went away before "serverdone"; the exit code is not raised.
CUT_SHORT = "ERROR/WARNING: communication with the xCAT server seems to have been ended prematurely"

# Source, xcatd: the answer has no errorcode, so the client prints the error and exits 0.
PERMISSION_DENIED = "Permission denied for request"
PERMISSION_DENIED_CODE = None
UNSUPPORTED = "Unsupported request"

# OpenSSL 3 reason codes as IO::Socket::SSL shows them (the first one: capture fo1).
TLS_REASONS = {
    "CERTIFICATE_VERIFY_FAILED": ("0A000086", "certificate verify failed"),
    "TLSV1_ALERT_UNKNOWN_CA": ("0A000418", "tlsv1 alert unknown ca"),
    "WRONG_VERSION_NUMBER": ("0A00010B", "wrong version number"),
    "UNEXPECTED_EOF_WHILE_READING": ("0A000126", "unexpected eof while reading"),
}

# Source, xcatd.
TAKEOVER_FAILED = "Unable to perform socket takeover from existing xCAT instance"
NO_PORT = ("ERROR:Need xcatdport defined in site table, "
           "try chtab key=xcatdport site.value=3001")

# Recalled from the plugins.
NO_SUCH_TABLE = "No such table: {table}"
ALREADY_EXISTS = "A definition for '{name}' already exists."
NO_IMAGE_NAME = "OS image name must be specified in nodetype.provmethod"
NO_SUCH_IMAGE = "Cannot find the OS image {image} in the osimage table."
NO_ROOT_IMAGE = ("Did you run \"genimage\" before running \"nodeset\"? "
                 "{what} cannot be found at {path}")
GOCONSERVER_RUNS = ("goconserver is being used as console service, can not use "
                    "makeconservercf command. Please use makegocons instead.")
NO_PLUGIN = "Unable to identify plugin for this command, check relevant tables: {tables}"
NODESET_BATCH = 250  # nodes handled by one parallel nodeset child (capture pg_nodeset_netboot_1000)
