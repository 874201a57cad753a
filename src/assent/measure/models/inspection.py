"""All files of a model as one inspection."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from assent.core.inspection import Danger, Inspection, Part
from assent.measure.models.deadline import MAX_SECONDS, Deadline
from assent.measure.models.formats.pickles import acts_as_pickle
from assent.measure.models.formats.plain import begins_as_program
from assent.measure.models.indices import with_checked_indices
from assent.measure.models.reader import ModelSource, Once, Reader, ReadError, source_of
from assent.measure.models.registry import readers
from assent.measure.pointers import stand_in

_POLYGLOT = Danger(what="a file that is a pickle as well, which does something when it is loaded")


def inspect(files: Mapping[str, Path]) -> Inspection:
    """What the files of a model say: `files` is where each lies, by its path in the model.

    Nothing is executed. A file that no reader knows, or that cannot be read, is a part that says
    so: never an exception.
    """
    deadline = Deadline()
    once = Once()
    parts = tuple(_in_time(name, files, once, deadline) for name in sorted(files))
    return Inspection(parts=with_checked_indices(parts, files))


def _in_time(name: str, files: Mapping[str, Path], once: Once, deadline: Deadline) -> Part:
    """The part, or why it was not looked at: the files come from anybody, and may be many."""
    if not deadline.is_over():
        return _part(name, files, once)
    problem = f"not looked at, because the files took more than {MAX_SECONDS:,.0f} seconds"
    return Part(path=name, format="unknown", size_bytes=files[name].stat().st_size, problem=problem)


def _part(name: str, files: Mapping[str, Path], once: Once) -> Part:
    path = files[name]
    size = path.stat().st_size
    kind = stand_in(path)
    if kind is not None:  # nobody's clone: a bundle may be of a job that did not look
        return Part(path=name, format="pointer", size_bytes=size, problem=f"it is {kind.what}")
    source = source_of(name, files, once)
    part, reader = _read(source)
    if begins_as_program(source.head) and not part.code:  # a file may be known by its name alone
        part = msgspec.structs.replace(part, code=(name,))
    follows_pickles = reader is not None and reader.follows_pickles
    if not follows_pickles and acts_as_pickle(source):
        return msgspec.structs.replace(part, dangers=(_POLYGLOT, *part.dangers))
    return part


def _read(source: ModelSource) -> tuple[Part, Reader | None]:
    """What the first reader says that knows the file, and which one it is."""
    for reader in readers():
        try:
            if not reader.recognizes(source):
                continue
            return reader.read(source), reader
        except ReadError as error:
            problem = str(error)
        except Exception as error:  # a library that stumbles over a hostile file
            problem = f"it cannot be read ({type(error).__name__})"
        return Part(
            path=source.name, format=reader.format, size_bytes=source.size_bytes, problem=problem
        ), reader
    unknown = Part(
        path=source.name,
        format="unknown",
        size_bytes=source.size_bytes,
        not_read="its format is not known",
    )
    return unknown, None
