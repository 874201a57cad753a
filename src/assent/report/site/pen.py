"""How names, people, dates and addresses are written on a page. All of it came from outside; what
is returned is markup in which nothing of it means anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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

_LONG = 2_000
_NAME = 200
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

_SHORT_LENGTH = 14
_SHORT = Markup('<code class="short">%s</code>')
_CODE = Markup("<code>%s</code>")
COMMA, SEMICOLON, SPACE, DOT = map(Markup, (", ", "; ", " ", " · "))
AT, BREAK = map(Markup, (" at ", "<br>"))
NOTHING = Markup('<span class="soft">\N{EN DASH}</span>')


def code(text: str) -> Markup:
    """A name as it stands in a file or on a forge."""
    shown = name(text, _NAME)
    return (_SHORT if len(shown) <= _SHORT_LENGTH else _CODE) % shown


def words(text: str) -> Markup:
    """What a person or a tool wrote: its lines stay lines, and nothing is hidden in it."""
    lines = shorten(text, _LONG).split("\n")
    return Markup("<br>").join(Markup("<bdi>%s</bdi>") % visible(line) for line in lines)


def digest(full: Digest | str) -> Markup:
    """The first digits of a digest; all of them for who points at it or copies it."""
    return Markup('<code class="short" title="%s">%s</code>') % (
        name(full, _NAME),
        name(short(full), _NAME),
    )


def when(at: str) -> Markup:
    """A date, as far as it is one."""
    match = _TIME.fullmatch(at)
    if match is None:
        return code(at)
    day, time = match.groups()
    return Markup(
        '<time class="number" datetime="%s">%s %s<span class="soft"> UTC</span></time>'
    ) % (
        at,
        day,
        time,
    )


def day(at: str) -> str:
    """The day of a date."""
    return visible(at[:10])


def state(outcome: Outcome) -> Markup:
    """What a rule said, as a mark and a word."""
    mark = MARKS[outcome]
    return Markup('<span class="state %s"><span aria-hidden="true">%s</span> %s</span>') % (
        mark.style,
        mark.value,
        outcome.value,
    )


def value(given: Scalar) -> Markup:
    """A value of a metrics or parameters file."""
    shown = show(given)
    if shown.is_text:
        return code(shown.text)
    return Markup('<span class="number">%s</span>') % visible(shorten(shown.text, _NAME))


def outward(text: str, address: str) -> Markup:
    """A link to somewhere else that says where it leads; text alone unless it is http(s)."""
    target = linked(address)
    if target is None:
        return Markup("%s <code>%s</code>") % (words(text), name(address, _NAME))
    host = _HOST.match(target)
    return Markup(
        '<a href="%s" rel="noopener noreferrer nofollow">%s</a> <span class="soft">(%s)</span>'
    ) % (target, words(shorten(text, _NAME)), "" if host is None else host[1])


def run(of: Run) -> Markup:
    """A run of CI."""
    text = f"{of.system} run {of.id}" + (f", attempt {of.attempt}" if of.attempt > 1 else "")
    return words(text) if of.address is None else outward(text, of.address)


def chip(text: str, tone: str = "neutral") -> Markup:
    """A word that is said of a whole row."""
    return Markup('<span class="chip %s">%s</span>') % (tone, visible(text))


def joined(parts: Sequence[Markup], between: Markup = COMMA) -> Markup:
    """Parts of one line."""
    return between.join(parts)


def bdi(text: str, limit: int = _NAME) -> Markup:
    """A name in a sentence: whatever way it is written, it turns nothing around it."""
    return Markup("<bdi>%s</bdi>") % visible(shorten(text, limit))


def tally(number: int) -> Markup:
    """A count of things in a column."""
    return Markup('<span class="number">%s</span>') % f"{number:,}"


class Pen:
    """What a page at `path` writes that leads to other pages."""

    def __init__(self, path: str) -> None:
        self.root = root_from(path)

    def to(self, path: str, text: str | Markup) -> Markup:
        """A link to a page of the site."""
        return Markup('<a href="%s">%s</a>') % (self.root + path, text)

    def model(self, model: str) -> Markup:
        """A model, by name."""
        return self.to(of_model(model), Markup("<bdi>%s</bdi>") % name(model))

    def version(self, model: str, number: int) -> Markup:
        """A version, by number."""
        return self.to(of_model(model, f"v{number}"), f"v{number}")

    def entry(self, model: str, seq: int) -> Markup:
        """A ledger entry, by number."""
        return self.to(of_entry(model, seq), f"#{seq}")

    def person(self, actor: Actor) -> Markup:
        """A person or an automation, with what their name is worth."""
        link = self.to(of_person(actor.key), Markup("<bdi>%s</bdi>") % name(actor.login))
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
        return Markup('%s <span class="soft">(%s)</span>') % (link, ", ".join(remarks))

    def subject(self, entry: Entry) -> Markup:
        """What an entry is about."""
        about = entry.subject
        if about.version is not None:
            return self.version(entry.model, about.version)
        if about.bundle is not None:
            return Markup("bundle %s") % digest(about.bundle)
        return Markup("the model")

    def sentence(self, entry: Entry) -> Markup:
        """An entry as a person would say it."""
        what = self.subject(entry)
        stage = code(entry.stage) if entry.stage else Markup("a stage")
        where = Markup(" in %s") % stage if entry.stage else Markup("")
        return _SENTENCES[entry.kind] % {"what": what, "stage": stage, "where": where}


_SENTENCES = {
    Kind.APPROVED: Markup("approved %(what)s"),
    Kind.REJECTED: Markup("objected to %(what)s"),
    Kind.REGISTERED: Markup("registered %(what)s"),
    Kind.OVERRIDDEN: Markup("overrode the policy for %(what)s%(where)s"),
    Kind.PROMOTED: Markup("promoted %(what)s to %(stage)s"),
    Kind.ROLLED_BACK: Markup("rolled %(stage)s back to %(what)s"),
    Kind.CLEARED: Markup("cleared %(stage)s"),
    Kind.RETIRED: Markup("retired %(what)s"),
    Kind.NOTED: Markup("noted something on %(what)s"),
    Kind.PURGED: Markup("purged %(what)s"),
    Kind.MOVED: Markup("moved the store of %(what)s"),
}
