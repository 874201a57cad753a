"""`timeline`: every decision, newest first."""

from __future__ import annotations

import msgspec

from assent.core.entry import Entry, decode_entry, sentence
from assent.core.registry import linked
from assent.ports import View
from assent.verbs.promote import chosen_version
from assent.verbs.recording import read_ledger
from assent.verbs.workspace import Workspace


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, and the sentence that says it."""

    sentence: str
    entry: Entry


class TimelineResult(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entries of a model, newest first, of `total` in all."""

    model: str
    total: int
    moments: tuple[Moment, ...]


def timeline(
    workspace: Workspace, model: str, *, limit: int | None = 50, version: str | None = None
) -> TimelineResult:
    """The newest `limit` entries (None: all), or all those about one version and its bundle."""
    view = read_ledger(workspace, model)
    total = view.state.seq + 1
    start = 0 if limit is None or version is not None else max(0, total - limit)
    entries = _entries(view, model, start)
    if version is not None:
        bundle = view.bundle_of(chosen_version(view, version))
        entries = [entry for entry in entries if entry.subject.bundle == bundle]
    moments = [Moment(sentence=sentence(entry), entry=entry) for entry in reversed(entries)]
    return TimelineResult(model=model, total=total, moments=tuple(moments[:limit]))


def _entries(view: View, model: str, start: int) -> list[Entry]:
    """Entries from `start` on. From the first on, the chain is checked as well."""
    if start == 0:
        return [entry for entry, _ in linked(model, view.entries())]
    return [decode_entry(content) for content in view.entries(start)]
