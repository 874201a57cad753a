"""Outputs of earlier runs, set aside while a command runs, so that what is there afterwards is its
own.

Each file is renamed within its file system, from its real place: a link that leads there may lead
elsewhere afterwards. A list of what was moved, and of the links, is written first, so that the next
verb brings everything back after a kill. What cannot be renamed stays where it is, and must have
been written since.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import msgspec

from assent.core.digest import Digest
from assent.errors import AssentError, OutsideError, UsageError
from assent.files import write_atomically
from assent.making.existing_outputs import standing_outputs
from assent.making.run_lock import alone
from assent.measure.files import (
    file_digest,
    link_text,
    links_to,
    path_below,
    relative_name,
)
from assent.measure.hashes import Signature, signature
from assent.measure.patterns import covers, is_glob
from assent.measure.pointers import stands_for

_LIST = "moved.json"
_REFUSED = "refused"
"""The folder beside that of what is set aside, for what a run wrote that did not end well."""
KEPT_RUNS = 3
"""Of how many runs of a model that is kept. Whoever says where it is says this too."""
_SHOWN = 5


class _List(msgspec.Struct, frozen=True):
    """What was to be moved, by the real place of each file its name in the folder; the links that
    led there, with their texts; what was left to stand; where the run writes, and what it updates
    there. `number` is the run's, below `refused`.
    """

    moved: dict[str, str] = {}
    links: dict[str, bytes] = {}
    stays: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    number: int = 1


class Aside:
    """The files of one run that were set aside, by their names relative to `root`. `beside` are
    the folders that hold what stood in the place of what was brought back, and `stuck` says what
    could not be, and where it is.
    """

    def __init__(self, root: Path, folder: Path, lock: int, noted: _List | None = None) -> None:
        self._root = Path(os.path.realpath(root))
        self._folder = folder
        self._refused = folder.parent.parent / _REFUSED / folder.name
        self.lock = lock
        self._noted = noted or _List()
        self._stays = frozenset(self._noted.stays)
        self._moved: dict[str, str] = {}
        self._standing: dict[str, Signature] = {}
        self._watched: dict[str, Signature] = {}
        self._back: set[str] = set()
        self._began: Signature | None = None
        self.beside: set[Path] = set()
        self.stuck: tuple[str, ...] = ()

    def move(
        self,
        names: Sequence[str],
        stays: Sequence[str] = (),
        outputs: Sequence[str] = (),
        updated: Sequence[str] = (),
    ) -> None:
        """Set these files aside; those of `stays` lie there as well, and are left to, as is a link
        that waits for what the command puts there. What is new afterwards at the patterns
        `outputs`, and covered by none of `updated`, is the run's own. Raises `OutsideError` if
        that cannot be noted.
        """
        waiting = [name for name in names if name in outputs and _leads_nowhere(self._root / name)]
        places = {
            name: relative_name(self._root, path_below(self._root, self._real(name)))
            for name in names
            if name not in waiting
        }
        numbers = {real: f"{at:06}" for at, real in enumerate(dict.fromkeys(places.values()))}
        self._noted = _List(
            moved=numbers,
            links={
                **_links(self._root, names),
                **{self._real(name): link_text(self._root / name) for name in waiting},
            },
            stays=tuple(stays),
            outputs=tuple(outputs),
            updated=tuple(updated),
            number=max(_numbers(self._refused), default=0) + 1,
        )
        self._stays = frozenset(stays)
        write_atomically(self._folder / _LIST, msgspec.json.encode(self._noted))
        _flush(self._folder / _LIST)
        self._began = signature(self._folder / _LIST)
        for name, real in places.items():
            self._set_aside(name, real)

    def _set_aside(self, name: str, real: str) -> None:
        place, target, signature_now = self._root / real, self._aside(real), None
        try:
            signature_now = signature(place) if place.exists() else None
            if not os.path.lexists(target):  # else it was named twice, by another link
                place.rename(target)
            self._moved[name] = real
        except OSError:
            if signature_now is not None:  # on another device, or in use: told by its times
                self._standing[name] = signature_now

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
        """Whether a file that is there was written since. What was there before is not, although
        a new link leads to it.
        """
        before = self._standing.get(name, self._watched.get(name))
        if name in self._stays and before is None:
            return True
        if self._real(name) in self._back:
            return False
        try:
            signature_now = signature(self._root / name)
        except OSError:
            return True
        return before != signature_now and not self._is_of_before(name, signature_now)

    def _is_of_before(self, name: str, signature_now: Signature) -> bool:
        place = self._root / name
        return (
            self._began is not None
            and signature_now.device == self._began.device  # else its times are of another clock
            and signature_now.ctime_ns < self._began.ctime_ns
            and os.path.realpath(place) != str(place)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that was there before, set aside or not."""
        return (*self._moved, *self._standing)

    @property
    def gone(self) -> tuple[str, ...]:
        """What was set aside, and nothing stands in its place."""
        return tuple(
            name
            for name, real in self._moved.items()
            if not self._leads_elsewhere(name, real) and not os.path.lexists(self._root / name)
        )

    def unwritten(self) -> tuple[str, ...]:
        """What was there before and was not written since."""
        return (*self.gone, *(name for name in self._standing if not self.is_written(name)))

    def digest(self, name: str) -> Digest | None:
        """The digest of a file that was set aside; None for a link to nothing."""
        path = self._aside(self._moved[name])
        return file_digest(path) if path.is_file() else None

    def fresh(self) -> list[str]:
        """What lies at the outputs now and did not before, once all is back."""
        before = {*self._noted.moved, *self._noted.links}
        return [
            name
            for name in standing_outputs(self._root, self._noted.outputs)
            if name not in self._stays and self._real(name) not in before
        ]

    def settle(self, names: Sequence[str]) -> None:
        """The command has ended well: bring back these files, of which nothing stands there, and
        those behind a link that leads elsewhere now, which are of no output any more.
        """
        left = [real for name, real in self._moved.items() if self._leads_elsewhere(name, real)]
        self._try([self._moved[name] for name in names], self._put_back)
        self._try(left, self._release)
        if self.failure is not None:
            raise self.failure

    def bring_back(self) -> None:
        """Put everything back where it was that can be. What stands there or is new is kept beside:
        an output of two runs is of none, and nobody knows whether somebody needs it.
        """
        self.stuck = ()
        self._try(self._noted.links, self._put_link)
        self._try(self._noted.moved, self._put_back)
        with suppress(AssentError):  # a link that leaves the tree, say: what is new stays there
            for name in self.fresh():
                if self._is_own(name):
                    with suppress(OSError):
                        self._move_beside(self._root / name, name)

    @property
    def failure(self) -> OutsideError | None:
        """What could not be brought back, where it is and what to do; None if all is back."""
        if not self.stuck:
            return None
        more = f" and {len(self.stuck) - _SHOWN} more" if len(self.stuck) > _SHOWN else ""
        return OutsideError(
            f"bringing back outputs of {self._folder.name}",
            f"these could not be: {', '.join(self.stuck[:_SHOWN])}{more}",
            hint="make the folders writable and run the verb again; or put back yourself what you "
            f"need, and remove {self._folder}",
        )

    @property
    def is_any(self) -> bool:
        """Whether anything was there before."""
        return bool(self._noted.moved)

    def drop(self) -> None:
        """What is aside is not needed any more, unless it is stuck; nor is what runs long ago were
        refused with.
        """
        if self.stuck:
            return
        _remove(self._folder)
        for number in sorted(_numbers(self._refused))[:-KEPT_RUNS]:
            _delete(self._refused / str(number))

    def _is_own(self, name: str) -> bool:
        """Whether what is new is the run's. A glob may well cover what somebody else has written;
        what is updated the next run goes on with.
        """
        places = (output for output in self._noted.outputs if not is_glob(output))
        return any(covers(place, name) for place in places) and not any(
            covers(pattern, name) for pattern in self._noted.updated
        )

    def _aside(self, real: str) -> Path:
        return self._folder / self._noted.moved[real]

    def _real(self, name: str) -> str:
        """Where a file is once the links to its folder are followed, relative to the root."""
        place = self._root / name
        return os.path.relpath(os.path.realpath(place.parent) + f"/{place.name}", self._root)

    def _leads_elsewhere(self, name: str, real: str) -> bool:
        """Whether a name that led to a file through a link leads to another one now."""
        return real not in (name, self._real(name))

    def _try(self, places: Iterable[str], put: Callable[[str], None]) -> None:
        """Do it for all: one that cannot be brought back is no reason to leave the others."""
        for place in places:
            try:
                put(place)
            except OSError as error:
                reason = error.strerror or str(error)
                self.stuck = (*self.stuck, f"{place}, which is {self._told(place)} ({reason})")

    def _told(self, place: str) -> str:
        if place in self._noted.moved:
            return str(self._aside(place))
        return f"a link to {os.fsdecode(self._noted.links[place])}"

    def _put_back(self, real: str) -> None:
        if not os.path.lexists(self._aside(real)):
            return  # it is back, or was never moved
        self._make_room(real)
        self._aside(real).replace(self._root / real)
        self._back.add(real)

    def _put_link(self, real: str) -> None:
        place, text = self._root / real, self._noted.links[real]
        if self._in_the_way(real) == place and place.is_symlink() and link_text(place) == text:
            return
        self._make_room(real)
        os.symlink(os.fsdecode(text), place)  # noqa: PTH211 - as it was, to the last slash

    def _release(self, real: str) -> None:
        """Bring back what the command has not replaced, without touching what it has written."""
        if os.path.lexists(self._root / real):
            return
        if self._in_the_way(real) is None:
            self._put_back(real)
        else:
            self._move_beside(self._aside(real), real)

    def _make_room(self, real: str) -> None:
        taken = self._in_the_way(real)
        if taken is not None:
            self._move_beside(taken, taken.relative_to(self._root).as_posix())
        (self._root / real).parent.mkdir(parents=True, exist_ok=True)

    def _in_the_way(self, real: str) -> Path | None:
        """What stands at a place, or is there instead of a folder above it. A link is: none led
        there.
        """
        place = self._root / real
        for parent in reversed(place.parents[: len(Path(real).parts) - 1]):
            if os.path.lexists(parent) and (parent.is_symlink() or not parent.is_dir()):
                return parent
        return place if os.path.lexists(place) else None

    def _move_beside(self, path: Path, name: str) -> None:
        """Keep it where nothing that was kept before lies or is in the way."""
        for number in count(self._noted.number):
            folder = self._refused / str(number)
            above = [parent for parent in (folder / name).parents if parent.is_relative_to(folder)]
            is_free = all(parent.is_dir() or not os.path.lexists(parent) for parent in above)
            if is_free and not os.path.lexists(folder / name):
                above[0].mkdir(parents=True, exist_ok=True)
                path.replace(folder / name)
                self.beside.add(folder)
                return


