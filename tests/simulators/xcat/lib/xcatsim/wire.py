"""xcatd's protocol: one XML request, a stream of XML responses, then <serverdone>.

A message is a dict whose values are strings, dicts, or lists of those; each
list element becomes one tag, as XML::Simple writes them in xCAT's Client.pm.
"""
from xml.etree import ElementTree
from xml.sax.saxutils import escape

REQUEST, RESPONSE = "xcatrequest", "xcatresponse"


def encode(root, message):
    """`message` as the bytes of one <root> document."""
    return f"<{root}>\n{_inner(message)}</{root}>\n".encode()


def _inner(message):
    text = ""
    for tag, values in message.items():
        for value in values if isinstance(values, list) else [values]:
            body = "\n" + _inner(value) if isinstance(value, dict) else _text(value)
            text += f"<{tag}>{body}</{tag}>\n"
    return text


def _text(value):
    # Control characters are not XML; xCAT replaces ESC the same way.
    clean = str(value).replace("\x1b", "xxxxESCxxxx")
    return escape("".join(c for c in clean if c in "\n\t\r" or ord(c) >= 32), {"\r": "&#13;"})


def decode(data):
    """The dict of one document; every value is a list.  ValueError if it is none."""
    try:
        return _fields(ElementTree.fromstring(data))
    except ElementTree.ParseError as error:
        raise ValueError(f"not XML: {error}") from error


def _fields(element):
    fields = {}
    for child in element:
        value = _fields(child) if len(child) else (child.text or "").replace("xxxxESCxxxx", "\x1b")
        fields.setdefault(child.tag, []).append(value)
    return fields


def read_documents(receive, root):
    """Yields each complete <root> document that `receive()` (bytes, b"" at end) brings."""
    end = f"</{root}>".encode()
    data = b""
    while True:
        part = receive()
        if not part:
            return
        data += part
        while end in data:
            document, data = data.split(end, 1)
            yield document.lstrip() + end
