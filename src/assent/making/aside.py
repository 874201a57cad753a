"""Outputs of earlier runs, set aside while a command runs, so that what is there afterwards is its
own.

Each file is renamed within its file system; a list of what was moved is written first, so that the
next verb brings everything back after a kill. What cannot be renamed stays where it is, and must
have been written since.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedWriter
from itertools import count
from pathlib import Path

import msgspec

from assent.core.digest import Digest
from assent.errors import OutsideError, UsageError
from assent.files import write_atomically
from assent.measure.files import (
    PLACEHOLDERS,
    expand,
    file_digest,
    is_glob,
    path_below,
    relative_name,
    require_inside,
)
from assent.measure.hashes import Signature, signature

_LIST = "moved.json"
REFUSED = "refused"
"""The folder beside that of what is set aside, for what a run wrote that did not end well."""
_NEVER = frozenset({".git", ".assent"})
"""What Git and Assent keep for themselves, in a folder or, for a submodule, in a file."""


class _List(msgspec.Struct, frozen=True):
    """What was to be moved, by the name of each file in the folder, and what was left to stand."""

    moved: dict[str, str] = {}
    stays: tuple[str, ...] = ()


class Aside:
    """The files of one run that were set aside, by their names relative to `root`."""

    def __init__(self, root: Path, folder: Path, lock: int) -> None:
        self._root = root
        self._folder = folder
        self.lock = lock
        self._stays: frozenset[str] = frozenset()
        self.beside: set[str] = set()
        self._moved: dict[str, str] = {}
        self._standing: dict[str, Signature] = {}
        self._watched: dict[str, Signature] = {}
        self.back: set[str] = set()

    def move(self, names: Sequence[str], stays: Sequence[str] = ()) -> None:
        """Set these files aside; those of `stays` lie there as well, and are left to. Raises
        `OutsideError` if that cannot be noted.
        """
        wanted = {name: f"{number:06}" for number, name in enumerate(names)}
        self._stays = frozenset(stays)
        noted = _List(moved=wanted, stays=tuple(stays))
        write_atomically(self._folder / _LIST, msgspec.json.encode(noted))
        for name, number in wanted.items():
            place, found = self._root / name, None
            try:
                found = signature(place) if place.exists() else None
                place.rename(self._folder / number)
            except OSError:
                if found is not None:  # on another device, or in use: told by its times
                    self._standing[name] = found
                continue
            self._moved[name] = number

    def watch(self, names: Sequence[str]) -> None:
        """Tell by their times whether these files, which stay where they are, are written."""
        for name in names:
            with suppress(OSError):
                self._watched[name] = signature(self._root / name)

    @property
    def standing(self) -> tuple[str, ...]:
        """What could not be set aside."""
        return tuple(self._standing)

    def is_written(self, name: str) -> bool:
        """Whether a file that is there was written since."""
        before = self._standing.get(name, self._watched.get(name))
        try:
            return before is None or signature(self._root / name) != before
        except OSError:
            return True

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that was there before, set aside or not."""
        return (*self._moved, *self._standing)

    @property
    def gone(self) -> tuple[str, ...]:
        """What was set aside, and nothing stands in its place."""
        return tuple(one for one in self._moved if not os.path.lexists(self._root / one))

    def unwritten(self) -> tuple[str, ...]:
        """What was there before and was not written since."""
        return (*self.gone, *(name for name in self._standing if not self.is_written(name)))

    def digest(self, name: str) -> Digest | None:
        """The digest of a file that was set aside; None for a link to nothing."""
        path = self._folder / self._moved[name]
        return file_digest(path) if path.is_file() else None

    def fresh(self, names: Sequence[str]) -> list[str]:
        """Those of `names`, which lie there now, that did not before."""
        return [
            name
            for name in names
            if name not in self._stays and name not in self._standing and name not in self.back
        ]

    def bring_back(self, names: Sequence[str] | None = None) -> None:
        """Put these files, or all, back where they were. What stands there is kept beside."""
        for name in self._moved if names is None else names:
            if name in self.back:
                continue
            self.beside |= _back(self._root, name, self._folder / self._moved[name])
            self.back.add(name)
        if names is None:
            self.drop()

    def drop(self) -> None:
        """What is aside is not needed any more."""
        _remove(self._folder)


@contextmanager
def aside(root: Path, folder: Path) -> Iterator[Aside]:
    """Set outputs aside while a command runs. If it fails, everything is brought back, and what it
    wrote instead is kept below `.assent/refused/`. `Aside.lock` is for the command to hold on to:
    as long as one of its processes goes on, no other run begins.

    Raises `UsageError` while another run of the same model goes on.
    """
    with _alone(folder) as lock:
        recover(root, folder)
        moved = Aside(root, folder, lock)
        try:
            yield moved
        except BaseException:
            moved.bring_back()
            raise
        moved.drop()


