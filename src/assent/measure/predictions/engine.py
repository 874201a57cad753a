"""DuckDB, shut in: one file in, one file out, and nothing else of the world."""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assent.errors import UsageError

MAX_ROWS = 5_000_000
MAX_BYTES = 256 * 1024 * 1024
"""The most that compact predictions may be."""
MAX_TEXT = 200
"""Longer ids and classes are refused, longer text of other columns is cut."""
MAX_CLASSES = 1_000
MAX_COLUMNS = 100

MEDIA_TYPE = "application/vnd.apache.parquet"


class Engine:
    """A database in memory that may touch the files of one folder of its own only."""

    def __init__(self, folder: Path, connection: Any, error: type[Exception]) -> None:
        self.folder = folder
        # Text that is no Unicode and numbers beyond any type are told by Python's own errors.
        self.errors = (error, ValueError, OverflowError, MemoryError)
        self._connection = connection

    def place(self, name: str) -> str:
        """A file of the folder as SQL has it."""
        return literal(str(self.folder / name))

    def run(self, sql: str, values: list[Any] | None = None) -> Any:
        """Run one statement."""
        return self._connection.execute(sql, values)

    def one(self, sql: str) -> Any:
        """The one value that a query gives."""
        return self.run(sql).fetchone()[0]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that a query gives."""
        found: list[tuple[Any, ...]] = self.run(sql).fetchall()
        return found

    def explain(self, error: Exception, name: str) -> str:
        """What DuckDB says, in one line, without our folder."""
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return lines[0].replace(str(self.folder) + os.sep, "").replace(name, "the file")[:300]


@contextmanager
def engine(doing: str, file: Path | bytes, name: str) -> Iterator[Engine]:
    """A database that is gone afterwards, and that knows `file` as `name` in its folder: a name of
    the outside may hold `*`, which DuckDB would take for a pattern. Extensions, other files and
    the network are out of its reach, its memory is bounded, and its settings cannot be changed
    again. It has one thread, so that it writes the same bytes for the same rows.
    """
    try:
        duckdb: Any = importlib.import_module("duckdb")
        importlib.import_module("numpy")
    except ImportError as error:
        raise UsageError(
            doing, f"{error.name} is not installed", hint="pip install 'assent[data]'"
        ) from None
    with tempfile.TemporaryDirectory(prefix="assent-") as place:
        folder = Path(place).resolve()
        if isinstance(file, bytes):
            (folder / name).write_bytes(file)
        else:
            (folder / name).symlink_to(file.resolve())
        settings = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": "2GB",
            "temp_directory": str(folder / "spill"),
            "threads": "1",
        }
        connection = duckdb.connect(":memory:", config=settings)
        try:
            real = str((folder / name).resolve())
            connection.execute(f"SET allowed_directories = [{literal(str(folder) + os.sep)}]")
            connection.execute(f"SET allowed_paths = [{literal(real)}]")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield Engine(folder, connection, duckdb.Error)
        finally:
            connection.close()


def literal(text: str) -> str:
    """Text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'
