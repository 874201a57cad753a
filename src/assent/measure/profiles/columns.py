"""The columns of a table: their types in the words of Arrow, and how each is counted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from assent.core.profile import ColumnKind
from assent.measure import engine

MAX_TYPE = 500
"""Characters of a type that are kept; the rest of a longer one is told by its digest."""

Counting = Literal["number", "boolean", "text", "length", "presence"]
"""`number`: by value; `boolean`, `text`: by value or length; `length`: of lists, maps and bytes;
`presence`: only how many are null.
"""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column. `is_direct`: its values can be read from Parquet as they are, without a cast.
    `sql` is what it is read by, empty for a column of the table itself; `of` is the column that it
    was taken out of, and `elements` are the numbers in a list of numbers. `is_derived`: its values
    are computed from others, and may differ in the last digit from engine to engine. `ticks` are
    the parts of a second that a whole number of it counts, for a duration in Parquet. `ordered` is
    a type with structs in DuckDB's words, their fields by name: their order is no value.
    """

    name: str
    type: str
    kind: ColumnKind
    counting: Counting
    is_direct: bool = False
    sql: str = ""
    of: str = ""
    elements: Column | None = None
    is_derived: bool = False
    ticks: int = 0
    ordered: str = ""

    @property
    def read(self) -> str:
        """What DuckDB reads it by."""
        return self.sql or engine.name(self.name)


NUMBERS = {
    "tinyint": "int8",
    "smallint": "int16",
    "integer": "int32",
    "bigint": "int64",
    "utinyint": "uint8",
    "usmallint": "uint16",
    "uinteger": "uint32",
    "ubigint": "uint64",
    "float": "float",
    "double": "double",
}
"""Types of DuckDB that are read as they are."""

_CAST = {
    "hugeint": "decimal128(38, 0)",
    "uhugeint": "decimal128(38, 0)",
    "bignum": "decimal256(76, 0)",
    "varint": "decimal256(76, 0)",
}
_TIMES = {
    "date": "date32[day]",
    "timestamp": "timestamp[us]",
    "timestamp_s": "timestamp[ms]",
    "timestamp_ms": "timestamp[ms]",
    "timestamp_ns": "timestamp[ns]",
    "timestamp with time zone": "timestamp[us, tz=UTC]",
    "timestamptz_ns": "timestamp[ns, tz=UTC]",
}
"""Parquet has no seconds, milliseconds stand for them; of a zone it knows that there is one."""

_CLOCKS = {"time": "time64[us]", "time_ns": "time64[ns]", "time with time zone": "time64[us]"}
_OF_UNIT = {"ms": "time32[ms]", "us": "time64[us]", "ns": "time64[ns]"}
_TEXTS = {"varchar", "enum", "uuid", "char", "string_literal"}
_BYTES = {"blob", "bit"}


def column_of_duckdb(name: str, type_: Any, unit: str = "us") -> Column:
    """The column `name` of the DuckDB type `type_`. `unit` is that of the file, which DuckDB does
    not keep: to it milliseconds are microseconds.
    """
    kind, counting, is_direct = _counted_as(type_.id)
    elements = None
    if type_.id in ("list", "array"):
        inner = column_of_duckdb("", type_.children[0][1], unit)
        elements = inner if is_plain_number(inner) else None
    return Column(
        name=name,
        type=_in_unit(type_word(type_), unit),
        kind=kind,
        counting=counting,
        is_direct=is_direct,
        elements=elements,
        ordered=_ordered(type_) if kind == "nested" and "STRUCT" in str(type_) else "",
    )


def _counted_as(what: str) -> tuple[ColumnKind, Counting, bool]:
    """The kind of a type of DuckDB, how it is counted, and whether it is read as it is."""
    if what in NUMBERS or what in _CAST or what in _CLOCKS or what in ("decimal", "interval"):
        return "number", "number", what in NUMBERS
    if what in _TIMES:
        return "time", "number", True
    if what == "boolean":
        return "boolean", "boolean", False
    if what in _TEXTS:
        return "text", "text", False
    is_long = what in _BYTES or what in ("list", "array", "map")
    return "nested", "length" if is_long else "presence", False


