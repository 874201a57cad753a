"""Parquet files read with pyarrow, which is faster than DuckDB at handing over numbers.

Only columns that both read alike are read here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assent.errors import UsageError
from assent.measure.profiles.columns import Column, column_of_arrow, has_clear_names
from assent.measure.profiles.counting import Values
from assent.measure.profiles.stream import values_of

MAX_FILES = 2_000
"""More files than that are left to DuckDB: the footer of each is kept in memory."""

_BATCH = 1 << 20
_LET_GO = 6

_PER_ROW, _PER_GROUP = 2, 1 << 20
"""Bytes that a column of few texts takes at most: for each row its place in a dictionary, of which
each row group has one. What takes more was written out, and pyarrow would build a dictionary of it.
"""


class ParquetFiles:
    """The files of one table, all with the same columns. Each thread reads through its own."""

    def __init__(self, paths: Sequence[Path], footers: Sequence[Any], schema: Any) -> None:
        self._paths = paths
        self._footers = footers
        self._own = threading.local()
        self.rows = sum(footer.num_rows for footer in footers)
        self.columns: dict[str, Column] = {}
        left_out = _of_96_bits(footers, schema)
        for field in schema:
            column = column_of_arrow(field.name, field.type)
            if column is not None and field.name not in left_out:
                self.columns[field.name] = column
        self.is_complete = len(self.columns) == len(schema)

    def numbers(self, column: Column) -> Iterator[Values]:
        """The values of a column of numbers or moments, batch by batch."""
        batch = None
        for batch in self._batches(column.name):
            yield values_of(batch)
        del batch
        self._let_go()

    def _let_go(self) -> None:
        """Give memory back now and then. pyarrow keeps what it has freed; to return all of it after
        each column costs a quarter of the time.
        """
        import pyarrow as pa

        self._own.read = getattr(self._own, "read", 0) + 1
        if self._own.read % _LET_GO == 0:
            pa.default_memory_pool().release_unused()

    def booleans(self, column: Column) -> tuple[int, int, int]:
        """How many are true, false and null."""
        true = false = nulls = 0
        for batch in self._batches(column.name):
            missing = batch.null_count
            hit = batch.true_count
            true, false, nulls = true + hit, false + len(batch) - missing - hit, nulls + missing
        return true, false, nulls

    def texts(self, column: Column, most: int) -> tuple[dict[str, int], int] | None:
        """How often each text occurs, and the nulls; None if there seem to be more than `most`."""
        if any(_are_many(column.name, footer) for footer in self._footers):
            return None
        counts: dict[str, int] = {}
        nulls = 0
        for batch in self._batches(column.name, by_dictionary=True):
            nulls += batch.null_count
            if len(batch.dictionary) > 16 * most or not _add_texts(counts, batch, most):
                return None
        self._let_go()
        return counts, nulls

    def _batches(self, name: str, *, by_dictionary: bool = False) -> Iterator[Any]:
        for file in self._files(by_dictionary):
            for group in range(file.num_row_groups):
                if file.metadata.row_group(group).num_rows <= 2 * _BATCH:
                    column = file.read_row_group(group, columns=[name], use_threads=False)
                    yield from _column(column, name).chunks
                else:
                    for batch in file.iter_batches(
                        _BATCH, row_groups=[group], columns=[name], use_threads=False
                    ):
                        yield _column(batch, name)

    def _files(self, by_dictionary: bool) -> Iterator[Any]:
        """The files. A single one stays open: with many columns, opening it costs more than
        reading one of them.
        """
        if len(self._paths) > 1:
            for path, footer in zip(self._paths, self._footers, strict=True):
                yield self._opened(path, footer, by_dictionary)
            return
        kept: dict[bool, Any] = self._own.__dict__.setdefault("files", {})
        if by_dictionary not in kept:
            kept[by_dictionary] = self._opened(self._paths[0], self._footers[0], by_dictionary)
        yield kept[by_dictionary]

    def _opened(self, path: Path, footer: Any, by_dictionary: bool) -> Any:
        import pyarrow.parquet as pq

        if not by_dictionary:
            return pq.ParquetFile(path, metadata=footer)
        texts = [name for name, column in self.columns.items() if column.counting == "text"]
        return pq.ParquetFile(path, metadata=footer, read_dictionary=texts)


def _are_many(name: str, footer: Any) -> bool:
    """Whether a file takes more bytes for a column than it would for few texts."""
    places = [at for at in range(footer.num_columns) if footer.schema.column(at).path == name]
    groups = [footer.row_group(group) for group in range(footer.num_row_groups)]
    sizes = [int(group.column(at).total_uncompressed_size) for group in groups for at in places]
    rows = int(footer.num_rows)
    return sum(sizes) > _PER_ROW * rows + _PER_GROUP * len(groups)


def open_files(paths: Sequence[Path], doing: str) -> ParquetFiles | None:
    """The files, if their columns are the same in each and clear."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not 0 < len(paths) <= MAX_FILES:
        return None
    footers: list[Any] = []
    schema = None
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                footers.append(file.metadata)
                file_schema = file.schema_arrow.remove_metadata()
        except (pa.ArrowException, OSError) as error:
            reason = str(error).partition("\n")[0][:300]
            raise UsageError(doing, f"{path.name} is no sound Parquet file: {reason}") from None
        if schema is not None and not file_schema.equals(schema):
            return None
        schema = file_schema
    assert schema is not None
    if not has_clear_names(schema.names) or any("." in name for name in schema.names):
        return None
    return ParquetFiles(paths, footers, schema)


def _of_96_bits(footers: Sequence[Any], schema: Any) -> set[str]:
    """Columns of moments in the old way (INT96), which hold more than pyarrow's nanoseconds do."""
    if not any(str(field.type) == "timestamp[ns]" for field in schema):
        return set()
    return {
        column.path
        for footer in footers
        for column in map(footer.schema.column, range(len(footer.schema)))
        if column.physical_type == "INT96"
    }


def _add_texts(counts: dict[str, int], batch: Any, most: int) -> bool:
    """Add the texts of an array with a dictionary; False if there are more than `most`."""
    import numpy as np

    places = values_of(batch.indices).numbers
    times = np.bincount(places, minlength=len(batch.dictionary))
    for place in np.flatnonzero(times).tolist():
        value = batch.dictionary[place].as_py()
        counts[value] = counts.get(value, 0) + int(times[place])
        if len(counts) > most:
            return False
    return True


def _column(table: Any, name: str) -> Any:
    return table.column(table.schema.get_field_index(name))
