"""Files of packages in a model's folder: what serving it would install."""

from __future__ import annotations

from assent.core.inspection import Part
from assent.measure import lockfiles
from assent.measure.models.reader import MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.small import content_of
from assent.parsing import ParseError

FORMAT = "packages"


def recognizes(source: ModelSource) -> bool:
    """By its name."""
    return lockfiles.reader_of(source.name) is not None


def read(source: ModelSource) -> Part:
    """The versions of what is pinned."""
    try:
        versions = lockfiles.pins(source.name, content_of(source))
    except ParseError as error:
        raise ReadError(str(error)) from None
    if len(versions) > MAX_NAMES:
        raise ReadError(f"more than {MAX_NAMES:,} packages")
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        versions=versions,
        left_out="what it says beside names and versions: where packages come from, their digests",
    )


READER = Reader(format=FORMAT, recognizes=recognizes, read=read)
