"""NumPy's arrays in a pickle: types, shapes and where the bytes lie. No array is built."""

from __future__ import annotations

import re
from typing import Any

from assent.measure.models.inert.values import Block, Call, DType, Pairs

_CORES = ("numpy._core", "numpy.core")  # NumPy 2 and NumPy 1
_RECONSTRUCT = frozenset(f"{core}.multiarray._reconstruct" for core in _CORES)
_FROM_BUFFER = frozenset(f"{core}.numeric._frombuffer" for core in _CORES)
_SCALAR = frozenset(f"{core}.multiarray.scalar" for core in _CORES)
_SIMPLE = re.compile(r"([<>|=]?)([biufcSUVOMm])([0-9]{0,9})(?:\[[^\]]*\])?")
_MAX_DEPTH = 8
_HAS_OBJECTS = 1  # NumPy's flag NPY_ITEM_HASOBJECT
MAX_DIMENSIONS = 64


def dtype_of(value: Any, depth: int = 0) -> DType | None:
    """The type that `numpy.dtype(…)` with its state says, None if that is not clear."""
    if not isinstance(value, Call) or value.name != "numpy.dtype" or depth > _MAX_DEPTH:
        return None
    if type(value.args) is not tuple or not value.args:
        return None
    simple = simple_dtype(_text(value.args[0]))
    if simple is None:
        return None
    state = value.state
    if type(state) is not tuple or len(state) < 8:
        return simple
    order, names, fields, size, flags = state[1], state[3], state[4], state[5], state[7]
    order = order if order in ("<", ">", "|", "=") else simple.order
    if state[2] is not None:
        return None  # an array as an item; no library writes one
    item_bytes = simple.item_bytes
    if simple.kind in "SUV" and type(size) is int and size >= 0:
        item_bytes = size
    columns: tuple[tuple[str, int, DType], ...] = ()
    has_objects = simple.kind == "O"
    if names is not None:
        named = _fields(names, fields, item_bytes, depth)
        if named is None:
            return None
        columns = named
        has_objects = any(column.has_objects for _, _, column in columns)
    if type(flags) is not int or bool(flags & _HAS_OBJECTS) is not has_objects:
        return None
    return DType(
        kind=simple.kind,
        item_bytes=item_bytes,
        order=order,
        fields=columns,
        has_objects=has_objects,
    )


def simple_dtype(text: str | None) -> DType | None:
    """`<f8`, `O8`, `V64`: the short form of a type."""
    match = None if text is None else _SIMPLE.fullmatch(text)
    if match is None:
        return None
    order, kind, size = match[1] or "|", match[2], int(match[3] or 0)
    if kind == "O":
        return DType(kind="O", item_bytes=8, has_objects=True)
    if kind in "Mm" and not size:
        size = 8
    return DType(kind=kind, item_bytes=size * 4 if kind == "U" else size, order=order)


def block_of(value: Any) -> Block | None:
    """The array that a call would rebuild, None if it is none, or is not clear."""
    if isinstance(value, Block):
        return value
    if not isinstance(value, Call) or type(value.args) is not tuple:
        return None
    name, args, state = value.name, value.args, value.state
    if name in _RECONSTRUCT and type(state) is tuple and len(state) == 5:
        _, shape, dtype, is_fortran, content = state
    elif name in _FROM_BUFFER and len(args) == 4:
        content, dtype, shape, is_fortran = args
        is_fortran = is_fortran == "F" if type(is_fortran) is str else False
    elif name in _SCALAR and len(args) == 2:
        (dtype, content), shape, is_fortran = args, (), False
    else:
        return None
    kind = dtype_of(dtype)
    count = items_in(shape)
    if kind is None or count is None:
        return None
    if kind.has_objects:
        items = content if type(content) is list else None
        return Block(dtype=kind, shape=shape, is_fortran=bool(is_fortran), items=items)
    raw = _bytes(content)
    if raw is not None and len(raw) != count * kind.item_bytes:
        return None
    return Block(dtype=kind, shape=shape, is_fortran=bool(is_fortran), raw=raw)


def items_in(shape: Any) -> int | None:
    """How many items an array of this shape has, None if it is no shape."""
    if type(shape) is not tuple or len(shape) > MAX_DIMENSIONS:
        return None
    count = 1
    for length in shape:
        if type(length) is not int or not 0 <= length < 2**62:
            return None
        count *= length
    return count


def _fields(
    names: Any, fields: Any, item_bytes: int, depth: int
) -> tuple[tuple[str, int, DType], ...] | None:
    if type(names) is not tuple or not isinstance(fields, Pairs):
        return None
    flat = fields.flat
    if len(flat) > 2000:
        return None
    columns = []
    for at in range(0, len(flat) - 1, 2):
        name, place = flat[at], flat[at + 1]
        if type(name) is not str or type(place) is not tuple or len(place) < 2:
            return None
        dtype, offset = dtype_of(place[0], depth + 1), place[1]
        if dtype is None or type(offset) is not int or offset < 0:
            return None
        if offset + dtype.item_bytes > item_bytes:
            return None
        columns.append((name, offset, dtype))
    return tuple(columns)


def _text(value: Any) -> str | None:
    if type(value) is str:
        return value
    if isinstance(value, memoryview) and len(value) < 64:
        return bytes(value).decode("latin-1")
    return None


def _bytes(value: Any) -> memoryview | None:
    """Bytes as the protocols write them: 0 to 2 as text that is encoded again."""
    if isinstance(value, memoryview):
        return value
    if isinstance(value, Call) and type(value.args) is tuple and value.args:
        first = value.args[0]
        if value.name == "_codecs.encode" and type(first) is str:
            try:
                return memoryview(first.encode("latin-1"))
            except UnicodeEncodeError:
                return None
        if value.name == "builtins.bytearray" and isinstance(first, memoryview):
            return first
    return None
