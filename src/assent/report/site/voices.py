"""Who said what of a bundle, each once: a decision repeats the approvals that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assent.core.entry import Entry, Kind, ReviewRecord
from assent.report.site.history import Struct

_REVIEWS = (Kind.APPROVED, Kind.REJECTED)


class Voice(Struct, frozen=True, kw_only=True):
    """One person's word on a bundle, and the entry that recorded it first."""

    entry: Entry
    record: ReviewRecord

    @property
    def is_approval(self) -> bool:
        """Whether it was a yes."""
        return self.entry.kind is not Kind.REJECTED

    @property
    def word(self) -> str:
        """What was said."""
        if self.is_approval:
            return "approved"
        return "took it back" if self.record.is_withdrawn else "objected"


def voices(entries: Iterable[Entry]) -> Iterator[Voice]:
    """The words in the order in which they were recorded."""
    heard: set[tuple[str, str, str, str | None]] = set()
    for entry in entries:
        for record in entry.approvals:
            is_no = entry.kind is Kind.REJECTED
            key = (record.person.key, record.bundle, record.at, "no" if is_no else None)
            if key not in heard:
                heard.add(key)
                yield Voice(entry=entry, record=record)


def is_review(entry: Entry) -> bool:
    """Whether an entry records what somebody said, and decides nothing."""
    return entry.kind in _REVIEWS
