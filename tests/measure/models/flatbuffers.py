"""A small writer of FlatBuffers: tables are mappings of fields to values.

Numbers are given as bytes of their size, text as text, and lists as lists of tables, or as
`Raw` with the size of an item.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple


class Raw(NamedTuple):
    """A list of numbers, as bytes."""

    content: bytes
    item_bytes: int


class Again(NamedTuple):
    """A list in which one table stands many times."""

    fields: Fields
    times: int


Value = bytes | str | Raw | Again | list["Fields"] | Mapping[int, "Value"]
Fields = Mapping[int, Value]


def u32(value: int) -> bytes:
    """A number of 32 bits."""
    return struct.pack("<I", value)


def numbers(*values: int) -> Raw:
    """A list of integers of 32 bits."""
    return Raw(struct.pack(f"<{len(values)}i", *values), 4)


def written(fields: Fields, sign: bytes) -> bytes:
    """A file whose root is a table of these fields."""
    out = bytearray(4) + sign
    root = _table(out, fields)
    out[:4] = u32(root)
    return bytes(out)


def _table(out: bytearray, fields: Fields) -> int:
    """Write the table, then what it refers to, and say where it is."""
    count = max(fields, default=-1) + 1
    places: dict[int, int] = {}
    size = 4
    for field, value in sorted(fields.items()):
        places[field] = size
        size += len(value) if isinstance(value, bytes) else 4
    _fill(out, 4)
    vtable = len(out)
    offsets = [places.get(field, 0) for field in range(count)]
    out += struct.pack(f"<HH{count}H", 4 + 2 * count, size, *offsets)
    _fill(out, 4)
    at = len(out)
    out += struct.pack("<i", at - vtable) + bytes(size - 4)
    for field, value in fields.items():
        place = at + places[field]
        if isinstance(value, bytes):
            out[place : place + len(value)] = value
        else:
            out[place : place + 4] = u32(_reached(out, value) - place)
    return at


def _reached(out: bytearray, value: str | Raw | Again | list[Fields] | Fields) -> int:
    if isinstance(value, Mapping):
        return _table(out, value)
    if isinstance(value, list):
        _fill(out, 4)
        at = len(out)
        out += u32(len(value)) + bytes(4 * len(value))
        for index, fields in enumerate(value):
            place = at + 4 + 4 * index
            out[place : place + 4] = u32(_table(out, fields) - place)
        return at
    if isinstance(value, Again):
        _fill(out, 4)
        at = len(out)
        out += u32(value.times) + bytes(4 * value.times)
        table = _table(out, value.fields)
        for place in range(at + 4, at + 4 + 4 * value.times, 4):
            out[place : place + 4] = u32(table - place)
        return at
    content = Raw(value.encode(), 1) if isinstance(value, str) else value
    _fill(out, 4)
    at = len(out)
    out += u32(len(content.content) // content.item_bytes) + content.content + b"\0"
    return at


def _fill(out: bytearray, to: int) -> None:
    out += bytes(-len(out) % to)
