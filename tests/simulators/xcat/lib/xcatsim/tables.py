"""xCAT's tables in SQLite, one file per table, opened directly.

Inside xcatd only the DB worker does this; under XCATBYPASS=1, and always in
chtab, the command itself does: a second writer, with SQLite's own locks as the
only protection (facts: one file per table, journal_mode delete, umask 0077, no
transaction across tables, busy time-out 30 s as DBD::SQLite's default).
"""
import os
import sqlite3

from . import cfgloc, schema

BUSY_TIMEOUT = 30.0  # [s]


class TableError(Exception):
    """A table could not be opened, read or written."""


class DirectTables:
    """Row access to every table of one directory; values are str or None.

    Keeps one open connection per table for its lifetime, as the DB worker does.
    Used from one thread; not to be carried over a fork.
    """

    def __init__(self, directory=None):
        if directory is None:
            database = cfgloc.database()
            if database.directory is None:
                raise TableError(f"database engine {database.engine} cannot be opened")
            directory = database.directory
        self.directory = directory
        self._open = {}

    def close(self):
        """Closes all files."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def update_schema(self):
        """Makes missing tables and columns, as xcatd does when it starts."""
        for table in schema.TABLES:
            self._connection(table)

    def rows(self, table, where=None):
        """All rows, or those equal to `where` in its columns, in file order."""
        sql, values = f"SELECT * FROM {schema.quote(table)}", []
        if where:
            sql += " WHERE " + " AND ".join(f"{schema.quote(c)} = ?" for c in where)
            values = list(where.values())
        cursor = self._execute(table, sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]

    def put_many(self, table, changes):
        """Updates or inserts each (key, values) of `changes` in one transaction."""
        self._transaction(table, [self._put_statement(table, key, values)
                                  for key, values in changes])

    def put(self, table, key, values):
        """Updates or inserts one row, committed at once."""
        self.put_many(table, [(key, values)])

    def delete_many(self, table, keys):
        """Deletes the rows equal to each key of `keys`, in one transaction."""
        statements = []
        for key in keys:
            where = " AND ".join(f"{schema.quote(c)} = ?" for c in key) or "1"
            statements.append(([f"DELETE FROM {schema.quote(table)} WHERE {where}",
                                list(key.values())],))
        self._transaction(table, statements)

    def replace_all(self, table, rows):
        """Empties the table and inserts `rows`, in one transaction (tabrestore)."""
        statements = [([f"DELETE FROM {schema.quote(table)}", []],)]
        statements += [self._insert(table, row) for row in rows]
        self._transaction(table, statements)

    def _put_statement(self, table, key, values):
        """The statements to try in turn until one of them touches a row."""
        insert = self._insert(table, {**key, **values})
        if not values:
            return insert
        where = " AND ".join(f"{schema.quote(c)} = ?" for c in key)
        update = [f"UPDATE {schema.quote(table)} SET "
                  + ", ".join(f"{schema.quote(c)} = ?" for c in values) + f" WHERE {where}",
                  list(values.values()) + list(key.values())]
        return (update, insert[0])

    def _insert(self, table, row):
        names = ", ".join(schema.quote(c) for c in row)
        return ([f"INSERT OR REPLACE INTO {schema.quote(table)} ({names}) "
                 f"VALUES ({', '.join('?' * len(row))})", list(row.values())],)

    def _transaction(self, table, statements):
        connection = self._connection(table)
        try:
            connection.execute("BEGIN")
            for alternatives in statements:
                for sql, values in alternatives:
                    if connection.execute(sql, values).rowcount > 0:
                        break
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise TableError(f"{table}: {error}") from error

    def _execute(self, table, sql, values):
        try:
            return self._connection(table).execute(sql, values)
        except sqlite3.Error as error:
            raise TableError(f"{table}: {error}") from error

    def _connection(self, table):
        if table in self._open:
            return self._open[table]
        if table not in schema.TABLES:
            raise TableError(f"no such table: {table}")
        mask = os.umask(0o077)
        try:
            connection = sqlite3.connect(f"{self.directory}/{table}.sqlite",
                                         timeout=BUSY_TIMEOUT, isolation_level=None)
            _complete(connection, table)
        except sqlite3.Error as error:
            raise TableError(f"{table}: {error}") from error
        finally:
            os.umask(mask)
        self._open[table] = connection
        return connection


def _complete(connection, table):
    """Creates the table, or the columns it lacks."""
    found = [row[1] for row in connection.execute(f"PRAGMA table_info({schema.quote(table)})")]
    if not found:
        connection.execute(schema.create_sql(table))
        return
    for column in schema.columns(table):
        if column not in found:
            connection.execute(f"ALTER TABLE {schema.quote(table)} "
                               f"ADD COLUMN {schema.quote(column)} TEXT")
