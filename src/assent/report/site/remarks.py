"""What must be known of a model before the rest of a page is read, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from assent.report.numbers import count
from assent.report.site import pen
from assent.report.site.filling import fill
from assent.report.site.told import ModelTold


def notices(told: ModelTold) -> Iterator[Markup]:
    """What was not read, and what is doubtful."""
    yield from (pen.words(remark) for remark in told.remarks)
    if told.unread:
        problems = list(dict.fromkeys(told.unread.values()))
        more = count(len(problems) - 1, "other reason")
        yield fill(
            "The evidence of %s is not shown: %s%s",
            count(len(told.unread), "version"),
            pen.words(problems[0]),
            f" (and {more})" if len(problems) > 1 else "",
        )
    if told.history.doubts:
        yield fill(
            "%s that cannot be right: in pictures it stands where the one before does",
            count(len(told.history.doubts), "entry has a date", "entries have dates"),
        )


def footer(told: ModelTold) -> tuple[Markup, ...]:
    """Up to where the ledger was read."""
    entries = told.history.entries
    if not entries:
        return ()
    return (
        Markup("Ledger up to entry #%d, %s") % (entries[-1].seq, pen.when(entries[-1].at)),
        fill("its digest %s", pen.digest(told.head)),
    )
