"""Inspecting files that a test has just made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assent.core.diff.model import WeightChange
from assent.core.inspection import Part
from assent.measure.files import Progress
from assent.measure.models import compare_weights, inspect
from assent.measure.models.located import Located, Place, Unread
from assent.measure.models.reader import HEAD_BYTES, ModelSource


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


def source_of(path: Path) -> ModelSource:
    """A file as the only one of its model."""
    head = path.read_bytes()[:HEAD_BYTES]
    size = path.stat().st_size
    return ModelSource(
        name=path.name, path=path, size_bytes=size, head=head, files={path.name: path}
    )


def located(places: Mapping[str, Place]) -> dict[str, Located]:
    """The tensors whose values can be read."""
    return {name: place for name, place in places.items() if isinstance(place, Located)}


def unread(places: Mapping[str, Place]) -> dict[str, str]:
    """The tensors whose values cannot be read, and why."""
    return {name: place.why for name, place in places.items() if isinstance(place, Unread)}


def weighed(
    old: Mapping[str, Path], new: Mapping[str, Path], *, progress: Progress | None = None
) -> tuple[tuple[WeightChange, ...], int]:
    """How far the weights have moved, and how many were compared; all must be."""
    found = compare_weights(old, new, progress=progress)
    assert found.not_compared == ()
    return found.changes, found.compared
