"""Tables and queries of databases, and files at addresses.

A database is opened for reading only, and a query is one SELECT: nothing else is run.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from assent.errors import OutsideError, UsageError
from assent.measure import engine, files
from assent.measure.profiles import texts
from assent.measure.redaction import redact_text

_KINDS = ("duckdb", "sqlite", "postgres")
_QUERY = re.compile(r"\s*(?:select|with|from|values)\b", re.IGNORECASE)
_FETCHED = 10_000


def is_database(source: str) -> bool:
    """Whether `source` names a database."""
    return source.partition(":")[0] in _KINDS and ":" in source


def is_query(wanted: str) -> bool:
    """Whether this begins as a query does, and not with the name of a table."""
    return _QUERY.match(wanted) is not None


def write(root: Path, source: str, folder: Path, doing: str) -> texts.Texts:
    """Write the rows of a table or query into `folder`, as Parquet.

    `duckdb:<file>?<table or query>`, `sqlite:<file>?…` with a file below `root`, or
    `postgres:<connection>?…` with libpq's words (`host=db dbname=sales`); user and password come
    from its environment variables or password file, never from the configuration.
    """
    kind, _, rest = source.partition(":")
    place, sign, wanted = rest.partition("?")
    if not sign or not wanted.strip():
        raise UsageError(
            doing, "it names no table or query", hint=f"write {kind}:{place}?<table or query>"
        )
    if kind == "postgres":
        _write_attached(doing, folder / texts.ROWS, wanted, place, "postgres")
        return texts.Texts()
    paths = files.expand(root, [place])
    if len(paths) != 1:
        raise UsageError(doing, f"there is no such file: {place}")
    if kind == "sqlite":
        return _write_sqlite(paths[0], wanted, folder, doing)
    _write_attached(doing, folder / texts.ROWS, wanted, str(paths[0].absolute()), "duckdb")
    return texts.Texts()


def _write_attached(doing: str, target: Path, wanted: str, place: str, kind: str) -> None:
    connection = engine.connect(doing, target.parent)
    try:
        with engine.explained(doing):
            if kind == "postgres":
                _load(connection, "postgres", doing)
            type_ = "TYPE postgres, " if kind == "postgres" else ""
            connection.execute(f"ATTACH {engine.text(place)} AS source ({type_}READ_ONLY)")
            if kind == "duckdb":
                engine.confine(connection, [], [target.parent])
            connection.execute("USE source")
            engine.copy(connection, _select(connection, wanted, doing), target)
    finally:
        connection.close()


def _select(connection: Any, wanted: str, doing: str) -> str:
    """The query for a table or a query. What is not one SELECT is refused before it runs."""
    if not is_query(wanted):
        parts = wanted.strip().split(".")
        return "SELECT * FROM " + ".".join(engine.name(part.strip('"')) for part in parts)
    statements = connection.extract_statements(wanted)
    if len(statements) != 1 or statements[0].type.name != "SELECT":
        raise UsageError(doing, "the query is not one SELECT")
    return f"SELECT * FROM (\n{statements[0].query.rstrip().rstrip(';')}\n)"


def _write_sqlite(path: Path, wanted: str, folder: Path, doing: str) -> texts.Texts:
    """SQLite is read by Python's own module, so that no extension must be fetched. Its values have
    types and its columns have not: those of the columns are what all their values fit.
    """
    rows = folder / "rows.jsonl"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.set_authorizer(_only_reads)
            query = wanted
            if not is_query(wanted):
                query = f"SELECT * FROM {engine.name(wanted.strip())}"
            cursor = database.execute(query)
            if cursor.description is None:
                raise UsageError(doing, "the query gives no rows")
            names = engine.different([str(column[0]) for column in cursor.description])
            with rows.open("wb") as file:
                for row in _rows(cursor):
                    file.write(msgspec.json.encode(dict(zip(names, row, strict=True))) + b"\n")
            is_empty = rows.stat().st_size == 0
    except (sqlite3.Error, UnicodeError) as error:
        raise UsageError(doing, redact_text(str(error)), hint="check the table or query") from None
    connection = engine.connect(doing, folder)
    try:
        engine.confine(connection, [rows], [folder])
        with engine.explained(doing):
            if not is_empty:
                return texts.write(connection, "json", {str(rows): path.name}, folder, doing)
            listed = ", ".join(f"NULL::VARCHAR AS {engine.name(name)}" for name in names)
            engine.copy(connection, f"SELECT {listed} LIMIT 0", folder / texts.ROWS)
            return texts.Texts()
    finally:
        connection.close()
        rows.unlink(missing_ok=True)


_READS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, 33})
"""33 is SQLITE_RECURSIVE, for which the module has no name in every version."""


def _only_reads(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY


def _rows(cursor: sqlite3.Cursor) -> Iterator[list[object]]:
    while fetched := cursor.fetchmany(_FETCHED):
        for row in fetched:
            yield [value.hex() if isinstance(value, bytes) else value for value in row]


def reach(connection: Any, address: str, doing: str) -> None:
    """Let `connection` read `address`: with DuckDB's extension for it, and the machine's own
    credentials.
    """
    scheme = address.partition("://")[0].lower()
    if scheme in ("az", "azure", "abfss"):
        _load(connection, "azure", doing)
        kind = "azure"
    elif scheme in ("s3", "gs", "gcs", "r2", "http", "https"):
        _load(connection, "httpfs", doing)
        kind = {"gs": "gcs", "gcs": "gcs", "r2": "r2"}.get(scheme, "s3")
    else:
        raise UsageError(doing, f"{scheme}:// is no address that data is read from")
    if scheme in ("http", "https"):
        return
    duckdb = engine.load(doing)
    try:
        if kind == "s3":
            _load(connection, "aws", doing)
        connection.execute(f"CREATE SECRET (TYPE {kind}, PROVIDER credential_chain)")
    except (duckdb.Error, OutsideError):
        return  # public data needs none; reading says it if this one does


def _load(connection: Any, extension: str, doing: str) -> None:
    duckdb = engine.load(doing)
    try:
        connection.load_extension(extension)
    except duckdb.Error:
        try:
            connection.install_extension(extension)
            connection.load_extension(extension)
        except duckdb.Error as error:
            raise OutsideError(
                doing,
                f"DuckDB's extension {extension} cannot be fetched: {str(error).splitlines()[0]}",
                hint=f"run `INSTALL {extension}` in DuckDB where there is a network",
            ) from None
