"""Artifacts of jobs, unpacked. Whoever made one may be an attacker: an archive is plain files of a
bounded number and size, or it is refused whole.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import msgspec
from msgspec.structs import replace

from assent.core.bundle import HANDED_OVER_BYTES, TOO_LARGE
from assent.disk import NO_ROOM, require_room
from assent.errors import IntegrityError, OutsideError

_DIRECTORY_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_ENCRYPTED = 0x1
_UTF8 = 0x800

_ENTRY = b"PK\x01\x02"
"""How each entry of a directory begins."""
_LOCAL_BYTES = 30
"""What stands before the name and the content of each file, at least."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of these no more is unpacked at once than is asked for."""
_LONGEST_NAME = 255
_LONGEST_PATH = 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much an artifact may be: bytes of the archive and of what it holds, files, and folders.
    What it holds may be `ratio` times as large as the archive; `small_bytes` it may be in any case.
    """

    size_bytes: int = HANDED_OVER_BYTES
    files: int = 200_000
    folders: int = 200_000
    ratio: int = 200
    small_bytes: int = 64 * 2**20

    def of(self, size_bytes: int | None) -> Limits:
        """The same for what may have so many bytes; None: as many as here."""
        return self if size_bytes is None else replace(self, size_bytes=size_bytes)


LIMITS = Limits()


def unpack(archive: Path, inside: str | None, folder: Path, *, limits: Limits, doing: str) -> None:
    """Write what an archive holds below the folder `inside` (None: all that it holds) to `folder`,
    which is made. The rest of it is left where it is. Raises `IntegrityError` unless all of it is
    plain files and folders within `limits`: that is judged by its directory, before anything is
    written.
    """
    try:
        with _Guarded(archive, limits, doing) as file, zipfile.ZipFile(file) as opened:
            wanted = list(_checked(opened, inside, limits, doing))
            _require_bounded(opened, archive.stat().st_size, limits, doing)
            _require_apart(opened, doing)
            _require_few_folders((path for _, path in wanted), limits, doing)
            room = limits.size_bytes
            held = sum(entry.file_size for entry, _ in wanted)
            require_room(folder.parent, held, doing, hint=NO_ROOM)
            folder.mkdir(parents=True)
            for entry, path in wanted:
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                room = _write(opened, entry, target, room, doing)
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError),
        *(ValueError, UnicodeError, zipfile.LargeZipFile),
    ) as error:
        raise IntegrityError(doing, f"it is no archive that can be read ({error})") from None
    except (FileExistsError, NotADirectoryError):
        raise IntegrityError(doing, "a name in it is of a file and of a folder") from None
    except OSError as error:
        raise OutsideError(doing, error.strerror or str(error)) from None


def _require_bounded(
    opened: zipfile.ZipFile, archive_bytes: int, limits: Limits, doing: str
) -> None:
    """Raise `IntegrityError` for an archive that says it holds too much. More than it says of a
    file, nobody gets to read of it.
    """
    entries = opened.infolist()
    if sum(entry.compress_size for entry in entries) > archive_bytes:
        raise IntegrityError(doing, "its files lie on top of each other, as in an archive bomb")
    held = sum(entry.file_size for entry in entries)
    if held > limits.size_bytes:
        raise IntegrityError(doing, "it holds more bytes than it may have", hint=TOO_LARGE)
    if held > max(limits.small_bytes, limits.ratio * archive_bytes):
        raise IntegrityError(
            doing, f"what it holds is more than {limits.ratio} times as large as the archive"
        )


def _require_apart(opened: zipfile.ZipFile, doing: str) -> None:
    """Raise `IntegrityError` where a file begins before another one has ended: what two readers
    find there is not the same.
    """
    end = 0
    for entry in sorted(opened.infolist(), key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise IntegrityError(doing, "its files lie on top of each other, as in an archive bomb")
        name_bytes = len(
            entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8 else "cp437")
        )
        end = entry.header_offset + _LOCAL_BYTES + name_bytes + entry.compress_size


def _require_few_folders(paths: Iterable[PurePosixPath], limits: Limits, doing: str) -> None:
    """Raise `IntegrityError` for more folders than admitted: a short name may ask for hundreds."""
    folders: set[PurePosixPath] = set()
    for path in paths:
        for folder in path.parents:
            if folder in folders:
                break  # and so are those above it
            folders.add(folder)
        if len(folders) > limits.folders:
            raise IntegrityError(doing, f"it holds more than {limits.folders:,} folders")


def _checked(
    opened: zipfile.ZipFile, inside: str | None, limits: Limits, doing: str
) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The files that are wanted, after every entry was looked at."""
    entries = opened.infolist()
    if len(entries) > limits.files:
        raise IntegrityError(doing, f"it holds more than {limits.files:,} files")
    seen = set()
    for entry in entries:
        name = entry.filename
        path = PurePosixPath(name)
        if (
            name != entry.orig_filename
            or not name.isprintable()
            or "\\" in name
            or path.is_absolute()
            or ".." in name.split("/")
            or not path.parts
            or len(name) > _LONGEST_PATH
            or any(len(part.encode()) > _LONGEST_NAME for part in path.parts)
        ):
            raise IntegrityError(doing, f"{name[:200]!r} in it is no path below its folder")
        if path in seen:
            raise IntegrityError(doing, f"{name[:200]!r} is in it twice")
        seen.add(path)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or (
            kind == stat.S_IFDIR and not entry.is_dir()
        ):
            raise IntegrityError(doing, f"{name[:200]!r} in it is neither a file nor a folder")
        if entry.flag_bits & _ENCRYPTED:
            raise IntegrityError(doing, f"{name[:200]!r} in it is encrypted")
        if entry.compress_type not in _METHODS:
            raise IntegrityError(
                doing, f"{name[:200]!r} in it is compressed by method {entry.compress_type}"
            )
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if entry.is_dir():
            continue
        if inside is None:
            yield entry, path
        elif path.parts[0] == inside and len(path.parts) > 1:
            yield entry, path.relative_to(inside)


def _write(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, room: int, doing: str
) -> int:
    """Write one file, and return how many bytes may still follow. What an archive says of the size
    of a file is not believed.
    """
    with opened.open(entry) as source, target.open("xb") as written:
        while chunk := source.read(_CHUNK_BYTES):
            room -= len(chunk)
            if room < 0:
                raise IntegrityError(doing, "it holds more bytes than it may have", hint=TOO_LARGE)
            written.write(chunk)
    return room


class _Guarded(io.FileIO):
    """A file of which nobody reads more at once than fits into memory: the directory of an archive
    is read whole, and its size is what the archive says. Nor does anybody read a directory of more
    entries than admitted: each is hundreds of bytes in memory.
    """

    def __init__(self, path: Path, limits: Limits, doing: str) -> None:
        super().__init__(path)
        self._files = limits.files
        self._doing = doing

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        if size is None or size < 0:
            here = self.tell()
            size = self.seek(0, io.SEEK_END) - here
            self.seek(here)
        if size > _DIRECTORY_BYTES:
            raise IntegrityError(self._doing, "its directory is larger than an archive needs")
        content = super().read(size) or b""
        # A content of this many may be no directory; no more of one is read at once than a chunk.
        if content.startswith(_ENTRY) and content.count(_ENTRY) > self._files:
            raise IntegrityError(self._doing, f"it holds more than {self._files:,} files")
        return content
