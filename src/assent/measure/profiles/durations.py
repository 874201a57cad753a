"""Durations in Parquet files, which know whole numbers only: what Arrow's schema, which is kept as
text in the footer, says of them.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from assent.errors import UsageError

_KEY = "ARROW:schema"


def units(connection: Any, listed: str, doing: str) -> dict[str, str]:
    """The unit of each column of Parquet files that holds durations. Raises `UsageError` where two
    files have other units: their numbers would be read as if they were alike.
    """
    rows = connection.execute(
        f"SELECT DISTINCT value FROM parquet_kv_metadata({listed}) WHERE key = ?::BLOB", [_KEY]
    ).fetchall()
    known: dict[str, str] = {}
    for (schema,) in rows:
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
    import pyarrow as pa

    try:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text, validate=True)))
        lengths = [field for field in schema if pa.types.is_duration(field.type)]
        return {field.name: field.type.unit for field in lengths}
    except (pa.ArrowException, binascii.Error, OSError, UnicodeError):
        return {}
