"""The timeline of a model, as a picture and as a list of its entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from assent.core.entry import Entry
from assent.report.numbers import count
from assent.report.site import pen
from assent.report.site.addresses import BLOCK, of_model
from assent.report.site.events import EVENT_COLUMNS, event_row
from assent.report.site.filling import drawn_markup, fill
from assent.report.site.history import History
from assent.report.site.lanes import MOST_STAGES, NARROW, WIDE, lanes
from assent.report.site.pages import Page, page
from assent.report.site.parts import Content, Figure, Section, Table
from assent.report.site.pen import Pen
from assent.report.site.remarks import footer, notices
from assent.report.site.tabs import crumbs, tabs
from assent.report.site.told import ModelTold

_RECENT = 60
"""So many of the newest entries are drawn apart where the whole would be too fine to be read."""


def timeline_pages(told: ModelTold) -> Iterator[Page]:
    """The timeline, and the lists of entries that are cut where they always were."""
    path = of_model(told.model, "timeline")
    given = [told.head, told.history.doubts, told.history.stages, told.remarks, told.unread]
    yield page(path, given, lambda: _timeline(told, Pen(path)))
    for at in range(-(-len(told.history.entries) // BLOCK)):
        yield _block_page(told, at)


def recent(history: History, pen_: Pen) -> Section:
    """The picture of what was lately."""
    return _picture(history, pen_, title="Lately", since=_since(history))


def _since(history: History) -> int:
    return max(0, len(history.entries) - _RECENT)


def _picture(history: History, pen_: Pen, *, title: str, since: int = 0) -> Section:
    if not history.entries:
        return Section(title=title, summary="nothing was recorded yet")

    def address(version: int) -> str:
        return pen_.root + of_model(history.model, f"v{version}")

    def drawn(width: float) -> Figure:
        drawing = drawn_markup(lanes(history, width, address, since=since))
        return Figure(title=Markup(""), drawing=drawing, is_wide=width == WIDE)

    shown, every = len(history.entries) - since, len(history.entries)
    return Section(
        title=title,
        summary=f"the newest {shown:,} of {every:,} entries"
        if since
        else count(shown, "entry", "entries"),
        figures=(drawn(WIDE), drawn(NARROW)),
        lines=(_LEGEND, *_left_out(history)),
    )


def _left_out(history: History) -> tuple[Markup, ...]:
    left = len(history.stages) - MOST_STAGES
    if left <= 0:
        return ()
    return (fill("%s more have no lane here; the entries have them.", count(left, "stage")),)


_LEGEND = Markup(
    '<span class="legend">'
    '<span><span class="key now"></span> holds now</span> '
    '<span><span class="key"></span> held</span> '
    "<span>\N{LEFTWARDS ARROW WITH HOOK} rolled back</span> "
    '<span><span class="key yes"></span> approval</span> '
    '<span><span class="key remark"></span> note</span> '
    '<span><span class="no">\N{MULTIPLICATION SIGN}</span> objection, override, retired</span>'
    "</span>"
)


def _timeline(told: ModelTold, pen_: Pen) -> Content:
    history = told.history
    sections = [_picture(history, pen_, title="All of it")]
    if _since(history):
        sections.append(recent(history, pen_))
    if history.entries:
        sections.append(_list(told, (len(history.entries) - 1) // BLOCK, pen_))
    return Content(
        title=f"{told.model}: timeline",
        heading=fill("%s: timeline", pen_.model(told.model)),
        crumbs=crumbs(pen_, told.model),
        notices=tuple(notices(told)),
        tabs=tabs(told.model, "timeline"),
        sections=tuple(sections),
        footer=footer(told),
    )


def _block_page(told: ModelTold, at: int) -> Page:
    path = of_model(told.model, f"timeline-{at}")
    entries = _block(told.history.entries, at)
    doubts = {entry.seq: told.history.doubts.get(entry.seq) for entry in entries}

    def content() -> Content:
        pen_ = Pen(path)
        return Content(
            title=f"{told.model}: entries {entries[0].seq} to {entries[-1].seq}",
            heading=fill("%s: timeline", pen_.model(told.model)),
            crumbs=crumbs(pen_, told.model),
            tabs=tabs(told.model, "timeline"),
            sections=(_list(told, at, pen_),),
        )

    return page(path, [told.model, entries, doubts, _has_later(told, at)], content)


def _block(entries: Sequence[Entry], at: int) -> Sequence[Entry]:
    return entries[at * BLOCK : (at + 1) * BLOCK]


def _has_later(told: ModelTold, at: int) -> bool:
    return (at + 1) * BLOCK < len(told.history.entries)


def _list(told: ModelTold, at: int, pen_: Pen) -> Section:
    doubts = told.history.doubts
    entries = _block(told.history.entries, at)[::-1]
    ways = []
    if at > 0:
        ways.append(pen_.to(of_model(told.model, f"timeline-{at - 1}"), "earlier entries"))
    if _has_later(told, at):
        ways.append(pen_.to(of_model(told.model, f"timeline-{at + 1}"), "later entries"))
    return Section(
        title=f"Entries #{entries[-1].seq} to #{entries[0].seq}",
        summary="newest first",
        table=Table(
            title="Entries",
            columns=EVENT_COLUMNS,
            is_stacked=True,
            rows=[event_row(entry, doubts.get(entry.seq), pen_) for entry in entries],
            anchors=tuple(f"e{entry.seq}" for entry in entries),
        ),
        lines=(pen.joined(ways, pen.DOT),) if ways else (),
    )
