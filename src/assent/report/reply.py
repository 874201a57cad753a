"""The answer to slash commands, as sections in the words of the review."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from assent.core.approval import Approvals
from assent.core.digest import Digest
from assent.core.verdict import Verdict
from assent.report.markdown import LIMIT, sections_to_markdown
from assent.report.numbers import count
from assent.report.parts import (
    Cell,
    Column,
    Mark,
    Number,
    Part,
    Section,
    State,
    Table,
    Text,
    Words,
    cell,
)
from assent.report.sections.approvals import approvals_section
from assent.report.sections.verdict import MARKS, headline, next_steps

_MOST_NAMES = 50
_UNRECORDED = (
    "nothing was written to the ledger. What counts is recorded when `approve` or `register` "
    "runs next."
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What an approval can count for: registering, or promoting to `stage`."""

    stage: str | None
    counts: bool
    why: str


def approval_section(
    model: str,
    typed: str,
    *,
    bundle: Digest | None,
    head: str | None,
    places: Sequence[Place],
    against: Sequence[str],
    approvals: Approvals | None,
) -> Section:
    """What an approval means and whether it counts. `bundle` and `head` are what the digits
    `typed` stand for, if anything; `against` are reasons why it counts nowhere.
    """
    counts = not against and any(place.counts for place in places)
    means: Cell = cell(typed, Words("stands for no bundle that was shown here."))
    if bundle is not None and head is not None:
        means = cell(typed, Words("is"), bundle, Words(", shown at"), head[:12], Words("."))
    notes = [means, *(cell(Words(why)) for why in against)]
    notes += [] if against else [_place(place) for place in places]
    if approvals is not None:
        notes.append((Words("Approvals:"), *approvals_section(approvals).summary))
    sentence = "This approval counts." if counts else "This approval does not count."
    mark = Mark.PASSED if counts else Mark.NEUTRAL
    return Section(title=f"approve {model}", summary=(State(mark, sentence),), notes=tuple(notes))


def explanation_sections(
    model: str, bundle: Digest, head: str, verdict: Verdict, approvals: Approvals
) -> tuple[Section, Section]:
    """The verdict in a sentence, what is to be done, and who counts."""
    sentence = headline(model, verdict, approvals)
    mark = MARKS[verdict.decision]
    about = cell(Words("The bundle is"), bundle, Words(", shown at"), head[:12], Words("."))
    told = Section(
        title=f"explain {model}",
        summary=(State(mark, "Verdict:"), *sentence),
        notes=(about, *next_steps(verdict, approvals)),
    )
    people = approvals_section(approvals)
    return told, msgspec.structs.replace(people, title=f"Approvals of {model}")


def help_section(models: Sequence[str]) -> Section:
    """The commands, and the models that they can name."""
    example = models[0] if models else "MODEL"
    lines = (
        (
            Text(f"/assent approve {example} DIGEST"),
            Words("approves the bundle of this digest, of which the first 12 digits are enough."),
        ),
        (
            Text(f"/assent explain {example}"),
            Words("says what the verdict is and who counts; without a name, of all models."),
        ),
        (Text("/assent help"), Words("shows this.")),
    )
    named: list[Part] = [Text(name) for name in models[:_MOST_NAMES]]
    if len(models) > _MOST_NAMES:
        named.append(Words(f"and {len(models) - _MOST_NAMES:,} more"))
    table = Table(
        title="Commands",
        columns=(Column("Commands"),),
        rows=tuple((line,) for line in lines),
        total=len(lines),
        kept=len(lines),
    )
    return Section(
        title="Commands",
        summary=(Words("Models:"), *named),
        tables=(table,),
        notes=(cell(Words("A command is a line of its own in a new comment. " + _NOT_HEARD)),),
    )


_NOT_HEARD = "What is edited, quoted or in code is not heard."


def problem_section(title: str, problem: str, hint: str | None) -> Section:
    """What could not be judged, and what to do about it."""
    notes = [cell(Words(problem))] + ([cell(Words(hint))] if hint else [])
    summary = (State(Mark.NEUTRAL, "This could not be judged."),)
    return Section(title=title, summary=summary, notes=tuple(notes))


def reply_to_markdown(
    login: str, at: str, sections: Sequence[Section], *, has_approvals: bool
) -> str:
    """The whole answer to somebody's comment, as inert Markdown. What a forge has no room for is
    left out from the end, with a count.
    """
    asked = Section(title="Asked", summary=(Words("by"), Text(login), Words("at"), Number(at)))
    record = Section(title="Record", summary=cell(Words(_UNRECORDED)))
    ending = (record,) if has_approvals else ()

    def without(left: int) -> str:
        if not left:
            return sections_to_markdown((asked, *sections, *ending))
        more = Section(title="Left out", summary=cell(Words(f"{count(left, 'part')}, for length.")))
        return sections_to_markdown((asked, *sections[:-left], more, *ending))

    # As few as possible, found by halves: each answer on the way is as long as a forge allows.
    tried = range(len(sections))
    return without(bisect_left(tried, True, key=lambda left: len(without(left).encode()) <= LIMIT))


def _place(place: Place) -> Cell:
    purpose: Cell = (Words("To register"),)
    if place.stage is not None:
        purpose = (Words("To promote to"), Text(place.stage))
    words = "it counts:" if place.counts else "it does not count:"
    return (*purpose, Words(words), Words(place.why))