def is_left(folder: Path) -> bool:
    """Whether a run that was killed has left something aside, or one goes on."""
    return (folder / _LIST).exists()


def left_by_a_kill(folder: Path, names: Sequence[str]) -> list[str]:
    """Those of `names`, which lie there now, that a run which was killed has written."""
    noted = _noted(folder)
    if noted is None:
        return []
    # What was not moved yet, or is back already, is as it was before.
    there = {one for one, number in noted.moved.items() if not os.path.lexists(folder / number)}
    return [one for one in names if one not in noted.stays and one not in there]


def recover(root: Path, folder: Path) -> frozenset[str]:
    """Bring back what a run that was killed had set aside; what it had written is kept beside, and
    named.
    """
    noted = _noted(folder)
    if noted is None:
        return frozenset()
    kept: set[str] = set()
    for name, number in noted.moved.items():
        if os.path.lexists(folder / number):
            kept |= _back(root, name, folder / number)
    _remove(folder)
    return frozenset(kept)


def _noted(folder: Path) -> _List | None:
    try:
        return msgspec.json.decode((folder / _LIST).read_bytes(), type=_List)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OutsideError(
            f"bringing back what a run has set aside in {folder}",
            f"the list of it cannot be read ({error})",
            hint="the files are in that folder; put back what you need and remove it",
        ) from None


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Hold the lock of a model's run. It goes with the process, however that ends."""
    with _opened(folder.parent / f"{folder.name}.lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"running a command of {folder.name}",
                "another run of it goes on in this working tree",
                hint="wait until it has ended",
            ) from None
        except OSError as error:
            raise OutsideError(
                f"locking {folder}",
                error.strerror or str(error),
                hint="let the working tree be on a file system that has locks",
            ) from None
        yield file.fileno()


def _opened(place: Path) -> BufferedWriter:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        return place.open("wb")
    except OSError as error:
        raise OutsideError(
            f"writing {place}",
            error.strerror or str(error),
            hint="make the folder writable and run the verb again",
        ) from None


def standing_outputs(root: Path, patterns: Sequence[str]) -> list[str]:
    """The files that lie where a run writes its outputs, links as they are, without those that
    keep a folder in Git.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        place = path_below(root, pattern)
        require_inside(root, place)
        if is_glob(pattern) and not os.path.lexists(place):
            found |= dict.fromkeys(relative_name(root, path) for path in expand(root, [pattern]))
        elif place.is_dir():
            found |= dict.fromkeys(_below(pattern, place))
        elif os.path.lexists(place):
            found[pattern] = None
    return [
        relative_name(root, root / name) for name in found if Path(name).name not in PLACEHOLDERS
    ]


def _below(pattern: str, place: Path) -> Iterator[str]:
    """The files of a folder. Where the folder itself is a link, those of what it leads to."""
    for parent, folders, files in os.walk(place):
        folders[:] = [one for one in folders if one not in _NEVER]
        links = [one for one in folders if (Path(parent) / one).is_symlink()]
        for name in (*(one for one in files if one not in _NEVER), *links):
            yield f"{pattern}/{(Path(parent) / name).relative_to(place).as_posix()}"


def _back(root: Path, name: str, moved: Path) -> set[str]:
    """Bring a file back. What stands in its place, or in that of a folder above it, is moved
    beside: nobody knows whether somebody needs it.
    """
    place = root / name
    try:
        kept = _make_room(root, place, moved.parent.parent.parent / REFUSED / moved.parent.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        moved.replace(place)
    except OSError as error:
        raise OutsideError(
            f"bringing back {place}",
            error.strerror or str(error),
            hint=f"it is {moved}; move it back yourself",
        ) from None
    return kept


def _make_room(root: Path, place: Path, beside: Path) -> set[str]:
    above = [one for one in place.parents if one.is_relative_to(root) and one != root]
    for one in (*reversed(above), place):
        leads_out = one.is_symlink() and not _is_below(root, one)
        is_in_the_way = one == place or not one.is_dir() or leads_out
        if os.path.lexists(one) and is_in_the_way:
            target = _free(beside, one.relative_to(root))
            target.parent.mkdir(parents=True, exist_ok=True)
            one.replace(target)
            return {one.relative_to(root).as_posix()}
    return set()


def _free(beside: Path, name: Path) -> Path:
    """A place for what is kept, where nothing that was kept before lies or is in the way."""
    for number in count(1):
        target = beside / str(number) / name
        above = [one for one in target.parents if one.is_relative_to(beside)]
        if not os.path.lexists(target) and all(one.is_dir() or not one.exists() for one in above):
            return target
    raise AssertionError  # counting has no end


def _is_below(root: Path, place: Path) -> bool:
    """Whether a link leads to something below the root."""
    return Path(os.path.realpath(place)).is_relative_to(os.path.realpath(root))


def _remove(folder: Path) -> None:
    """Remove the list first: without it nothing is brought back."""
    (folder / _LIST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
