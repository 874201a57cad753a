"""One file of predictions in a database of its own, which reaches nothing else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assent.measure import engine


class Database:
    """A database in memory that may touch the files of one folder of its own only."""

    def __init__(self, folder: Path, connection: Any, error: type[Exception]) -> None:
        self.folder = folder
        # Text that is no Unicode and numbers beyond any type are told by Python's own errors.
        self.errors = (error, ValueError, OverflowError, MemoryError)
        self.connection = connection

    def place(self, name: str) -> str:
        """A file of the folder as SQL has it."""
        return engine.text(str(self.folder / name))

    def run(self, sql: str, values: list[Any] | None = None) -> Any:
        """Run one statement."""
        return self.connection.execute(sql, values)

    def one(self, sql: str) -> Any:
        """The one value that a query gives."""
        return self.run(sql).fetchone()[0]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that a query gives."""
        rows_read: list[tuple[Any, ...]] = self.run(sql).fetchall()
        return rows_read

    def explain(self, error: Exception, name: str) -> str:
        """What an error of `errors` says, without our folder."""
        reason = engine.first_line(error)
        return reason.replace(str(self.folder) + os.sep, "").replace(name, "the file")


@contextmanager
def open_database(doing: str, file: Path | bytes, name: str) -> Iterator[Database]:
    """A database that is gone afterwards, and that knows `file` as `name` in its folder: a name of
    the outside may hold `*`, which DuckDB would take for a pattern. It has one thread, so that it
    writes the same bytes for the same rows.
    """
    duckdb = engine.load(doing)
    with tempfile.TemporaryDirectory(prefix="assent-") as place:
        folder = Path(place).resolve()
        if isinstance(file, bytes):
            (folder / name).write_bytes(file)
        else:
            (folder / name).symlink_to(file.resolve())
        connection = engine.connect(doing, folder, threads=1)
        try:
            engine.confine(connection, [(folder / name).resolve()], [folder])
            yield Database(folder, connection, duckdb.Error)
        finally:
            connection.close()
