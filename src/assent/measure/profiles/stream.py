"""Arrow's batches of numbers, as NumPy has them.

DuckDB hands over what a query gives in such batches, pyarrow what it reads in Parquet files, and
Spark its partitions. NumPy sees their memory: `to_numpy` would import pandas wherever that is
installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from assent.errors import OutsideError
from assent.measure import engine
from assent.measure.profiles.columns import TICKS
from assent.measure.profiles.counting import Values


def batches(connection: Any, query: str, doing: str) -> Iterator[list[Values]]:
    """Each batch of the rows of a query in DuckDB: its columns, all of numbers or moments."""
    import pyarrow as pa

    cursor = connection.cursor()  # its own, for this thread; it must live as long as the stream
    try:
        for batch in pa.RecordBatchReader.from_stream(cursor.sql(query)):
            yield [values_of(column) for column in batch.columns]
    except (pa.ArrowException, OSError) as error:
        raise OutsideError(doing, engine.first_line(error)) from None
    finally:
        cursor.close()


def values_of(array: Any) -> Values:
    """The values of an array of numbers, dates or moments that are not null."""
    import numpy as np

    dtype, times, per = _layout(array.type)
    empty = Values(numbers=np.empty(0, dtype), times=times, per=per, is_time=_is_time(array.type))
    if len(array) == 0:
        return empty
    validity, data = array.buffers()
    numbers = np.frombuffer(data, dtype, len(array), array.offset * np.dtype(dtype).itemsize)
    if array.null_count == 0:
        return replace(empty, numbers=numbers)
    bits = np.frombuffer(validity, np.uint8)
    valid = np.unpackbits(bits, bitorder="little")[array.offset : array.offset + len(array)]
    return replace(empty, numbers=numbers[valid.view(bool)], nulls=array.null_count)


def _is_time(type_: Any) -> bool:
    import pyarrow.types as of

    return bool(of.is_date32(type_) or of.is_timestamp(type_))


def _layout(type_: Any) -> tuple[str, int, int]:
    import pyarrow.types as of

    if of.is_date32(type_):
        return "int32", 86_400, 1
    if of.is_timestamp(type_) or of.is_duration(type_):
        return "int64", 1, TICKS[type_.unit]
    return {"float": "float32", "double": "float64"}.get(str(type_), str(type_)), 1, 1
