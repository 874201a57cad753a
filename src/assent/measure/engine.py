"""DuckDB, opened so that it reaches no more than it was given.

Data sets and predictions are read by it, and this is the only module that opens it. It works in
memory, spills into a private folder, and installs nothing by itself. Names and paths are quoted
here and nowhere else.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assent.errors import OutsideError, UsageError, to_install
from assent.measure.redaction import redact_text

MEMORY = "800MB"
"""What DuckDB keeps in memory before it writes to its folder."""

MAX_THREADS = 4

NO_FOLDERS = "hive_partitioning = false"
"""Told to each function that reads files: else DuckDB takes every folder above a file that has a
`=` in its name for a column, in place of one that the file has.
"""

_SETTINGS = (
    "TimeZone = 'UTC'",
    "parquet_metadata_cache = true",  # a file is read column by column
    # Else a whole column of a row group is in memory before its first value is. Over a network that
    # is worth it (`reading.connect`), from a disk it is not even faster.
    "disable_parquet_prefetching = true",
    "allocator_flush_threshold = '16MB'",  # what is free is given back
)


def name(text: str) -> str:
    """`text` as the name of a column or a table in SQL."""
    if "\0" in text:
        raise UsageError(f"reading the column {text!r}", "its name holds a zero byte")
    return '"' + text.replace('"', '""') + '"'


def text(value: str) -> str:
    """`value` as a text in SQL."""
    if "\0" in value:
        raise UsageError(f"reading {value!r}", "the name holds a zero byte")
    return "'" + value.replace("'", "''") + "'"


def texts(values: Sequence[str | Path]) -> str:
    """`values` as a list of texts in SQL."""
    return "[" + ", ".join(text(str(value)) for value in values) + "]"


def different(names: Sequence[str]) -> list[str]:
    """The names, where one that is there already gets a number: DuckDB ignores case."""
    different_names: dict[str, str] = {}
    for wanted in names:
        new, number = wanted, 0
        while new.lower() in different_names:
            number += 1
            new = f"{wanted}_{number}"
        different_names[new.lower()] = new
    return list(different_names.values())


_EXTRA = ("duckdb", "numpy", "pyarrow")


def is_installed() -> bool:
    """Whether the extra that data needs is there."""
    return not _missing()


def _missing() -> list[str]:
    return [module for module in _EXTRA if importlib.util.find_spec(module) is None]


def require(doing: str) -> None:
    """Raise `UsageError` if the extra that data needs is not there. Nothing of it is imported."""
    for module in _missing():
        raise UsageError(doing, f"{module} is not installed", hint=to_install("data"))


def load(doing: str) -> Any:
    """The module of DuckDB. Raises `UsageError` if it is not installed."""
    require(doing)
    import duckdb

    return duckdb


def connect(doing: str, folder: Path, *, threads: int = MAX_THREADS) -> Any:
    """A connection to an empty database in memory that spills into `folder`. With one of its
    `threads` it writes the same bytes for the same rows.
    """
    duckdb = load(doing)
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "temp_directory": str(folder / "spill"),
            "memory_limit": MEMORY,
            "threads": str(max(1, min(threads, os.cpu_count() or 1))),
        },
    )
    for setting in _SETTINGS:  # of all cursors: they take none over from their connection
        connection.execute(f"SET GLOBAL {setting}")
    return connection


def confine(connection: Any, paths: Sequence[Path], folders: Sequence[Path]) -> None:
    """Leave a connection nothing to read but `paths` and `folders`, and what it has attached."""
    connection.execute(f"SET allowed_paths = {texts(paths)}")
    connection.execute(f"SET allowed_directories = {texts([f'{path}/' for path in folders])}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def copy(connection: Any, query: str, target: Path) -> None:
    """Write the rows of a query to `target`, in their order, in memory that does not grow. Whole
    numbers of 128 bits, for which Parquet has no type, keep their digits as decimals.
    """
    relation = connection.sql(query)
    wide = [
        f"CAST({name(column)} AS DECIMAL(38, 0)) AS {name(column)}"
        for column, type_ in zip(relation.columns, relation.types, strict=True)
        if type_.id in _WIDE
    ]
    replaced = f" REPLACE ({', '.join(wide)})" if wide else ""
    query = f"SELECT *{replaced} FROM ({query})"
    connection.execute(
        f"COPY ({query}) TO {text(str(target))} (FORMAT parquet, COMPRESSION snappy)"
    )


_WIDE = frozenset({"hugeint", "uhugeint", "bignum", "varint"})


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """What DuckDB and pyarrow refuse, as an error that says what was being done."""
    try:
        yield
    except UnicodeError:
        raise UsageError(doing, "it holds text that is not UTF-8") from None
    except OSError as error:
        raise OutsideError(doing, redact_text(error.strerror or str(error)[:300])) from None
    except Exception as error:
        pyarrow = sys.modules.get("pyarrow")
        if pyarrow is not None and isinstance(error, pyarrow.ArrowException):
            raise UsageError(doing, first_line(error), hint="write the file again") from None
        duckdb = sys.modules.get("duckdb")  # what was not imported has refused nothing
        if duckdb is None or not isinstance(error, duckdb.Error):
            raise
        reason = first_line(error)
        if isinstance(error, duckdb.OutOfMemoryException):
            raise OutsideError(doing, reason, hint="give it more memory or disk") from None
        if isinstance(error, (duckdb.IOException, duckdb.HTTPException)):
            raise OutsideError(doing, reason) from None
        raise UsageError(doing, reason, hint="check the file or the query") from None


def first_line(error: Exception) -> str:
    """What an error says, without secrets, in one line of bounded length."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return redact_text(lines[0][:500]) if lines else type(error).__name__
