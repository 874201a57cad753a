"""What a reader of a model format is: it looks at bytes, and never runs them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from assent.core.inspection import Part
from assent.measure.damaged import ReadError as ReadError
from assent.measure.models.located import Place

HEAD_BYTES = 4096
"""How much of a file a reader may look at to tell whether it is its format."""
MAX_NAMES = 100_000
"""The most tensors, features or imports that are read of one file."""


_Made = TypeVar("_Made")


class Once:
    """What is made once for all files of a model, such as the description that many of them ask
    for. What could not be made is not tried again either: the same error is raised again.
    """

    def __init__(self) -> None:
        self._made: dict[Hashable, tuple[Any, Exception | None]] = {}

    def get(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """What `make` gave for this key. Raises what it raised."""
        if key not in self._made:
            try:
                self._made[key] = make(), None
            except Exception as error:  # also of a library that stumbles over a hostile file
                self._made[key] = None, error
        made, problem = self._made[key]
        if problem is not None:
            raise problem
        return cast(_Made, made)


class ModelSource(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a model. `name` is its path in the model, `path` where its bytes are, `head` its
    first `HEAD_BYTES`; `files` are all files of the model by name, for formats of several files.
    What another file is called comes from the model: only names in `files` may be opened. `once`
    is shared by all files of one model that are looked at together.
    """

    name: str
    path: Path
    size_bytes: int
    head: bytes
    files: Mapping[str, Path]
    once: Once = msgspec.field(default_factory=Once)

    def beside(self, name: str) -> ModelSource:
        """Another file of the model, which must be in `files`."""
        return source_of(name, self.files, self.once)


def source_of(name: str, files: Mapping[str, Path], once: Once) -> ModelSource:
    """The file of this name. Raises `OSError`."""
    path = files[name]
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return ModelSource(
        name=name, path=path, size_bytes=path.stat().st_size, head=head, files=files, once=once
    )


def _nowhere(source: ModelSource) -> Mapping[str, Place]:
    """A format whose tensors nobody locates."""
    del source
    return {}


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """A reader of one format.

    `recognizes` says whether a file is of this format, by its name and its first bytes. `read`
    gives what the file says: bounded in memory and time whatever it holds, and it executes nothing.
    `locate` gives where the values of its tensors lie, by their names, within the same bounds; a
    format whose values are not compared has none. Both raise `ReadError` for a file that is damaged
    or not what it claims to be. `follows_pickles` says that a file which is a pickle is looked at
    as one.
    """

    format: str
    recognizes: Callable[[ModelSource], bool]
    read: Callable[[ModelSource], Part]
    locate: Callable[[ModelSource], Mapping[str, Place]] = _nowhere
    follows_pickles: bool = False
