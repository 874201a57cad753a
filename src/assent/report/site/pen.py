"""How names, people, dates and addresses are written on a page. All of it came from outside; what
is returned is markup in which nothing of it means anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from markupsafe import Markup

from assent.core.digest import Digest, short
from assent.core.entry import Entry, Kind
from assent.core.evidence import Run
from assent.core.identity import Actor
from assent.core.scalar import Scalar
from assent.core.verdict import Outcome
from assent.report.escape import name, shorten, visible
from assent.report.numbers import show
from assent.report.parts import Mark
from assent.report.site.addresses import linked, of_entry, of_model, of_person, root_from
from assent.report.site.filling import fill, together

_LONG = 2_000
_REMEMBERED = 2_000
"""So many texts are kept as they were written: the pages of versions repeat most of theirs."""
_NAME = 200
_LOGIN = 60
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|\+00:00)")
_HOST = re.compile(r"https?://([^/?#]+)")

MARKS = {
    Outcome.PASSED: Mark.PASSED,
    Outcome.FAILED: Mark.FAILED,
    Outcome.UNDECIDED: Mark.FAILED,
    Outcome.WAITING: Mark.WAITING,
    Outcome.WARNED: Mark.WARNED,
    Outcome.NOT_APPLICABLE: Mark.NEUTRAL,
}

_SHORT_LENGTH = 26
"""Up to so many signs a name is not broken: it fits on a phone."""
_SHORT, _CODE = '<code class="short">%s</code>', "<code>%s</code>"
COMMA, SEMICOLON, SPACE, DOT = map(Markup, (", ", "; ", " ", " · "))
AT, BREAK = map(Markup, (" at ", "<br>"))
NOTHING = Markup('<span class="soft">\N{EN DASH}</span>')


def code(text: str) -> Markup:
    """A name as it stands in a file or on a forge."""
    return _short_code(text) if len(text) <= _NAME else _code(text)


def _code(text: str) -> Markup:
    shown = name(text, _NAME)
    return fill(_SHORT if len(shown) <= _SHORT_LENGTH else _CODE, shown)


_short_code = lru_cache(_REMEMBERED)(_code)


def words(text: str) -> Markup:
    """What a person or a tool wrote: its lines stay lines, and nothing is hidden in it."""
    return _short_words(text) if len(text) <= _NAME else _words(text)


def _words(text: str) -> Markup:
    lines = shorten(text, _LONG).split("\n")
    return Markup("<br>").join(fill("<bdi>%s</bdi>", visible(line)) for line in lines)


_short_words = lru_cache(_REMEMBERED)(_words)


@lru_cache(_REMEMBERED)
def digest(full: Digest | str) -> Markup:
    """The first digits of a digest; all of them for who points at it or copies it."""
    return fill(
        '<code class="short" title="%s">%s</code>', name(full, _NAME), name(short(full), _NAME)
    )


def commit(full: str) -> Markup:
    """The first digits of a commit; all of them for who points at it or copies it."""
    return fill(
        '<code class="short" title="%s">%s</code>', name(full, _NAME), name(full[:12], _NAME)
    )


@lru_cache(_REMEMBERED)
def when(at: str) -> Markup:
    """A date, as far as it is one."""
    match = _TIME.fullmatch(at)
    if match is None:
        return code(at)
    day, time = match.groups()
    return fill(
        '<time class="number" datetime="%s">%s %s<span class="soft"> UTC</span></time>',
        at,
        day,
        time,
    )


def day(at: str) -> str:
    """The day of a date."""
    return visible(at[:10])


@cache
def state(outcome: Outcome) -> Markup:
    """What a rule said, as a mark and a word."""
    mark = MARKS[outcome]
    return fill(
        '<span class="state %s"><span aria-hidden="true">%s</span> %s</span>',
        mark.style,
        mark.value,
        outcome.value,
    )


def value(given: Scalar) -> Markup:
    """A value of a metrics or parameters file."""
    shown = show(given)
    return code(shown.text) if shown.is_text else figure(visible(shorten(shown.text, _NAME)))


def figure(text: str) -> Markup:
    """Digits and units."""
    return fill('<span class="number">%s</span>', text)


def outward(text: str, address: str) -> Markup:
    """A link to somewhere else that says where it leads; text alone unless it is http(s)."""
    target = linked(address)
    if target is None:
        return fill("%s <code>%s</code>", words(text), name(address, _NAME))
    host = _HOST.match(target)
    return fill(
        '<a href="%s" rel="noopener noreferrer nofollow">%s</a> <span class="soft">(%s)</span>',
        target,
        words(shorten(text, _NAME)),
        "" if host is None else host[1],
    )


def run(of: Run) -> Markup:
    """A run of CI."""
    text = f"{of.system} run {of.id}" + (f", attempt {of.attempt}" if of.attempt > 1 else "")
    return words(text) if of.address is None else outward(text, of.address)


def chip(text: str, tone: str = "neutral") -> Markup:
    """A word that is said of a whole row."""
    return fill('<span class="chip %s">%s</span>', tone, visible(text))


def joined(parts: Sequence[Markup], between: Markup = COMMA) -> Markup:
    """Parts of one line."""
    return together(parts, between)


def listed(parts: Sequence[Markup], most: int = 20, between: Markup = COMMA) -> Markup:
    """The first parts of one line, and how many there are besides."""
    left = len(parts) - most
    more = [fill("and %s more", f"{left:,}")] if left > 0 else []
    return joined([*parts[:most], *more], between)


def bdi(text: str, limit: int = _NAME) -> Markup:
    """A name in a sentence: whatever way it is written, it turns nothing around it."""
    return fill("<bdi>%s</bdi>", visible(shorten(text, limit)))


def labelled(label: str, written: Markup) -> Markup:
    """A value of a column, with what it is for a phone, where columns have no heads."""
    return fill('<span class="label">%s </span>%s', label, written)


def tally(number: int) -> Markup:
    """A count of things in a column."""
    return figure(f"{number:,}")


class Pen:
    """What a page at `path` writes that leads to other pages."""

    def __init__(self, path: str) -> None:
        self.root = root_from(path)
        self._people: dict[Actor, Markup] = {}

    def to(self, path: str, text: str | Markup) -> Markup:
        """A link to a page of the site."""
        return fill('<a href="%s">%s</a>', self.root + path, text)

    def model(self, model: str) -> Markup:
        """A model, by name."""
        return self.to(of_model(model), fill("<bdi>%s</bdi>", name(model)))

    def version(self, model: str, number: int) -> Markup:
        """A version, by number."""
        return self.to(of_model(model, f"v{number}"), f"v{number}")

    def entry(self, model: str, seq: int) -> Markup:
        """A ledger entry, by number."""
        return self.to(of_entry(model, seq), f"#{seq}")

    def person(self, actor: Actor) -> Markup:
        """A person or an automation, with what their name is worth."""
        if actor not in self._people:
            self._people[actor] = self._person(actor)
        return self._people[actor]

    def _person(self, actor: Actor) -> Markup:
        link = self.to(of_person(actor.key), fill("<bdi>%s</bdi>", name(actor.login, _LOGIN)))
        remarks = [
            remark
            for remark, holds in (
                ("automation", actor.kind == "automation"),
                ("claimed", actor.proof == "claimed"),
            )
            if holds
        ]
        if not remarks:
            return link
        return fill('%s <span class="soft">(%s)</span>', link, ", ".join(remarks))

    def subject(self, entry: Entry) -> Markup:
        """What an entry is about."""
        about = entry.subject
        if about.version is not None:
            return self.version(entry.model, about.version)
        if about.bundle is not None:
            return fill("bundle %s", digest(about.bundle))
        return Markup("the model")

    def sentence(self, entry: Entry) -> Markup:
        """An entry as a person would say it."""
        what = self.subject(entry)
        if entry.kind is Kind.OVERRIDDEN and entry.stage:
            what = fill("%s in %s", what, code(entry.stage))
        form, *parts = _SENTENCES[entry.kind].split("|")
        stage = code(entry.stage) if entry.stage else Markup("a stage")
        return fill(form, *(what if part == "what" else stage for part in parts))


_SENTENCES = {
    Kind.APPROVED: "approved %s|what",
    Kind.REJECTED: "objected to %s|what",
    Kind.REGISTERED: "registered %s|what",
    Kind.OVERRIDDEN: "overrode the policy for %s|what",
    Kind.PROMOTED: "promoted %s to %s|what|stage",
    Kind.ROLLED_BACK: "rolled %s back to %s|stage|what",
    Kind.CLEARED: "cleared %s|stage",
    Kind.RETIRED: "retired %s|what",
    Kind.NOTED: "noted something on %s|what",
    Kind.PURGED: "purged %s|what",
    Kind.MOVED: "moved the store of %s|what",
}
