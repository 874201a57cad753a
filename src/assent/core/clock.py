"""Which clock a time is of, and which dates of a ledger can be believed.

Order comes from the sequence numbers alone, so no date can break a ledger. But a soak is a span
between two dates, and a clock that is off by ten years must neither end one at once nor hold it up
for ten years.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from assent.core.entry import Dated, Entry, Kind
from assent.core.registry import TOLERANCE_S, Record, State, rfc3339, spent_s
from assent.core.units import show_span

WINDOW = 100
"""How many entries before the registration of a version are compared with those about it."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shape of what is known of clocks."""


class Start(Struct, frozen=True, kw_only=True):
    """When a run began: `at` by this machine's clock, as its stopwatch (`time.monotonic`) showed
    `stopwatch_s`.
    """

    at: datetime
    stopwatch_s: float


class ClockReading(Struct, frozen=True, kw_only=True):
    """What a forge's clock showed, in seconds since 1970 and without their fraction, at a moment
    between two others of a stopwatch of this machine: when it was asked, and when it had answered.
    `of` is the forge.
    """

    of: str
    shown_s: float
    asked_s: float
    answered_s: float


class Clock(Struct, frozen=True, kw_only=True):
    """The time that decisions are taken at, RFC 3339, and the clock it is of: `github`, `gitlab`,
    or `this machine`. `ahead_s` is how far this machine's clock is at least ahead of that one;
    negative if it is behind.
    """

    now: str
    of: str
    ahead_s: float = 0.0

    @property
    def is_right(self) -> bool:
        """Whether this machine's clock is near enough to the forge's to write from here."""
        return abs(self.ahead_s) <= TOLERANCE_S

    @property
    def words(self) -> str:
        """Whose clock it is, as people say it."""
        return "by this machine's clock" if self.of == MACHINE else f"by {self.of}'s clock"


MACHINE = "this machine"


def clock_of(start: Start, sight: ClockReading | None) -> Clock:
    """The clock that counts at the start of a run: the forge's where one was seen. Of a difference
    to this machine's only what is certain is believed: a slow answer, and the fraction of a second
    that was not told, make none.
    """
    if sight is None:
        return Clock(now=rfc3339(start.at), of=MACHINE)
    machine_s = start.at.timestamp() - start.stopwatch_s
    least = machine_s + sight.asked_s - (sight.shown_s + 1)
    most = machine_s + sight.answered_s - sight.shown_s
    ahead_s = least if least > 0 else most if most < 0 else 0.0
    now = rfc3339(start.at - timedelta(seconds=ahead_s))
    return Clock(now=now, of=sight.of, ahead_s=round(ahead_s, 3))


def wrong_clock(clock: Clock) -> str | None:
    """Why nothing may be written from a machine with this clock; None if it may."""
    if clock.is_right:
        return None
    which = "ahead of" if clock.ahead_s > 0 else "behind"
    span = show_span(abs(clock.ahead_s))
    return f"this machine's clock is {span} {which} that of {clock.of}, which says {clock.now}"


class Doubt(Struct, frozen=True, kw_only=True):
    """An entry whose date cannot be right, and why. It blocks nothing."""

    seq: int
    at: str
    why: str


def doubts(entries: Sequence[Dated], now: str) -> dict[int, Doubt]:
    """The entries, by number, whose dates cannot be right as seen from `now`: in the future, before
    one that came earlier, or, of a machine's clock, after a later one of a forge's. `entries` are
    in their order.
    """
    doubtful: dict[int, Doubt] = {}
    late = _late(entries, now)
    newest: Dated | None = None
    vouched: Dated | None = None  # the newest that a forge has dated
    for entry in entries:
        # A forge's date is compared with what a forge has dated: a machine's proves nothing to it.
        before = vouched if entry.is_of_forge else newest
        if entry.seq in late:
            doubtful[entry.seq] = Doubt(seq=entry.seq, at=entry.at, why=late[entry.seq])
        elif before is not None and _s(entry.at) < _s(before.at) - TOLERANCE_S:
            why = f"before entry {before.seq}, which came earlier and says {before.at}"
            doubtful[entry.seq] = Doubt(seq=entry.seq, at=entry.at, why=why)
        else:
            newest = _later(newest, entry)
            vouched = _later(vouched, entry) if entry.is_of_forge else vouched
    return doubtful


def _later(known: Dated | None, entry: Dated) -> Dated:
    return entry if known is None or _s(entry.at) >= _s(known.at) else known


