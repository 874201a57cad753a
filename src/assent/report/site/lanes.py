"""The timeline as a picture: a lane for the versions, one for each stage with a bar for each stay,
and one for what people said. Time runs to the right, on a true axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from assent.core.entry import Entry, Kind
from assent.report.charts.drawing import Drawing, fit, width_of
from assent.report.charts.scales import Scale
from assent.report.escape import visible
from assent.report.site.history import History, Stay, Struct

WIDE, NARROW = 920.0, 350.0
_LANE = 46.0
_TOP = 8.0
_BAR = 20.0
_LAST = 6.0
_ROOM = 60.0
"""What is kept free at the right for what stands now: it has no end."""
MOST_STAGES = 12


class Place(Struct, frozen=True, kw_only=True):
    """Where entries stand in time. The date of one that is in doubt is that of the entry before."""

    seconds: dict[int, float]
    first: float
    last: float

    @classmethod
    def of(cls, entries: Sequence[Entry], doubts: dict[int, str]) -> Place:
        """The places of entries, none before one that came earlier."""
        seconds: dict[int, float] = {}
        latest: float | None = None
        good = [entry for entry in entries if entry.seq not in doubts]
        start = _s(good[0].at) if good else 0.0
        for entry in entries:
            if entry.seq not in doubts:
                latest = _s(entry.at) if latest is None else max(latest, _s(entry.at))
            seconds[entry.seq] = start if latest is None else latest
        values = seconds.values()
        return cls(seconds=seconds, first=min(values, default=0.0), last=max(values, default=0.0))


def lanes(
    history: History,
    width: float,
    address: Callable[[int], str],
    *,
    since: int = 0,
) -> str:
    """The picture of all entries from number `since` on. `address` is the page of a version."""
    entries = history.entries[since:]
    place = Place.of(entries, dict(history.doubts))
    stages = history.stages[:MOST_STAGES]
    bottom = _TOP + (len(stages) + 2) * _LANE + _LAST
    drawing = Drawing(bottom + 22, width)
    scale = _scale(place, width)
    _dates(drawing, scale, place, bottom)
    _versions(drawing, scale, place, entries, address)
    for at, stage in enumerate(stages, 1):
        top = _TOP + at * _LANE
        drawing.text(0, top + 12, fit(stage, width / 2), "name")
        for stay in history.stays:
            if stay.stage == stage:
                _stay(drawing, scale, place, stay, top + 18, address)
    _voices(drawing, scale, place, entries, bottom - _LANE - _LAST)
    return drawing.svg(_sentence(history, stages))


def _scale(place: Place, width: float) -> Scale:
    return Scale(place.first, max(place.last, place.first + 1), 6, width - _ROOM)


def _versions(
    drawing: Drawing,
    scale: Scale,
    place: Place,
    entries: Sequence[Entry],
    address: Callable[[int], str],
) -> None:
    """A tick where versions were registered, a cross where one was taken out of use; each leads to
    the newest of them.
    """
    drawing.text(0, _TOP + 12, "registered", "soft")
    y, free = _TOP + 18, -1.0
    for x, kind, group in _marks(entries, _OF_VERSIONS, scale, place):
        number = group[-1].subject.version or 0
        with drawing.group(_told_of(group)), drawing.link(address(number), f"v{number}"):
            if kind is not Kind.REGISTERED:
                _cross(drawing, x, y + 5)
                continue
            drawing.line((x, y), (x, y + 10), "tick-mark")
            label = f"v{number}"
            half = width_of(label) / 2
            if x - half > free:
                drawing.text(max(half, x), y + 22, label, "tick", "middle")
                free = x + half + 4


_OF_VERSIONS = (Kind.REGISTERED, Kind.RETIRED, Kind.PURGED)


def _marks(
    entries: Sequence[Entry], kinds: Sequence[Kind], scale: Scale, place: Place
) -> list[tuple[float, Kind, list[Entry]]]:
    """Where entries of these kinds are marked. Those of one kind that would lie on one another are
    one mark.
    """
    groups: dict[tuple[int, Kind], list[Entry]] = {}
    for entry in entries:
        if entry.kind in kinds:
            key = int(scale.at(place.seconds[entry.seq]) / _FINEST), entry.kind
            groups.setdefault(key, []).append(entry)
    return [
        (scale.at(place.seconds[group[-1].seq]), kind, group) for (_, kind), group in groups.items()
    ]


_FINEST = 3.0


def _told_of(group: Sequence[Entry]) -> str:
    first, last = group[0], group[-1]
    if len(group) == 1:
        return f"{_told(first)}, by {first.actor.login}, {first.at}"
    return f"{len(group)} times {_told(first)} to {_told(last)}, {first.at} to {last.at}"


def _stay(
    drawing: Drawing,
    scale: Scale,
    place: Place,
    stay: Stay,
    y: float,
    address: Callable[[int], str],
) -> None:
    start = scale.at(place.seconds.get(stay.since.seq, place.first))
    is_now = stay.until is None
    if stay.until is not None and stay.until.seq not in place.seconds:
        return  # it was over before the picture begins
    end = drawing.width if stay.until is None else scale.at(place.seconds[stay.until.seq])
    label = ("\N{LEFTWARDS ARROW WITH HOOK} " if stay.is_rollback else "") + f"v{stay.version}"
    until = "now" if stay.until is None else stay.until.at
    how = "rolled back to" if stay.is_rollback else "held"
    style = "stay now" if is_now else "stay"
    if stay.is_rollback:
        style += " back"
    tooltip = f"{stay.stage} {how} v{stay.version} from {stay.since.at} to {until}"
    with drawing.group(tooltip), drawing.link(address(stay.version), f"v{stay.version}"):
        drawing.rect(start, y, max(2.0, end - start - 1), _BAR, style)
        if end - start > width_of(label) + 8:
            drawing.text(start + 6, y + 14, label, "value")


def _voices(
    drawing: Drawing, scale: Scale, place: Place, entries: Sequence[Entry], top: float
) -> None:
    """What people said: approvals, objections, overrides and notes, each with a form of its own."""
    drawing.text(0, top + 12, "approvals and notes", "soft")
    for x, kind, group in _marks(entries, _VOICES, scale, place):
        y = top + 24
        with drawing.group(_told_of(group)):
            if kind is Kind.APPROVED:
                drawing.dot(x, y, 4, "yes")
            elif kind is Kind.NOTED:
                points = [(x, y + 8), (x + 6, y + 14), (x, y + 20), (x - 6, y + 14)]
                drawing.path(points, "remark", is_closed=True)
            else:
                _cross(drawing, x, y + 14)


_VOICES = (Kind.APPROVED, Kind.REJECTED, Kind.OVERRIDDEN, Kind.NOTED)


def _cross(drawing: Drawing, x: float, y: float) -> None:
    drawing.line((x - 4, y - 4), (x + 4, y + 4), "no")
    drawing.line((x - 4, y + 4), (x + 4, y - 4), "no")


def _told(entry: Entry) -> str:
    number = entry.subject.version
    what = f"v{number}" if number is not None else "a bundle" if entry.subject.bundle else ""
    reason = f": {entry.reason}" if entry.reason else ""
    return f"{entry.kind.value.replace('_', ' ')} {what}".rstrip() + reason


def _dates(drawing: Drawing, scale: Scale, place: Place, bottom: float) -> None:
    for seconds, text in date_marks(place.first, place.last, int(drawing.width // 110)):
        x = scale.at(seconds)
        drawing.line((x, _TOP), (x, bottom), "grid")
        half = width_of(text) / 2
        drawing.text(min(drawing.width - half, max(half, x)), bottom + 16, text, "tick", "middle")


def date_marks(first: float, last: float, most: int) -> list[tuple[float, str]]:
    """Round dates between two moments, at most so many if that is 2 or more."""
    if last <= first:
        return [(first, _moment(first).strftime("%Y-%m-%d"))]
    span = (last - first) / max(1, most)
    for step, form in _STEPS:
        if step >= span:
            start = -(-first // step) * step
            count = int((last - start) // step) + 1
            marks = [start + at * step for at in range(max(0, count))]
            return [(mark, _moment(mark).strftime(form)) for mark in marks][:most]
    return list(_of_months(first, last, span))[:most]


def _of_months(first: float, last: float, span: float) -> Iterator[tuple[float, str]]:
    months = next((step for step in (1, 2, 3, 6) if step * 31 * _DAY >= span), 0)
    months = months or 12 * max(1, -(-int(span) // (366 * int(_DAY))))
    begin = _moment(first)
    at = begin.year * 12 + begin.month - 1
    at -= at % months
    while True:
        at += months
        if at // 12 > 9999:
            return
        mark = datetime(at // 12, at % 12 + 1, 1, tzinfo=UTC).timestamp()
        if mark > last:
            return
        yield mark, _moment(mark).strftime("%Y-%m" if months < 12 else "%Y")


_DAY = 86_400.0
_STEPS = (
    *((60.0 * step, "%H:%M") for step in (1, 5, 15, 30)),
    *((3600.0 * step, "%m-%d %H:%M") for step in (1, 3, 6, 12)),
    *((_DAY * step, "%Y-%m-%d") for step in (1, 2, 7, 14)),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(seconds: float) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)


def _s(at: str) -> float:
    try:
        return (datetime.fromisoformat(at) - _EPOCH).total_seconds()
    except (ValueError, TypeError):
        return 0.0


def _sentence(history: History, stages: Sequence[str]) -> str:
    parts = [f"{len(history.versions)} versions"]
    for stage in stages:
        stay = history.holding(stage)
        held = "nothing" if stay is None else f"v{stay.version} since {stay.since.at[:10]}"
        parts.append(f"{visible(stage)} holds {held}")
    return "Timeline: " + "; ".join(parts) + ". The list of entries says the same."
