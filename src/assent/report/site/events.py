"""An entry of the ledger as a row of a list."""

from __future__ import annotations

from markupsafe import Markup

from assent.core.entry import Entry, Kind
from assent.report.site import pen
from assent.report.site.pen import Pen
from assent.report.site.voices import is_review

EVENT_COLUMNS = ("Entry", "When", "What", "By")


def event_row(entry: Entry, doubt: str | None, pen_: Pen) -> list[Markup]:
    """An entry as a row: number, date, what was done and why, by whom."""
    what = [pen_.sentence(entry)]
    if entry.reason:
        what.append(Markup('<span class="why">%s</span>') % pen.words(entry.reason))
    if entry.happened:
        what.append(Markup("happened %s") % pen.code(entry.happened))
    if entry.replaces is not None:
        what.append(Markup("instead of %s") % pen_.version(entry.model, entry.replaces))
    if not is_review(entry) and entry.approvals:
        people = [pen_.person(approval.person) for approval in entry.approvals[:20]]
        what.append(Markup("with the approval of %s") % pen.joined(people))
    elif entry.kind in (Kind.PROMOTED, Kind.ROLLED_BACK):
        what.append(Markup('<span class="soft">no approval is named in it</span>'))
    if entry.run is not None:
        what.append(pen.run(entry.run))
    what += [pen.outward(name, address) for name, address in list(entry.links.items())[:20]]
    at = pen.when(entry.at)
    if doubt is not None:
        at += Markup(' <span class="doubt">in doubt: %s</span>') % pen.words(doubt)
    number = Markup('<span class="number">#%d</span>') % entry.seq
    return [number, at, pen.joined(what, pen.BREAK), pen_.person(entry.actor)]
