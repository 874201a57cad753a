"""Looks into a model of one file, as `inspect` does."""

from __future__ import annotations

from pathlib import Path

from assent.core.inspection import Part
from assent.measure.models import inspect


def look(path: Path, name: str | None = None) -> Part:
    """The only part of a model that is this file."""
    (part,) = inspect({name or path.name: path}).parts
    return part


def look_at(folder: Path, content: bytes, name: str = "model.pkl") -> Part:
    """The part of a file with this content."""
    path = folder / name
    path.write_bytes(content)
    return look(path)


def whats(part: Part) -> list[str]:
    """The dangers in short."""
    return [danger.what for danger in part.dangers]
