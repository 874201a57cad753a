"""What a part of a section says."""

from __future__ import annotations

from typing import Any


def text(value: Any) -> str:
    """All the text in a part of a section, in order."""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return " ".join(filter(None, map(text, value)))
    fields = getattr(value, "__struct_fields__", ())
    return " ".join(filter(None, (text(getattr(value, field)) for field in fields)))
