"""`timeline`: every decision, newest first."""

from __future__ import annotations

import msgspec

from assent.core.entry import GENESIS, Entry, decode_entry, sentence
from assent.core.registry import ChainError, linked
from assent.ports import View
from assent.verbs.promote import chosen_version
from assent.verbs.recording import read_ledger
from assent.verbs.workspace import Workspace


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, and the sentence that says it."""

    sentence: str
    entry: Entry


class TimelineResult(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entries of a model, newest first, of `total` in all. The chain was verified from
    entry `verified_from` to the newest one.
    """

    model: str
    total: int
    moments: tuple[Moment, ...]
    verified_from: int


def timeline(
    workspace: Workspace, model: str, *, limit: int | None = 50, version: str | None = None
) -> TimelineResult:
    """The newest `limit` entries (None: all), or all those about one version and its bundle."""
    view = read_ledger(workspace, model, alone=True)
    total = view.state.seq + 1
    start = 0 if limit is None or version is not None else max(0, total - limit)
    entries = _entries(view, model, start)
    if version is not None:
        bundle = view.bundle_of(chosen_version(view, version))
        entries = [entry for entry in entries if entry.subject.bundle == bundle]
    moments = [Moment(sentence=sentence(entry), entry=entry) for entry in reversed(entries)]
    return TimelineResult(
        model=model, total=total, moments=tuple(moments[:limit]), verified_from=start
    )


def _entries(view: View, model: str, start: int) -> list[Entry]:
    """Entries from `start` on, each proven to lead to the newest one. Raises `ChainError`."""
    contents = list(view.entries(start))
    head = decode_entry(contents[0]).prev if start and contents else GENESIS
    found = list(linked(model, contents, start, head))
    if (found[-1][1] if found else GENESIS) != view.head:
        last = start + len(found)
        raise ChainError(model, last, "the entries do not lead to the newest one")
    return [entry for entry, _ in found]
