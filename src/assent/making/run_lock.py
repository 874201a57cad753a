"""One run of a model at a time: the lock that a run and all processes of its command hold."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path

from assent.errors import OutsideError, UsageError


@contextmanager
def alone(folder: Path) -> Iterator[int]:
    """Hold the lock of a model's run. It goes with the process, however that ends."""
    with _opened(_place(folder)) as file:
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


def goes_on(folder: Path) -> bool:
    """Whether a run of the model goes on, or a process that it has started."""
    try:
        with _place(folder).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _place(folder: Path) -> Path:
    """Where the lock of the model is whose outputs are set aside in `folder`."""
    return folder.with_name(f"{folder.name}.lock")
