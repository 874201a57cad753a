"""Files that are there whole or not at all, places to work in, and names of files as text.

What is not complete yet has a name that nobody had before: in a container the next process has the
number of the one before it, and would go on with what that one left. Whoever works there holds a
lock, which goes with the process however that ends, so what nobody holds was left and is removed.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from assent.errors import OutsideError

_LOCK, _INSIDE = "lock", "in"


def as_text(name: str) -> str:
    """The name of a file as it can be shown and kept: what is no text in it is replaced."""
    return os.fsencode(name).decode(errors="replace")


def below_its_root(path: str) -> tuple[Path, str]:
    """A path as the root that it is below, and the name there; links are not followed."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100
    return Path(whole.anchor), whole.relative_to(whole.anchor).as_posix()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all. Raises `OutsideError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_drafts(path)
        draft, descriptor = _held(lambda: _draft(path))
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.close(os.dup(descriptor))  # a share says only here that there was no room
                draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise OutsideError(
            f"writing {path}",
            error.strerror or str(error),
            hint="make room, or make the folder writable, and run the verb again",
        ) from None


@contextmanager
def scratch_folder(folder: Path, prefix: str) -> Iterator[Path]:
    """An empty folder in `folder` to work in, which goes afterwards. What processes that were
    killed have left of this `prefix` goes first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_left(folder, prefix)
    lock, descriptor = _held(lambda: _lock_in(folder / f"{prefix}{_unheard_of()}"))
    try:
        inside = lock.parent / _INSIDE
        inside.mkdir()
        yield inside
    finally:
        shutil.rmtree(lock.parent, ignore_errors=True)
        os.close(descriptor)


def remove_left(folder: Path, prefix: str, look: Callable[[Path], object] | None = None) -> None:
    """Remove the scratch folders of this `prefix` that processes which were killed have left in
    `folder`; `look` is shown what is in each before.
    """
    for place in _named(folder, prefix):
        if place.is_symlink() or not place.is_dir():
            continue
        with suppress(OSError):
            place.rmdir()  # one that was killed before it had a lock
        with _given_up(place / _LOCK) as is_free:
            if is_free:
                if look is not None:
                    look(place / _INSIDE)
                shutil.rmtree(place, ignore_errors=True)


def remove_whatever_is_at(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it, as far as that can be done."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _unheard_of() -> str:
    return os.urandom(8).hex()


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.{_unheard_of()}.tmp")


def _lock_in(place: Path) -> Path:
    place.mkdir()
    return place / _LOCK


def _held(name: Callable[[], Path]) -> tuple[Path, int]:
    """A new file that this process alone holds. Somebody may take it for left, and remove it,
    between its making and its locking: then there is another one.
    """
    while True:
        path = name()
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            with suppress(OSError):  # a file system without locks: there nothing is removed either
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.lexists(path):  # nobody else makes a file of this name
                return path, descriptor
            os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    with suppress(OSError):
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    return False


@contextmanager
def _given_up(path: Path) -> Iterator[bool]:
    """Whether nobody holds this file; nobody else does either as long as it is looked at."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_free = _is_at(path, descriptor)
    except OSError:
        is_free = False
    try:
        yield is_free
    finally:
        os.close(descriptor)


def _named(folder: Path, prefix: str, suffix: str = "") -> list[Path]:
    """What has a name as `_unheard_of` makes it."""
    form = re.compile(f"{re.escape(prefix)}[0-9a-f]{{16}}{re.escape(suffix)}")
    with suppress(OSError), os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if form.fullmatch(entry.name)]
    return []


def _remove_left_drafts(path: Path) -> None:
    for draft in _named(path.parent, f".{path.name}.", ".tmp"):
        with _given_up(draft) as is_free:
            if is_free:
                draft.unlink(missing_ok=True)
