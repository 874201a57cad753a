"""The queue of writers on one machine: they wait for each other, and not at the remote.

Of many who build on the same entry one is first, and the work of all others is lost. So they take
turns where they can know of each other. Nothing rests on that: the push decides who was first, and
whoever waits in vain goes on without. The locks are the kernel's, which frees them when their
process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from assent.git.addresses import folder_at

STALL_S = 30.0
"""How long a turn is waited for before it is looked whether anybody writes at all."""
NOTICE_S = 1.0
"""How long nobody is told."""
_SECRET = re.compile(r"://[^/@]*@")


@contextmanager
def turn(
    address: str, model: str, has_moved: Callable[[], bool], notice: Callable[[], None]
) -> Iterator[bool]:
    """Be the one writer of this machine to a ledger, as far as the others can be known of; say
    whether there was one to wait for. `has_moved` says whether the ledger has changed since it was
    asked last: while it does, others write, and there will be a turn.
    """
    place = _place(address, model)
    file = None if place is None else _opened(place)
    if file is None:
        yield False
        return
    lock = Lock(file)
    try:
        if not lock.was_free:
            _wait(lock, has_moved, notice)
        yield not lock.was_free
    finally:
        lock.release()


def _wait(lock: Lock, has_moved: Callable[[], bool], notice: Callable[[], None]) -> None:
    if lock.wait(NOTICE_S):
        return
    notice()
    while not lock.wait(STALL_S):
        if not has_moved():
            return


class Lock:
    """A lock of the kernel that is waited for in turn, and for a while only: a thread of its own
    waits, and lets it go again where nobody wants it any more.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._is_held = threading.Event()
        self._guard = threading.Lock()
        self._is_unwanted = False
        self.was_free = _is_free(file)
        if self.was_free:
            self._is_held.set()
        else:
            threading.Thread(target=self._acquire, daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether the lock is ours within this time."""
        return self._is_held.wait(seconds)

    def release(self) -> None:
        """Let it go, or do not want it any more. The file is closed."""
        with self._guard:
            self._is_unwanted = True
            if self._is_held.is_set():
                os.close(self._file)

    def _acquire(self) -> None:
        with suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX)
        with self._guard:
            if self._is_unwanted:
                os.close(self._file)
            self._is_held.set()


def _is_free(file: int) -> bool:
    """Whether the lock was to be had at once, and is ours; also where there are no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # such as a folder on a server
    return True


def _place(address: str, model: str) -> Path | None:
    """What all writers to a ledger can lock: where it is kept in a folder, that folder; else a
    file of this user's, by the address without whoever asks.
    """
    folder = folder_at(address)
    if folder is not None and folder.is_dir():
        return folder
    name = hashlib.sha256(f"{_SECRET.sub('://', address)} {model}".encode()).hexdigest()[:16]
    shared = Path(tempfile.gettempdir()) / f"assent-{os.getuid()}"
    try:
        shared.mkdir(mode=0o700, exist_ok=True)
        status = shared.lstat()
        # Another user could have put a folder there, and locks that are never freed.
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            return None
        place = shared / name
        place.touch(mode=0o600)
    except OSError:
        return None
    return place


def _opened(place: Path) -> int | None:
    try:
        return os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
