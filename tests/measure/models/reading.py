"""Inspecting files that a test has just made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assent.core.inspection import Part
from assent.measure.models.inspect import inspect


def part_of(path: Path) -> Part:
    """The one part of a model that is this file."""
    (part,) = inspect({path.name: path}).parts
    return part


def written(folder: Path, name: str, content: str | bytes) -> Part:
    """The part of a file with this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return part_of(path)


def parts_of(folder: Path, files: Mapping[str, str]) -> dict[str, Part]:
    """The parts of a model of these files, by path."""
    paths = {}
    for name, content in files.items():
        paths[name] = folder / name
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_text(content)
    return {part.path: part for part in inspect(paths).parts}
