"""Durations in Parquet files, which know whole numbers only: what Arrow's schema says of them.

The schema is a message of Arrow's interprocess format, kept as text in the footer
(https://arrow.apache.org/docs/format/Columnar.html, `Message.fbs` and `Schema.fbs`). It is read
here so that its units are known without pyarrow too.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from assent.errors import UsageError
from assent.measure.damaged import ReadError
from assent.measure.flatbuffer import root

_KEY = "ARROW:schema"
_MARK = b"\xff\xff\xff\xff"
_UNITS = ("s", "ms", "us", "ns")
_DURATION = 18
_MILLISECONDS = 1
_HEADER, _FIELDS = 2, 1
_NAME, _KIND, _TYPE, _UNIT = 0, 2, 3, 0
"""Fields of the tables `Message`, `Schema`, `Field` and `Duration`."""


def units(connection: Any, listed: str, doing: str) -> dict[str, str]:
    """The unit of each column of Parquet files that holds durations. Raises `UsageError` where two
    files have other units: their numbers would be read as if they were alike.
    """
    found = connection.execute(
        f"SELECT DISTINCT value FROM parquet_kv_metadata({listed}) WHERE key = ?::BLOB", [_KEY]
    ).fetchall()
    known: dict[str, str] = {}
    for (schema,) in found:
        for name, unit in _of_schema(bytes(schema)).items():
            if known.setdefault(name, unit) != unit:
                raise UsageError(
                    doing,
                    f"the durations of {name!r} are in {known[name]} in one file and in {unit} in "
                    "another",
                    hint="write all files with one unit",
                )
    return known


def _of_schema(text: bytes) -> dict[str, str]:
    """None of a schema that is damaged: then the numbers are numbers."""
    try:
        content = base64.b64decode(text, validate=True)
        start = 8 if content.startswith(_MARK) else 4
        schema = root(content, start, len(content)).table(_HEADER)
        fields = [] if schema is None else list(schema.tables(_FIELDS))
        lengths = [one for one in fields if one.byte(_KIND) == _DURATION]
        found = [(one.text(_NAME), one.table(_TYPE)) for one in lengths]
        return {
            name: _UNITS[of.integer(_UNIT, _MILLISECONDS) & 0xFFFF]
            for name, of in found
            if name is not None and of is not None
        }
    except (ReadError, binascii.Error, IndexError, UnicodeError):
        return {}
