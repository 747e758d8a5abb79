"""tabdump and tabrestore: tables as CSV (captures tabdump_*)."""
from .. import schema, texts


def csv_lines(table, rows):
    """The header and one line per row, in xCAT's quoting."""
    names = schema.columns(table)
    yield "#" + ",".join(names)
    for row in rows:
        yield ",".join(_quoted(row.get(name)) for name in names)


def _quoted(value):
    return "" if value is None else '"' + str(value).replace('"', '""') + '"'


def tabdump(request, reply):
    """The rows of each table, the columns' names with -d, all tables without a name."""
    tables = [argument for argument in request.arguments if not argument.startswith("-")]
    if not tables:
        for table in schema.TABLES:
            reply.data(table)
        return
    for table in tables:
        if table not in schema.TABLES:
            reply.error(texts.NO_SUCH_TABLE.format(table=table))
            continue
        if request.has("-d"):
            reply.data("\n".join(f"{name}:" for name in schema.columns(table)))
            continue
        reply.data("\n".join(csv_lines(table, request.tables.rows(table))))


def tabrestore(request, reply):
    """Replaces the table named by the file (argument) with the CSV on stdin."""
    name = request.arguments[-1].rsplit("/", 1)[-1].removesuffix(".csv")
    if name not in schema.TABLES:
        reply.error(texts.NO_SUCH_TABLE.format(table=name))
        return
    names, rows = schema.columns(name), []
    for record in parse_csv(request.stdin):
        if record and record[0] and record[0].startswith("#"):
            names = [record[0][1:]] + record[1:]
            continue
        if len(record) > len(names):
            reply.error(f"CSV file {request.arguments[-1]} has more fields than columns")
            return
        rows.append(dict(zip(names, record)))
    request.tables.replace_all(name, rows)


def parse_csv(text):
    """Records of fields; an unquoted empty field is None, a quoted one "".

    Python's csv module cannot tell these two apart.
    """
    field, record, quoted, inside, index = "", [], False, False, 0
    while index < len(text):
        character = text[index]
        if inside and character == '"' and text[index + 1:index + 2] == '"':
            field += '"'
            index += 1
        elif character == '"':
            inside, quoted = not inside, True
        elif not inside and character in ",\n":
            record.append(field if field or quoted else None)
            field, quoted = "", False
            if character == "\n":
                yield record
                record = []
        else:
            field += character
        index += 1
    if field or record:
        yield record + [field if field or quoted else None]
