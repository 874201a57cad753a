"""Batches of numbers out of an Arrow stream, with NumPy alone.

The layout of the structures is the Arrow C data and C stream interface
(https://arrow.apache.org/docs/format/CDataInterface.html), which is stable by promise. DuckDB
gives such a stream without pyarrow, and so numbers can be read batch by batch without it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

from assent.errors import OutsideError
from assent.measure.profiles.counting import Values


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.POINTER(_Schema)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]
_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.POINTER(_Array)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))),
    ("private_data", ctypes.c_void_p),
]
_Stream._fields_ = [
    (
        "get_schema",
        ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema)),
    ),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))),
    ("private_data", ctypes.c_void_p),
]

_get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_get_pointer.restype = ctypes.c_void_p
_get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]

FORMATS = {
    "c": ("int8", 1, 1),
    "C": ("uint8", 1, 1),
    "s": ("int16", 1, 1),
    "S": ("uint16", 1, 1),
    "i": ("int32", 1, 1),
    "I": ("uint32", 1, 1),
    "l": ("int64", 1, 1),
    "L": ("uint64", 1, 1),
    "f": ("float32", 1, 1),
    "g": ("float64", 1, 1),
    "tdD": ("int32", 86_400, 1),
    "tss": ("int64", 1, 1),
    "tsm": ("int64", 1, 1_000),
    "tsu": ("int64", 1, 1_000_000),
    "tsn": ("int64", 1, 1_000_000_000),
}
"""NumPy's type of an Arrow format (moments without their zone), and what its values are
multiplied with and divided by to be numbers or seconds.
"""


def batches(connection: Any, query: str, doing: str) -> Iterator[list[Values]]:
    """Each batch of the rows of a query in DuckDB: its columns, all of numbers or moments. The
    memory of a batch is gone when the next one is asked for.
    """
    cursor = connection.cursor()  # its own, for this thread; it must live as long as the stream
    relation = cursor.sql(query)
    capsule = relation.__arrow_c_stream__()
    address = _get_pointer(capsule, b"arrow_array_stream")
    stream = ctypes.cast(address, ctypes.POINTER(_Stream)).contents
    formats = _formats(stream, doing)
    try:
        while True:
            array = _Array()
            if stream.get_next(ctypes.byref(stream), ctypes.byref(array)) != 0:
                raise OutsideError(doing, _last_error(stream))
            if not array.release:
                return
            try:
                yield [
                    _values(array.children[place].contents, array.offset, array.length, kind)
                    for place, kind in enumerate(formats)
                ]
            finally:
                array.release(ctypes.byref(array))
    finally:
        if stream.release:
            stream.release(ctypes.byref(stream))
        del capsule, relation
        cursor.close()


def _formats(stream: Any, doing: str) -> list[str]:
    schema = _Schema()
    if stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)) != 0:
        raise OutsideError(doing, _last_error(stream))
    try:
        found = [schema.children[place].contents.format for place in range(schema.n_children)]
        return [kind.decode().partition(":")[0] for kind in found]
    finally:
        schema.release(ctypes.byref(schema))


def _last_error(stream: Any) -> str:
    said = stream.get_last_error(ctypes.byref(stream))
    return said.decode(errors="replace") if said else "the rows cannot be read"


def _values(array: Any, offset: int, length: int, kind: str) -> Values:
    """The values of one column that are not null."""
    import numpy as np

    name, times, per = FORMATS[kind]
    dtype, is_time = np.dtype(name), kind.startswith("t")
    start = array.offset + offset
    if length == 0:
        return Values(numbers=np.empty(0, dtype), nulls=0, times=times, per=per, is_time=is_time)
    data = np.frombuffer(
        _bytes(array.buffers[1], (start + length) * dtype.itemsize),
        dtype,
        length,
        start * dtype.itemsize,
    )
    data.flags.writeable = False
    if array.null_count == 0 or not array.buffers[0]:
        return Values(numbers=data, nulls=0, times=times, per=per, is_time=is_time)
    bits = np.frombuffer(_bytes(array.buffers[0], (start + length + 7) // 8), np.uint8)
    valid = np.unpackbits(bits, bitorder="little")[start : start + length].view(bool)
    kept = data[valid]
    return Values(numbers=kept, nulls=length - len(kept), times=times, per=per, is_time=is_time)


def _bytes(address: int, size: int) -> Any:
    return (ctypes.c_uint8 * size).from_address(address)
