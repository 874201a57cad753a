"""Small files beside the weights, as values."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from assent import parsing
from assent.errors import AssentError
from assent.measure.files import read_small
from assent.measure.models.reader import ModelSource, ReadError
from assent.parsing import ParseError


def content_of(source: ModelSource) -> bytes:
    """The bytes of a small file. Raises `ReadError` for a large one."""
    try:
        return read_small(source.path)
    except AssentError as error:
        raise ReadError(error.problem) from None


def mapping_of(source: ModelSource, suffix: str) -> dict[str, Any]:
    """The mapping that a JSON or YAML file holds."""
    try:
        value = parsing.parse(content_of(source), suffix)
    except ParseError as error:
        raise ReadError(str(error)) from None
    if not isinstance(value, dict):
        raise ReadError("no mapping of names to values")
    return {str(key): item for key, item in value.items()}


def text_of(source: ModelSource) -> str:
    """The text of a small file; what is no UTF-8 is written out."""
    return content_of(source).decode("utf-8-sig", errors="backslashreplace")


def sibling(source: ModelSource, name: str) -> str | None:
    """The path in the model of a file that this one names, if the model has such a file."""
    path = PurePosixPath(source.name).parent / name
    return str(path) if ".." not in path.parts and str(path) in source.files else None


def below(source: ModelSource, folder: str) -> tuple[str, ...]:
    """The paths in the model of all files in a folder that this one names."""
    path = PurePosixPath(source.name).parent / folder
    if ".." in path.parts or path.is_absolute() or not folder.strip("./"):
        return ()
    return tuple(sorted(name for name in source.files if name.startswith(f"{path}/")))
