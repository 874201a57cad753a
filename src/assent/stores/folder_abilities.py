"""What the file system below a folder can do: tried there, and not concluded from its name."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from assent.disk import flush_file, flush_folder
from assent.stores.folder_names import has_other_names
from assent.stores.local_files import scratch

LOCKLESS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
"""What file systems say that have no locks."""

_OF_ONE_MACHINE = frozenset(
    "apfs bcachefs btrfs erofs exfat ext2 ext3 ext4 f2fs fuseblk hfs jfs msdos nilfs2 ntfs ntfs3 "
    "overlay ramfs reiserfs squashfs tmpfs udf vfat xfs zfs".split()
)
"""Types of file systems that no two machines write to. Of any other it is not known."""
_LONG_AGO_NS = 1_600_000_001_123_456_789
"""A time of an odd second, with a part of every unit below it."""
_SECOND_NS = 10**9


class FolderAbilities(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried. `file_system` is its type, empty where the system does not say it;
    `lost_ns` is what is lost of a time, and None where a file keeps none that it is given.
    """

    file_system: str
    has_replacing: bool
    has_links: bool
    has_locks: bool
    flushes_folders: bool
    lost_ns: int | None
    tells_names_apart: bool

    @property
    def is_of_one_machine(self) -> bool:
        """Whether it is known that no other machine writes to it."""
        return self.file_system in _OF_ONE_MACHINE

    @property
    def words(self) -> dict[str, str]:
        """All of it for people, by what it is about."""
        kind = self.file_system or "of a type that the system does not say"
        others = "of this machine" if self.is_of_one_machine else "maybe of other machines, too"
        return {
            "file system": f"{kind}, {others}",
            "files are replaced by renaming": "yes" if self.has_replacing else "no",
            "locks": "yes" if self.has_locks else "no",
            "hard links": "yes" if self.has_links else "no: bytes are copied",
            "folders are flushed": "yes" if self.flushes_folders else "no: a cut may take names",
            "times": self._words_of_times,
            "names": (
                "upper and lower case and ending dots are told apart"
                if self.tells_names_apart
                else "some are the same: two stages or models so called are refused"
            ),
        }

    @property
    def _words_of_times(self) -> str:
        if self.lost_ns is None:
            return "not kept: what is used is noted in files of its own"
        if self.lost_ns < _SECOND_NS // 10:
            return "kept to parts of a second"
        return f"kept to {self.lost_ns // _SECOND_NS + 1} s"


def probe(folder: Path) -> FolderAbilities:
    """Try all of it with files in `folder`, which go again. Raises `OSError` where none can be
    written.
    """
    with scratch(folder, prefix="probe-") as draft:
        place = Path(draft.path)
        abilities = FolderAbilities(
            file_system=file_system_of(folder),
            has_replacing=can_replace(folder),
            has_links=_can(lambda: _link(place)),
            has_locks=_can(lambda: fcntl.flock(draft.target, fcntl.LOCK_EX | fcntl.LOCK_NB)),
            flushes_folders=_flushes(place),
            lost_ns=_lost_ns(place),
            tells_names_apart=not has_other_names(place),
        )
        draft.drop()
    return abilities


def can_replace(folder: Path) -> bool:
    """Whether a file takes the place of another in `folder` by being renamed."""
    with scratch(folder) as old, scratch(folder) as new:
        old.close()
        try:
            new.become(old.path)
        except OSError:
            new.drop()
            old.drop()
            return False
        os.unlink(old.path)  # noqa: PTH108  # a text
    return True


def file_system_of(folder: Path) -> str:
    """The type of the file system that a folder is on; empty if nobody says it."""
    import psutil  # only where somebody asks

    place = folder.resolve()
    with suppress(OSError, psutil.Error):
        mounted = [
            (len(Path(part.mountpoint).parts), number, part.fstype)
            for number, part in enumerate(psutil.disk_partitions(all=True))
            if place.is_relative_to(part.mountpoint)
        ]
        return max(mounted, default=(0, 0, ""))[2]
    return ""


def _can(do: Callable[[], object]) -> bool:
    try:
        do()
    except OSError:
        return False
    return True


def _link(place: Path) -> None:
    other = place.with_name(f"{place.name}-link")
    os.link(place, other)
    other.unlink()


def _flushes(place: Path) -> bool:
    flush_file(str(place))
    return flush_folder(place.parent)


def _lost_ns(place: Path) -> int | None:
    try:
        os.utime(place, ns=(_LONG_AGO_NS, _LONG_AGO_NS))
    except OSError:
        return None
    lost = _LONG_AGO_NS - place.stat().st_mtime_ns
    return lost if 0 <= lost < 10 * _SECOND_NS else None
