"""Times as forges write them, made comparable."""

from __future__ import annotations

from datetime import UTC, datetime

from assent.errors import OutsideError


def timestamp(text: str, doing: str, *, of: str) -> str:
    """A time in UTC with milliseconds, as text that sorts as the times do. Some forges write times
    in the zone of their server. Raises `OutsideError` in the name of the forge.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise OutsideError(doing, f"{of} names a time that is none: {text[:40]!r}") from None
    if when.tzinfo is None:
        raise OutsideError(doing, f"{of} names a time without its zone: {text[:40]!r}")
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