@contextmanager
def aside(root: Path, folder: Path) -> Iterator[Aside]:
    """Set outputs aside while a command runs. If it fails, everything is brought back, and what it
    wrote instead is kept below `.assent/refused/`. `Aside.lock` is for the command to hold on to:
    as long as one of its processes goes on, no other run begins.

    Raises `UsageError` while another run of the same model goes on, or was cut off.
    """
    with alone(folder) as lock:
        if is_left(folder):
            raise UsageError(
                f"running a command of {folder.name}",
                "a run of it was cut off just now",
                hint="run the verb again, which brings back what was set aside",
            )
        _remove(folder)  # a run that ended well had no time to
        moved = Aside(root, folder, lock)
        try:
            yield moved
        except BaseException:
            moved.bring_back()
            moved.drop()
            raise
        moved.drop()


def is_left(folder: Path) -> bool:
    """Whether a run that was killed has left something aside, or one goes on."""
    return (folder / _LIST).exists()


def left_below(folder: Path) -> list[Path]:
    """The folders of all models of which a run was killed, or goes on."""
    try:
        return [path for path in sorted(folder.iterdir()) if is_left(path)]
    except OSError:
        return []


@contextmanager
def cut_off(root: Path, folder: Path) -> Iterator[Aside | None]:
    """What a run that was killed has set aside, to be brought back; None if somebody has done so
    meanwhile. What is not stuck after that is dropped.

    Raises `UsageError` while a process of the run goes on, and `OutsideError` if nobody knows what
    it was.
    """
    with alone(folder) as lock:
        noted = _noted(folder)
        if noted is None:
            yield None
            return
        moved = Aside(root, folder, lock, noted)
        yield moved
        moved.drop()


