"""The key of what somebody asked for, so that asking again after a lost answer writes once.

Most verbs need none: a bundle has one version, and a stage that holds it is not promoted to again.
A note could be put down twice, and a rollback go back by two. Their entries carry a key. In CI it
is of the run, whatever the attempt, and of the words that were said; elsewhere it is drawn, and
kept in `.assent/pending/` until it is known to have been written: whoever says the same again,
within a day and after a run that did not get that far, says it with the same key.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from assent.core.digest import digest_of_value, hex_of
from assent.core.entry import Entry, Kind, decode_entry, sentence
from assent.errors import UsageError
from assent.ports import View
from assent.workspace import Workspace

DIGITS = 16
LOOKED_AT = 100
"""How many of the newest entries a key is looked for in."""
_KEPT = timedelta(days=1)


class OvertakenError(UsageError):
    """What was asked for was done by an earlier run that was cut off, and undone since."""


@dataclass(frozen=True)
class Key:
    """What the entries of one request carry. `is_repeated`: an earlier run may have written it,
    `is_of_run`: and may have been another attempt, which somebody has asked for anew.
    """

    value: str
    is_repeated: bool = False
    is_of_run: bool = False

    def written(self, view: View, *, ours_after: int | None = None) -> tuple[Entry, ...]:
        """The entries with this key among the newest ones. Those of another attempt of this run
        count while what they did still stands; those after entry `ours_after`, which this very
        process has written, always.

        Raises `OvertakenError` if a person's own earlier run has written it and it stands no more:
        to do it again may be what is meant, and may be too much.
        """
        last = view.state.seq
        entries: list[Entry] = []
        for seq in range(last, max(last - LOOKED_AT, -1), -1):
            content = view.entry(seq)
            entry = decode_entry(content) if self.value.encode() in content else None
            if entry is not None and entry.key == self.value:
                entries.append(entry)
            elif entries:
                break
        is_ours = bool(entries) and ours_after is not None and entries[0].seq > ours_after
        if entries and not is_ours and not _stands(view, entries[0]):
            if self.is_of_run:
                return ()
            raise _overtaken(view, entries[0])
        return tuple(reversed(entries))


@contextmanager
def keyed(workspace: Workspace, model: str, *asked: str | None) -> Iterator[Key]:
    """The key of a request, which is said by what was `asked`, for as long as it is worked on."""
    run = workspace.run
    if run is not None:
        value = _digits(["run", run.system, run.id, model, *asked])
        yield Key(value, is_repeated=True, is_of_run=True)
        return
    folder = workspace.work / "pending"
    with _pending(folder, _digits([model, *asked]), workspace.now) as key:
        yield key


@contextmanager
def _pending(folder: Path, request: str, now: str) -> Iterator[Key]:
    """A key that is kept until what it is for has succeeded. Whoever works on it has it locked,
    so that a lock that is free is of a run that was cut off.
    """
    adopted = None
    for path in sorted(folder.glob(f"*.{DIGITS * '?'}")):
        file = _locked(path)
        if file is None:
            continue
        if adopted is None and path.stem == request and _is_recent(path, now):
            adopted = (path, file)
            continue
        if not _is_recent(path, now):
            path.unlink(missing_ok=True)
        os.close(file)
    value = os.urandom(DIGITS // 2).hex()
    path, file = adopted or _new(folder, f"{request}.{value}", now)
    try:
        yield Key(path.suffix[1:], is_repeated=adopted is not None)
    except OvertakenError:  # now it is known: the same words once more mean it anew
        _forget(path)
        raise
    else:
        _forget(path)
    finally:
        if file is not None:
            os.close(file)


def _forget(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _new(folder: Path, name: str, now: str) -> tuple[Path, int | None]:
    """A file that nobody sees before it is locked. Where none can be written, nothing is kept."""
    draft = folder / f"{name}.new"
    file = None
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        draft.write_text(now, "ascii")
        file = _locked(draft)
        draft.rename(folder / name)
    return folder / name, file


def _locked(path: Path) -> int | None:
    """The file with its lock, or None if another process works on it."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


def _is_recent(path: Path, now: str) -> bool:
    try:
        age = datetime.fromisoformat(now) - datetime.fromisoformat(path.read_text("ascii"))
    except (OSError, ValueError, TypeError):
        return False
    return abs(age) < _KEPT


def _stands(view: View, entry: Entry) -> bool:
    """Whether what an entry did is still so."""
    held = None if entry.stage is None else view.state.stages.get(entry.stage)
    if entry.kind is Kind.CLEARED:
        return held is None
    return entry.kind is Kind.NOTED or (held is not None and held.seq == entry.seq)


def _overtaken(view: View, entry: Entry) -> OvertakenError:
    held = view.state.stages.get(entry.stage or "")
    now = "nothing" if held is None else f"v{held.version}"
    return OvertakenError(
        f"looking whether an earlier run has done it ({sentence(entry)})",
        f"one that was cut off has, in entry {entry.seq}; since then {entry.stage} was changed, "
        f"and holds {now}. Nothing was done now",
        hint="run it once more if it is to be done again",
    )


def _digits(parts: list[str | None]) -> str:
    return hex_of(digest_of_value(parts))[:DIGITS]
