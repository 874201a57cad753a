"""A page for each person and automation: what they approved, objected to, decided and made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from assent.core.entry import Entry
from assent.core.identity import Actor
from assent.report.numbers import count
from assent.report.site import pen
from assent.report.site.addresses import BLOCK, PEOPLE, of_person
from assent.report.site.filling import fill
from assent.report.site.history import History, Struct
from assent.report.site.pages import Page, page
from assent.report.site.parts import Content, Section, Table
from assent.report.site.pen import Pen
from assent.report.site.tabs import crumbs
from assent.report.site.voices import is_review, voices

APPROVED, OBJECTED, DECIDED, MADE = "approved", "objected", "decided", "made"


class Deed(Struct, frozen=True, kw_only=True):
    """What somebody did, and the entry that says so. Of an approval, `at` is when it was given and
    `role` whom the policy took them for.
    """

    actor: Actor
    word: str
    at: str
    entry: Entry
    role: str = ""


def deeds(history: History) -> Iterator[Deed]:
    """What each person did with a model, in the order in which it was recorded. Whoever recorded a
    review is not said to have decided anything.
    """
    for entry in history.entries:
        if not is_review(entry):
            yield Deed(actor=entry.actor, word=DECIDED, at=entry.at, entry=entry)
        for author in entry.authors if entry.subject.version is not None else ():
            yield Deed(actor=author, word=MADE, at=entry.at, entry=entry)
    for voice in voices(history.entries):
        yield Deed(
            actor=voice.record.person,
            word=APPROVED if voice.is_approval else OBJECTED,
            at=voice.record.at,
            entry=voice.entry,
            role=voice.record.role,
        )


def people_pages(all_deeds: Iterable[Deed]) -> Iterator[Page]:
    """The list of people, and the pages of each."""
    by_person: dict[str, list[Deed]] = {}
    for deed in all_deeds:
        by_person.setdefault(deed.actor.key, []).append(deed)
    ordered = sorted(by_person.values(), key=lambda done: (done[-1].actor.login, done[0].actor.key))
    yield _list(ordered)
    for done in ordered:
        yield from _of_one(done)


def _list(people: Sequence[Sequence[Deed]]) -> Page:
    counts = [(done[-1].actor, Counter(deed.word for deed in done)) for done in people]

    def content() -> Content:
        pen_ = Pen(PEOPLE)
        rows = [
            [
                pen_.person(actor),
                *(
                    pen.tally(words[word]) if words[word] else pen.NOTHING
                    for word in (APPROVED, OBJECTED, DECIDED, MADE)
                ),
                pen.code(actor.key),
            ]
            for actor, words in counts
        ]
        columns = ("Who", "Approved", "Objected", "Decided", "Made", "Known as")
        return Content(
            title="People",
            heading=Markup("People and automations"),
            crumbs=crumbs(pen_),
            sections=(
                Section(
                    title="Everybody in the ledgers",
                    summary=count(len(rows), "account"),
                    table=Table(
                        title="Everybody",
                        columns=columns,
                        rows=rows,
                        right=frozenset({1, 2, 3, 4}),
                    )
                    if rows
                    else None,
                ),
            ),
        )

    return page(PEOPLE, [[actor, dict(words)] for actor, words in counts], content)


def _of_one(done: Sequence[Deed]) -> Iterator[Page]:
    blocks = -(-len(done) // BLOCK)
    for at in range(blocks):
        yield _block(done, at, blocks)


def _block(done: Sequence[Deed], at: int, blocks: int) -> Page:
    """The newest block is the person's own page; older ones keep the numbers that they had."""
    actor = done[-1].actor
    is_newest = at + 1 == blocks
    path = of_person(actor.key, "index" if is_newest else str(at))
    shown = done[at * BLOCK : (at + 1) * BLOCK]
    words = Counter(deed.word for deed in done) if is_newest else Counter()
    logins = list(dict.fromkeys(deed.actor.login for deed in done)) if is_newest else []
    given = [
        *(actor, logins, dict(words), at, at + 1 < blocks),
        [_given(deed) for deed in shown],
    ]
    return page(path, given, lambda: _content(shown, actor, logins, words, at, blocks, Pen(path)))


_COLUMNS = ("When", "Model", "What", "As", "Entry")


def _given(deed: Deed) -> list[object]:
    """What the row of a deed is made of."""
    entry = deed.entry
    return [
        *(deed.word, deed.at, deed.role, entry.model, entry.seq, entry.prev, entry.kind),
        *(entry.subject, entry.stage, entry.reason),
    ]


def _content(
    shown: Sequence[Deed],
    actor: Actor,
    logins: Sequence[str],
    words: Counter[str],
    at: int,
    blocks: int,
    pen_: Pen,
) -> Content:
    ways = []
    if at > 0:
        ways.append(pen_.to(of_person(actor.key, str(at - 1)), "earlier"))
    if at + 1 < blocks:
        later = "index" if at + 2 == blocks else str(at + 1)
        ways.append(pen_.to(of_person(actor.key, later), "later"))
    facts = [("Known as", pen.code(actor.key))]
    if len(logins) > 1:
        facts.append(("Also called", pen.joined([pen.code(login) for login in logins])))
    facts += [(word.capitalize(), pen.tally(words[word])) for word in words]
    notices = []
    if actor.proof == "claimed":
        notices.append(Markup("Nobody vouches for this name: it was claimed on a machine."))
    approvals = [deed for deed in shown if deed.word == APPROVED]
    others = [deed for deed in shown if deed.word != APPROVED]
    line = (pen.joined(ways, pen.DOT),) if ways else ()
    return Content(
        title=actor.login,
        heading=fill(
            "%s%s",
            pen.bdi(actor.login),
            Markup(' <span class="soft">automation</span>') if actor.kind == "automation" else "",
        ),
        crumbs=(*crumbs(pen_), pen_.to(PEOPLE, "People")),
        facts=tuple(facts),
        notices=tuple(notices),
        sections=(
            _section("Approved", approvals, pen_, line),
            _section("Objected, decided, made", others, pen_, ()),
        ),
    )


def _section(title: str, shown: Sequence[Deed], pen_: Pen, lines: tuple[Markup, ...]) -> Section:
    rows = []
    for deed in reversed(shown):
        entry = deed.entry
        what = pen_.subject(entry)
        if deed.word in (APPROVED, OBJECTED) and entry.subject.bundle is not None:
            what += fill(" (%s)", pen.digest(entry.subject.bundle))
        if deed.word == DECIDED:
            what = pen_.sentence(entry)
        elif deed.word == MADE:
            what = fill("made %s", what)
        elif deed.word == OBJECTED:
            what = fill("objected to %s", what)
        elif entry.stage:
            what += fill(" for %s", pen.code(entry.stage))
        if entry.reason and deed.word in (DECIDED, OBJECTED):
            what += fill('<br><span class="why">%s</span>', pen.words(entry.reason))
        rows.append(
            [
                pen.when(deed.at),
                pen_.model(entry.model),
                what,
                pen.code(deed.role) if deed.role else pen.NOTHING,
                pen_.entry(entry.model, entry.seq),
            ]
        )
    return Section(
        title=title,
        summary=count(len(rows), "time") + " on this page" if rows else "nothing on this page",
        lines=lines,
        table=Table(title=title, columns=_COLUMNS, rows=rows, is_stacked=True) if rows else None,
    )
