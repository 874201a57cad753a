"""Zip archives of models, read so that no two readers can see different things in them.

Python's `zipfile`, PyTorch's reader (miniz) and others believe different parts of a zip: the
directory at its end or the headers before its members, the checksum or not, the flag of
encryption or not. Members are therefore read by their place alone, and every disagreement is a
danger. Nothing is ever written to a path.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from assent.core.inspection import Danger
from assent.measure.models.reader import ReadError
from assent.measure.models.wire.source import Source, open_source
from assent.measure.models.wire.unpack import MAX_UNPACKED, inflated

MAGIC: Final = b"PK\x03\x04"
MAX_MEMBERS = 50_000
MAX_DIRECTORY = 16 * 1024 * 1024
MAX_CHECKED = 64 * 1024 * 1024
"""The largest member whose checksum is looked at."""

_BLOCK = 64 * 1024
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_END = b"PK\x05\x06"
_END_SIZE = 22
_MAX_COMMENT = 65535
_ENCRYPTED, _HAS_DESCRIPTOR = 0x1, 0x8
_DESCRIPTORS = (12, 16, 20, 24)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A file in an archive: where its packed bytes lie, and how many they are unpacked."""

    name: str
    start: int
    packed_bytes: int
    size_bytes: int
    is_deflated: bool
    crc: int


class Archive:
    """An archive that is open. `dangers` is what is wrong with its shape."""

    def __init__(self, source: Source, members: dict[str, Member], dangers: list[Danger]) -> None:
        self.source = source
        self.members = members
        self.dangers = dangers
        self._unpacked = 0

    def packed(self, member: Member) -> Source:
        """The bytes of a member as they are in the file."""
        return self.source.part(member.start, member.start + member.packed_bytes)

    def read(self, member: Member) -> Source:
        """The bytes of a member, unpacked. Raises `ReadError`."""
        content = self.packed(member)
        if member.is_deflated:
            self._unpacked += member.size_bytes
            if self._unpacked > MAX_UNPACKED:
                raise ReadError("the zip archive is too large when it is unpacked")
            content = inflated(content, member.size_bytes)
        if content.size_bytes <= MAX_CHECKED:
            crc = zlib.crc32(content.view[content.start : content.end])
            if crc != member.crc:
                self.note("a checksum that does not fit", member.name)
        return content

    def head(self, member: Member, size: int) -> bytes:
        """The first bytes of a member. Raises `ReadError`."""
        packed = self.packed(member)
        if not member.is_deflated:
            return packed.head(size)
        content = b""
        inflater = zlib.decompressobj(-15)
        try:
            # Block after block, since a member can begin with any number of empty ones.
            for at in range(packed.start, packed.end, _BLOCK):
                block = bytes(packed.view[at : min(at + _BLOCK, packed.end)])
                content += inflater.decompress(block, size - len(content))
                if len(content) >= size or inflater.eof:
                    break
        except zlib.error:
            raise ReadError(f"its member {member.name!r} is damaged") from None
        return content

    def note(self, what: str, detail: str = "") -> None:
        """Add a danger, once."""
        danger = Danger(what=what, detail=detail[:200])
        if danger not in self.dangers and len(self.dangers) < 100:
            self.dangers.append(danger)


def open_archive(path: Path) -> Archive:
    """The members of a zip. Raises `ReadError` for what is none, or cannot be read as one."""
    source = open_source(path)
    _require_small_directory(source)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            directory = archive.start_dir
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
        raise ReadError(f"the zip archive is damaged ({_said(error)})") from None
    if len(infos) > MAX_MEMBERS:
        raise ReadError(f"the zip archive has more than {MAX_MEMBERS:,} members")
    opened = Archive(source, {}, [])
    if _count(source, _END, directory) != 1:
        opened.note("a zip with two directories")
    reached = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        reached = _add(opened, info, reached, directory)
    if not _is_padding(source, reached, directory):
        opened.note("bytes in a zip that belong to no member")
    return opened