def _noted(folder: Path) -> _List | None:
    try:
        noted = msgspec.json.decode((folder / _LIST).read_bytes(), type=_List)
        for name in (*noted.moved, *noted.links, *noted.moved.values()):
            path_below(folder, name)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, AssentError) as error:
        raise OutsideError(
            f"bringing back what a run has set aside in {folder}",
            f"the list of it cannot be read ({error})",
            hint="the files are in that folder; put back what you need and remove the folder",
        ) from None
    return noted


def _links(root: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The links below the root that lead to the folders of these files, by their real places."""
    texts: dict[str, bytes] = {}
    for parent in dict.fromkeys(Path(name).parent for name in names):
        texts |= links_to(root, parent)
    return texts


def _flush(path: Path) -> None:
    """Have it on the disk before anything that it names is moved: power may fail."""
    for place in (path, path.parent):
        with suppress(OSError):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _numbers(folder: Path) -> list[int]:
    """The runs that something is kept of."""
    try:
        return [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]
    except OSError:
        return []


def _leads_nowhere(place: Path) -> bool:
    """Whether a link waits for what a run puts there: nothing of an earlier one is behind it. A
    link that stands for a file elsewhere is no such link.
    """
    return place.is_symlink() and not place.exists() and not stands_for(place)


def _remove(folder: Path) -> None:
    """Remove the list first: without it nothing is brought back."""
    (folder / _LIST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _delete(folder: Path) -> None:
    """Remove a folder with all that is in it, folders that may not be written included."""
    with suppress(OSError):
        folder.chmod(0o700)
        for parent, folders, _ in os.walk(folder):
            for name in folders:
                path = Path(parent, name)
                if not path.is_symlink():
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