def _ordered(type_: Any) -> str:
    """A type in DuckDB's words, the fields of its structs by name."""
    match type_.id:
        case "struct":
            fields = sorted((name, _ordered(of)) for name, of in type_.children)
            return f"STRUCT({', '.join(f'{engine.name(name)} {of}' for name, of in fields)})"
        case "list":
            return f"{_ordered(type_.children[0][1])}[]"
        case "array":
            (_, child), (_, size) = type_.children
            return f"{_ordered(child)}[{size}]"
        case "map":
            (_, key), (_, value) = type_.children
            return f"MAP({_ordered(key)}, {_ordered(value)})"
    return str(type_)


TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def duration(name: str, unit: str) -> Column:
    """A duration, which Parquet has as whole numbers of a unit that Arrow's schema tells. DuckDB
    reads it, which also hashes it.
    """
    return Column(
        name=name,
        type=f"duration[{unit}]",
        kind="number",
        counting="number",
        ticks=TICKS[unit],
    )


def is_plain_number(column: Column) -> bool:
    """Whether a column is of numbers that are no times of day or durations."""
    return column.counting == "number" and column.type.startswith(_PLAIN)


_PLAIN = ("int", "uint", "float", "double", "decimal")


def _in_unit(word: str, unit: str) -> str:
    if word == "time64[us]":
        return _OF_UNIT[unit]
    return word.replace("[us", f"[{unit}") if word.startswith("timestamp[us") else word


def type_word(type_: Any) -> str:
    """The type in the words of Arrow, short enough to be kept."""
    return shortened(_word(type_))


def shortened(word: str) -> str:
    """`word`, or its beginning and a digest of the whole."""
    if len(word) <= MAX_TYPE:
        return word
    return f"{word[:MAX_TYPE]}… {hashlib.sha256(word.encode(errors='replace')).hexdigest()[:12]}"


def _word(type_: Any) -> str:
    what: str = type_.id
    for words in (NUMBERS, _CAST, _TIMES, _CLOCKS):
        if what in words:
            return words[what]
    match what:
        case "boolean":
            return "bool"
        case "decimal":
            (_, precision), (_, scale) = type_.children
            return f"decimal128({precision}, {scale})"
        case "interval":
            return "duration[us]"
        case "null":
            return "null"
        case "list":
            return f"list<{_word(type_.children[0][1])}>"
        case "array":
            (_, child), (_, size) = type_.children
            return f"fixed_size_list<{_word(child)}>[{size}]"
        case "struct":
            return f"struct<{', '.join(f'{name}: {_word(of)}' for name, of in type_.children)}>"
        case "map":
            (_, key), (_, value) = type_.children
            return f"map<{_word(key)}, {_word(value)}>"
    if what in _TEXTS:
        return "string"
    return "binary" if what in _BYTES else str(type_).lower()


def column_of_arrow(name: str, type_: Any) -> Column | None:
    """The same for a column that pyarrow sees in a Parquet file, and reads without loss or cast
    just as DuckDB does; None for all others.
    """
    import pyarrow.types as of

    word = _DIRECT.get(str(type_))
    if word is not None:
        return Column(name=name, type=word, kind="number", counting="number", is_direct=True)
    if of.is_duration(type_):
        return duration(name, type_.unit)
    if of.is_dictionary(type_):
        type_ = type_.value_type
    if of.is_string(type_) or of.is_large_string(type_):
        return Column(name=name, type="string", kind="text", counting="text", is_direct=True)
    if of.is_boolean(type_):
        return Column(name=name, type="bool", kind="boolean", counting="boolean", is_direct=True)
    if of.is_date32(type_):
        word = _TIMES["date"]
    elif of.is_timestamp(type_):
        zoned = "timestamp" if type_.tz is None else "timestamp with time zone"
        word = _in_unit(_TIMES[zoned], "ms" if type_.unit == "s" else type_.unit)
    else:
        return None
    return Column(name=name, type=word, kind="time", counting="number", is_direct=True)


_DIRECT = {word: word for word in NUMBERS.values()}


def has_clear_names(names: Sequence[str]) -> bool:
    """Whether DuckDB, which ignores the case of names, calls each column by its own name."""
    return len({name.lower() for name in names}) == len(names) and "" not in names