def _require_small_directory(source: Source) -> None:
    """Refuse a directory that would fill memory, before anything reads it."""
    view, end = source.view, source.end
    place = source.raw.rfind(_END, max(source.start, end - _MAX_COMMENT - _END_SIZE), end)
    if place < 0 or place + _END_SIZE > end:
        raise ReadError("the zip archive has no directory")
    size, _, comment = struct.unpack("<IIH", view[place + 12 : place + _END_SIZE])
    if place + _END_SIZE + comment != end:
        raise ReadError("the zip archive does not end where it says")
    locator = place - 20
    if locator >= 56 and bytes(view[locator : locator + 4]) == b"PK\x06\x07":
        size = max(
            0 if size == 0xFFFFFFFF else size,
            int.from_bytes(view[locator - 56 + 40 : locator - 56 + 48], "little"),
        )
    if size > MAX_DIRECTORY:
        raise ReadError("the zip archive has a directory of more than 16 MiB")


def _add(archive: Archive, info: zipfile.ZipInfo, reached: int, directory: int) -> int:
    """Check and add a member; where it ends."""
    source = archive.source
    name = info.orig_filename
    _check_name(archive, info)
    if info.flag_bits & _ENCRYPTED:
        archive.note("an encrypted member in a zip", name)
    start = info.header_offset
    if start < reached:
        raise ReadError("members of the zip archive overlap")
    if not _is_padding(source, reached, start):
        archive.note("bytes in a zip that belong to no member")
    if start + _LOCAL.size > directory:
        raise ReadError("the zip archive is damaged (a member outside of it)")
    header = _LOCAL.unpack(source.view[start : start + _LOCAL.size])
    magic, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes = header
    content = start + _LOCAL.size + name_bytes + extra_bytes
    end: int = content + info.compress_size
    if magic != MAGIC or end > directory:
        raise ReadError("the zip archive is damaged (a member that is not where it should be)")
    written = bytes(source.view[start + _LOCAL.size : start + _LOCAL.size + name_bytes])
    is_same = (
        written == name.encode("utf-8" if info.flag_bits & 0x800 else "cp437", "replace")
        and method == info.compress_type
        and (flags ^ info.flag_bits) & (_ENCRYPTED | _HAS_DESCRIPTOR) == 0
        and _agrees(packed, info.compress_size)
        and _agrees(size, info.file_size)
        and crc in (info.CRC, 0)
    )
    if not is_same:
        archive.note("a zip whose directory and members disagree", name)
    if method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ReadError(f"a member of the zip archive is compressed by method {method}")
    if method == zipfile.ZIP_STORED and info.compress_size != info.file_size:
        raise ReadError("the zip archive is damaged (a member of two sizes)")
    if name in archive.members:
        archive.note("two members of one name in a zip", name)
    archive.members[name] = Member(
        name=name,
        start=content,
        packed_bytes=info.compress_size,
        size_bytes=info.file_size,
        is_deflated=method == zipfile.ZIP_DEFLATED,
        crc=info.CRC,
    )
    return end + (_descriptor(source, end, info) if flags & _HAS_DESCRIPTOR else 0)


def _check_name(archive: Archive, info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    path = PurePosixPath(name)
    is_outside = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name
    if is_outside or (len(name) > 1 and name[1] == ":"):
        archive.note("a path that leads out of the zip", name)
    mode = info.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        archive.note("a link or a device in a zip", name)


def _agrees(local: int, stated: int) -> bool:
    """Whether a size in a member's header fits: 0 stands for the descriptor behind the member,
    the largest number for a field of zip64.
    """
    return local in (stated, 0, 0xFFFFFFFF)


def _descriptor(source: Source, end: int, info: zipfile.ZipInfo) -> int:
    """How long the descriptor behind a member is: checksum and sizes, with or without its own
    magic, in 32 or 64 bits.
    """
    for length in reversed(_DESCRIPTORS):
        content = bytes(source.view[end : end + length])
        wide = length in (20, 24)
        fields = struct.pack("<IQQ" if wide else "<III", info.CRC, *_sizes(info, wide))
        if content == (b"PK\x07\x08" if length in (16, 24) else b"") + fields:
            return length
    return 0


def _sizes(info: zipfile.ZipInfo, wide: bool) -> tuple[int, int]:
    mask = 2**64 - 1 if wide else 2**32 - 1
    return info.compress_size & mask, info.file_size & mask


def _is_padding(source: Source, start: int, end: int) -> bool:
    """Whether nothing, or next to nothing but zeros, lies between two members."""
    return start == end or (end - start <= 4096 and not any(source.view[start:end]))


def _count(source: Source, magic: bytes, start: int) -> int:
    return bytes(source.view[start : source.end][: 16 * 1024 * 1024]).count(magic)


def _said(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:100]