def _late(entries: Sequence[Dated], now: str) -> dict[int, str]:
    """Why dates are too late, by the number of the entry."""
    late: dict[int, str] = {}
    ceiling: Dated | None = None
    for entry in reversed(entries):
        if _s(entry.at) > _s(now) + TOLERANCE_S:
            late[entry.seq] = f"in the future: it is {now}"
        elif entry.is_of_forge:
            ceiling = entry if ceiling is None or _s(entry.at) < _s(ceiling.at) else ceiling
        elif ceiling is not None and _s(entry.at) > _s(ceiling.at) + TOLERANCE_S:
            why = f"after entry {ceiling.seq}, which came later and says {ceiling.at}"
            late[entry.seq] = f"{why} by the forge's clock"
    return late


def needs_entries(record: Record, stage: str, state: State, now: str) -> int | None:
    """From which entry on the ledger has to be read to know how long a version was in `stage`;
    None if its record tells. It does where no date near it goes back, and none is in the future.
    """
    stay = record.stays.get(stage)
    if stay is None:
        return None
    start = max(0, (record.registered or 0) - WINDOW)
    is_back = state.back is not None and state.back >= start
    is_late = _s(max(stay.since, stay.left or "", key=_order)) > _s(now) + TOLERANCE_S
    return start if is_back or is_late else None


class Spent(Struct, frozen=True, kw_only=True):
    """How long a version was in a stage, as far as dates can be believed. `doubt` is the entry
    whose date is not, if that makes it shorter than it may be. `is_unknown`: no entry after it has
    a date to count from yet.
    """

    seconds: float
    doubt: Doubt | None = None
    is_unknown: bool = False


def spent(record: Record, stage: str, now: str, entries: Sequence[Entry] = ()) -> Spent:
    """How long the version of `record` was in `stage`, all its stays together. `entries` are those
    from `needs_entries` on; where that is None its record is enough.

    A stay whose first date is not believed counts from the first later one that is.
    """
    if not entries:
        return Spent(seconds=spent_s(record.stays[stage], now))
    bad = doubts([entry.dated for entry in entries], now)
    seconds, doubt, is_unknown = 0.0, None, False
    for came, left in _stays(entries, stage, record.version):
        within = entries[came : len(entries) if left is None else left + 1]
        good = [_s(entry.at) for entry in within if entry.seq not in bad]
        arrival = within[0].seq
        doubt = bad.get(arrival, doubt)
        if not good:
            is_unknown = left is None
            continue
        # Nobody comes before what was written before: whatever is not in the future counts.
        floor = max(
            (_s(entry.at) for entry in entries[: came + 1] if _s(entry.at) <= _s(now)), default=0.0
        )
        last = within[-1].seq
        end = _s(now) if left is None else (good[-1] if last in bad else _s(within[-1].at))
        if left is not None:
            doubt = bad.get(last, doubt)
        seconds += max(0.0, end - max(good[0], floor))
    return Spent(seconds=seconds, doubt=doubt, is_unknown=is_unknown)


def _stays(
    entries: Sequence[Entry], stage: str, version: int | None
) -> list[tuple[int, int | None]]:
    """The places in `entries` where the version came to the stage and where it left it."""
    stays: list[tuple[int, int | None]] = []
    came: int | None = None
    for place, entry in enumerate(entries):
        if entry.stage != stage or entry.kind not in _MOVES:
            continue
        if came is not None:
            stays.append((came, place))
            came = None
        if entry.kind is not Kind.CLEARED and entry.subject.version == version:
            came = place
    return stays if came is None else [*stays, (came, None)]


_MOVES = (Kind.PROMOTED, Kind.ROLLED_BACK, Kind.CLEARED)


def is_a_day(text: str) -> bool:
    """Whether a date has no time: 2026-01-31, and no other way to write one."""
    return _DAY.fullmatch(text) is not None


def event_time(text: str, now: str) -> str:
    """When something happened, as an entry keeps it: a day, or a time in UTC. Raises `ValueError`
    for what is neither, for a time without its offset, and for one to come.
    """
    wanted = "a day (2026-01-31), or a time with its offset (2026-01-31T12:00:00Z)"
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not {wanted}") from None
    is_day = is_a_day(text)
    if not is_day and told.tzinfo is None:
        raise ValueError(f"{text!r} does not say its offset: write {wanted}")
    here = datetime.fromisoformat(now)
    told = told.replace(tzinfo=here.tzinfo) if is_day else told
    # A day has begun somewhere on Earth 14 hours before it begins in UTC.
    early_s = 14 * 3600 if is_day else TOLERANCE_S
    if (told - here).total_seconds() > early_s:
        raise ValueError(f"{text} is still to come: it is {now}")
    try:
        return text if is_day else rfc3339(told)
    except OverflowError:
        raise ValueError(f"{text!r} is not {wanted}") from None


def _s(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _order(at: str) -> float:
    return _s(at) if at else float("-inf")
