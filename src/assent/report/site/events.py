"""An entry of the ledger as a row of a list."""

from __future__ import annotations

from markupsafe import Markup

from assent.core.entry import Entry, Kind
from assent.report.site import pen
from assent.report.site.filling import fill
from assent.report.site.pen import Pen
from assent.report.site.voices import is_review

EVENT_COLUMNS = ("Entry", "When", "What", "By")


def event_row(entry: Entry, doubt: str | None, pen_: Pen) -> list[Markup]:
    """An entry as a row: number, date, what was done and why, by whom."""
    what = [_deed(entry, pen_)]
    if entry.reason:
        what.append(fill('<span class="why">%s</span>', pen.words(entry.reason)))
    if entry.metrics:
        figures = entry.metrics.items()
        what.append(pen.listed([fill("%s: %s", pen.code(k), pen.value(v)) for k, v in figures]))
    if entry.happened:
        what.append(fill("happened %s", pen.code(entry.happened)))
    ways = [] if entry.run is None else [pen.run(entry.run)]
    ways += [pen.outward(name, address) for name, address in entry.links.items()]
    if ways:
        what.append(pen.listed(ways, between=pen.DOT))
    at = pen.when(entry.at)
    if doubt is not None:
        at += fill(' <span class="doubt">in doubt: %s</span>', pen.words(doubt))
    number = Markup('<span class="number">#%d</span>') % entry.seq
    return [number, at, pen.joined(what, pen.BREAK), pen_.person(entry.actor)]


def _deed(entry: Entry, pen_: Pen) -> Markup:
    """What was done, instead of what, and who had approved the bytes that it is about. Whether it
    needed them, the findings of the entry say.
    """
    parts = [pen_.sentence(entry)]
    if entry.replaces is not None:
        parts.append(fill("instead of %s", pen_.version(entry.model, entry.replaces)))
    if not is_review(entry) and entry.approvals:
        people = [pen_.person(approval.person) for approval in entry.approvals]
        parts.append(fill("(its bundle was approved by %s)", pen.listed(people)))
    elif entry.kind in (Kind.PROMOTED, Kind.ROLLED_BACK):
        parts.append(Markup('<span class="soft">(no approval is named in it)</span>'))
    if entry.required == 0:
        parts.append(Markup('<span class="soft">(nobody had to approve it)</span>'))
    return pen.joined(parts, pen.SPACE)
