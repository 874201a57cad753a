"""Archives that no other reader knows. What is packed in them is not read, and so not safe."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from msgspec.structs import replace

from assent.core.inspection import Part
from assent.measure.models.formats import unread
from assent.measure.models.formats.pickles import Findings, begins_like_pickle, walk_all
from assent.measure.models.inert.seen import Budget, Walk
from assent.measure.models.reader import HEAD_BYTES, ModelSource, Reader, ReadError
from assent.measure.models.wire.unpack import compression_of
from assent.measure.models.wire.zips import open_archive

FORMAT = "archive"

_MAGIC: Final = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"MSCF": "CAB",
}
_TAR: Final = (b"ustar\x00", b"ustar ")
_TAR_AT = 257
_SUFFIXES: Final = {
    ".zip": "zip",
    ".mar": "zip",
    ".7z": "7z",
    ".rar": "RAR",
    ".tar": "tar",
    ".tgz": "tar",
    ".tbz2": "tar",
    ".txz": "tar",
    ".gz": "gzip",
    ".bz2": "bz2",
    ".xz": "xz",
    ".lzma": "lzma",
    ".z": "zlib",
    ".lz4": "lz4",
    ".zst": "zstd",
}


def recognizes(source: ModelSource) -> bool:
    """By the first bytes or by the suffix."""
    return _kind(source) is not None


def read(source: ModelSource) -> Part:
    """Refuse the archive by name; of a zip, the pickles in it are shown all the same. Some formats
    of models are archives by another name.
    """
    known = unread.kind_of_name(source.name)
    whole = _refused(source) if known is None else unread.unread_part(source, known)
    if not source.head.startswith(b"PK\x03\x04"):
        return whole
    try:
        archive = open_archive(source.path)
        budget = Budget()
        walks: list[Walk] = []
        for member in archive.members.values():
            head = archive.head(member, HEAD_BYTES)
            if begins_like_pickle(head, is_whole=member.size_bytes <= len(head)):
                walks.extend(walk_all(archive.read(member), budget))
    except ReadError as error:
        return Part(
            path=source.name, format=FORMAT, size_bytes=source.size_bytes, problem=str(error)
        )
    findings = Findings(walks)
    return replace(
        whole,
        imports=findings.imports,
        dangers=tuple(dict.fromkeys([*archive.dangers, *findings.dangers])),
        code=findings.code,
    )


def _refused(source: ModelSource) -> Part:
    kind = _kind(source) or "archive"
    problem = f"what is in a {kind} archive is not read: put the files themselves into the model"
    return Part(path=source.name, format=FORMAT, size_bytes=source.size_bytes, problem=problem)


def _kind(source: ModelSource) -> str | None:
    head = source.head
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if head[_TAR_AT : _TAR_AT + 6] in _TAR:
        return "tar"
    compression = compression_of(head)
    if compression is not None and compression != "zlib":
        return compression
    return _SUFFIXES.get(PurePosixPath(source.name).suffix.lower())


READER = Reader(format=FORMAT, recognizes=recognizes, read=read)
