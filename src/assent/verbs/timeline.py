"""`timeline`: every decision, newest first."""

from __future__ import annotations

import msgspec

from assent.core.clock import Doubt, doubts
from assent.core.entry import Entry, sentence
from assent.recording.reading import read_entries, read_ledger
from assent.recording.versions import chosen_version
from assent.workspace import Workspace


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, the sentence that says it, and why its date is in doubt."""

    sentence: str
    entry: Entry
    doubt: Doubt | None = None


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
    """The newest `limit` entries (None: all), or all those about one version and its bundle. Dates
    are compared with one another, and with this machine's clock.
    """
    view = read_ledger(workspace, model, alone=True)
    total = view.state.seq + 1
    start = 0 if limit is None or version is not None else max(0, total - limit)
    entries = read_entries(view, start)
    doubted = doubts([entry.dated for entry in entries], workspace.machine_now)
    if version is not None:
        bundle = view.bundle_of(chosen_version(view, version))
        entries = [entry for entry in entries if entry.subject.bundle == bundle]
    moments = [
        Moment(sentence=sentence(entry), entry=entry, doubt=doubted.get(entry.seq))
        for entry in reversed(entries)
    ]
    return TimelineResult(
        model=model, total=total, moments=tuple(moments[:limit]), verified_from=start
    )
