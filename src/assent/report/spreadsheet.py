"""A timeline as CSV (RFC 4180), for spreadsheets.

A cell that begins like a formula is one to a spreadsheet, whoever wrote it. An apostrophe before it
makes it text: https://owasp.org/www-community/attacks/CSV_Injection.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable

from assent.core.entry import Entry
from assent.core.history import Moment, actor_words
from assent.report.escape import visible

COLUMNS = (
    *("model", "entry", "at", "kind", "sentence", "version", "stage", "replaces"),
    *("actor", "actor_kind", "actor_id", "actor_proof", "approved_by", "required", "overridden_by"),
    *("reason", "happened", "metrics", "links", "commit", "lead_s", "run", "bundle", "doubt"),
)
"""The columns, in their order. More may be added at the end."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\N{FULLWIDTH EQUALS SIGN}")
_ALSO_FORMULA = (
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)


class _Lines(list[str]):
    """What the `csv` module writes to."""

    def write(self, line: str) -> None:
        """Keep a line."""
        self.append(line)


def to_csv(moments: Iterable[Moment]) -> str:
    """The moments as lines below the names of the columns."""
    lines = _Lines()
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    writer.writerows([cell(text) for text in _row(moment)] for moment in moments)
    return "".join(lines)


def cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula, every character of it seen."""
    shown = visible(text)
    is_formula = shown.lstrip(" ").startswith((*_FORMULA, *_ALSO_FORMULA))
    return f"'{shown}" if is_formula else shown


def _row(moment: Moment) -> list[str]:
    entry = moment.entry
    return [
        entry.model,
        str(entry.seq),
        entry.at,
        entry.kind,
        moment.sentence,
        _number(entry.subject.version),
        entry.stage or "",
        _number(entry.replaces),
        entry.actor.login,
        entry.actor.kind,
        entry.actor.key,
        entry.actor.proof,
        "; ".join(actor_words(approval.person) for approval in entry.approvals),
        _number(entry.required),
        _number(moment.against),
        entry.reason or "",
        entry.happened or "",
        "; ".join(f"{name}={value!r}" for name, value in entry.metrics.items()),
        "; ".join(f"{name}={address}" for name, address in entry.links.items()),
        entry.commit or "",
        "" if moment.lead is None else f"{moment.lead.seconds:.0f}",
        _run(entry),
        entry.subject.bundle or "",
        "" if moment.doubt is None else moment.doubt.why,
    ]


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _run(entry: Entry) -> str:
    run = entry.run
    if run is None:
        return ""
    return run.address or f"{run.system} {run.id}"
