"""Parquet files read with pyarrow, which is faster than DuckDB at handing over numbers.

Only columns that both read alike are read here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from assent.errors import UsageError
from assent.measure.profiles.columns import Column, column_of_arrow, has_clear_names
from assent.measure.profiles.counting import Values
from assent.measure.profiles.stream import values_of

MAX_FILES = 2_000
"""More files than that are left to DuckDB: the footer of each is kept in memory."""

_BATCH = 1 << 20
_LET_GO = 6

_LONG = 64
"""Bytes of each value in a file from which on texts are not read by their dictionary: they are
written out, so that pyarrow would build one of all of them, of several times their size.
"""

_TEXT_BYTES = 1 << 22
"""Bytes of long texts that are held at once."""


Opened = Literal["values", "dictionary", "long"]
"""How a file is opened: for values, for texts by their dictionary, and for long texts."""


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

    def _let_go(self, *, at_once: bool = False) -> None:
        """Give memory back now and then. pyarrow keeps what it has freed; to return all of it after
        each column costs a quarter of the time. What long texts have taken, DuckDB needs next.
        """
        import pyarrow as pa

        self._own.read = getattr(self._own, "read", 0) + 1
        if at_once:
            self._own.__dict__.pop("file_long", None)
        if at_once or self._own.read % _LET_GO == 0:
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
        """How often each text occurs, and the nulls; None if there are more than `most`."""
        try:
            return self._counted(column, most)
        finally:
            self._let_go(at_once=self._is_long(column.name))

    def _counted(self, column: Column, most: int) -> tuple[dict[str, int], int] | None:
        counts: dict[str, int] = {}
        nulls = 0
        for batch in self._texts(column.name):
            missing = batch.null_count
            nulls += missing
            if len(batch.dictionary) > 16 * most or not _add_texts(counts, batch, most):
                return None
        return counts, nulls

    def _is_long(self, name: str) -> bool:
        """Whether a column has texts that are long in any file."""
        return any(_bytes_of(one, name) > _LONG * one.num_rows for one in self._footers)

    def _texts(self, name: str) -> Iterator[Any]:
        """The texts of a column, each batch with a dictionary of its own."""
        if not self._is_long(name):
            yield from self._batches(name, "dictionary")
            return
        for file in self._files("long"):
            rows = file.metadata.num_rows
            size = max(1, _TEXT_BYTES * rows // max(1, _bytes_of(file.metadata, name)))
            for batch in file.iter_batches(min(size, _BATCH), columns=[name], use_threads=False):
                yield _column(batch, name).dictionary_encode()

    def _batches(self, name: str, kind: Opened = "values") -> Iterator[Any]:
        for file in self._files(kind):
            for group in range(file.num_row_groups):
                if file.metadata.row_group(group).num_rows <= 2 * _BATCH:
                    column = file.read_row_group(group, columns=[name], use_threads=False)
                    yield from _column(column, name).chunks
                else:
                    for batch in file.iter_batches(
                        _BATCH, row_groups=[group], columns=[name], use_threads=False
                    ):
                        yield _column(batch, name)

    def _files(self, kind: Opened) -> Iterator[Any]:
        """The files. A single one stays open: with many columns, opening it costs more than
        reading one of them.
        """
        if len(self._paths) > 1:
            for path, footer in zip(self._paths, self._footers, strict=True):
                yield self._opened(path, footer, kind)
            return
        kept = f"file_{kind}"
        if not hasattr(self._own, kept):
            setattr(self._own, kept, self._opened(self._paths[0], self._footers[0], kind))
        yield getattr(self._own, kept)

    def _opened(self, path: Path, footer: Any, kind: Opened) -> Any:
        import pyarrow.parquet as pq

        match kind:
            case "values":
                return pq.ParquetFile(path, metadata=footer)
            case "dictionary":
                columns = self.columns.items()
                texts = [name for name, column in columns if column.counting == "text"]
                return pq.ParquetFile(path, metadata=footer, read_dictionary=texts)
            case "long":  # not the whole of a column in a row group before its first value
                return pq.ParquetFile(
                    path, metadata=footer, buffer_size=_TEXT_BYTES, pre_buffer=False
                )


def _bytes_of(footer: Any, name: str) -> int:
    """The bytes of a column in a file, before they were compressed."""
    places = [at for at in range(footer.num_columns) if footer.schema.column(at).path == name]
    return sum(
        int(footer.row_group(group).column(at).total_uncompressed_size)
        for group in range(footer.num_row_groups)
        for at in places
    )


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
                found = file.schema_arrow.remove_metadata()
        except (pa.ArrowException, OSError) as error:
            said = str(error).partition("\n")[0][:300]
            raise UsageError(doing, f"{path.name} is no sound Parquet file: {said}") from None
        if schema is not None and not found.equals(schema):
            return None
        schema = found
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
    found = np.bincount(places, minlength=len(batch.dictionary))
    for place in np.flatnonzero(found).tolist():
        value = batch.dictionary[place].as_py()
        counts[value] = counts.get(value, 0) + int(found[place])
        if len(counts) > most:
            return False
    return True


def _column(table: Any, name: str) -> Any:
    return table.column(table.schema.get_field_index(name))
