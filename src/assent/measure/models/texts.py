"""Names that a model's file holds, bounded."""

from __future__ import annotations

from assent.measure.models.reader import ReadError

MAX_NAME = 4096
"""The most characters of a name."""


def name_of(raw: bytes) -> str:
    """A name as it stands in the file. Raises `ReadError` for one that is none."""
    if len(raw) > MAX_NAME:
        raise ReadError(f"a name of {len(raw):,} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ReadError("a name that is not UTF-8") from None


def short_name(name: str) -> str:
    """A name that was text already, or `ReadError` for one that is too long."""
    if len(name) > MAX_NAME:
        raise ReadError(f"a name of {len(name):,} characters")
    return name
