"""The first page: every model with what its stages hold, its quality, and what needs a look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from assent.core.entry import Kind
from assent.report.numbers import count, number
from assent.report.site import pen
from assent.report.site.addresses import OVERVIEW
from assent.report.site.filling import fill
from assent.report.site.history import Struct
from assent.report.site.model import stage_facts, waiting
from assent.report.site.pages import Page, page
from assent.report.site.parts import Card, Content
from assent.report.site.pen import Pen
from assent.report.site.told import ModelTold, ModelUntold
from assent.report.site.trend import spark

_SPARK = 30
_STAGES = 6


class Overview(Struct, frozen=True, kw_only=True):
    """All models in the order of their names, and when this was made."""

    models: tuple[ModelTold | ModelUntold, ...]
    made_at: str


def overview_page(told: Overview) -> Page:
    """The page. It says when it was made, so it is written each time."""
    given = [
        [told.made_at],
        [
            [model.model, model.head, model.trends[:1], len(model.unread), model.remarks]
            if isinstance(model, ModelTold)
            else model
            for model in told.models
        ],
    ]
    return page(OVERVIEW, given, lambda: _content(told, Pen(OVERVIEW)))


def _content(told: Overview, pen_: Pen) -> Content:
    return Content(
        title="Models",
        heading=fill("%s", count(len(told.models), "model")),
        facts=tuple(_facts(told.models)),
        cards=tuple(_card(model, pen_) for model in told.models),
        footer=(fill("Made %s from the ledgers and the store", pen.when(told.made_at)),),
    )


def _facts(models: Sequence[ModelTold | ModelUntold]) -> Iterator[tuple[str, Markup]]:
    read = [model for model in models if isinstance(model, ModelTold)]
    versions = sum(len(model.history.versions) for model in read)
    entries = sum(len(model.history.entries) for model in read)
    yield (
        "On record",
        fill(
            "%s in %s", count(versions, "version"), count(entries, "ledger entry", "ledger entries")
        ),
    )
    candidates = sum(len(model.history.candidates) for model in read)
    if candidates:
        yield "Waiting", fill("%s", count(candidates, "candidate"))
    unread = len(models) - len(read)
    if unread:
        yield "Not read", fill("%s, see below", count(unread, "model"))


def _card(model: ModelTold | ModelUntold, pen_: Pen) -> Card:
    if isinstance(model, ModelUntold):
        return Card(
            title=pen.bdi(model.model),
            tone="failed",
            lines=(
                fill("Cannot be read: %s", pen.words(model.problem)),
                *((pen.words(model.hint),) if model.hint else ()),
            ),
        )
    history = model.history
    facts = tuple(stage_facts(history, pen_, by=False))
    lines = list(_needs(model, pen_))
    if len(facts) > _STAGES:
        lines.insert(0, fill("and %s", count(len(facts) - _STAGES, "more stage", "more stages")))
    trend = model.trends[0] if model.trends else None
    values = {} if trend is None else trend.drawn
    drawing, figure = "", Markup("")
    if trend is not None and values:
        newest = sorted(values)[-_SPARK:]
        drawing = spark([values[version] for version in newest])
        figure = Markup("%s v%d: <b>%s</b>") % (
            pen.code(trend.metric),
            newest[-1],
            number(trend.values[newest[-1]]),
        )
    return Card(
        title=pen_.model(history.model),
        note=f"{count(len(history.versions), 'version')}",
        facts=facts[:_STAGES],
        lines=tuple(lines),
        drawing=drawing,
        figure=figure,
    )


def _needs(model: ModelTold, pen_: Pen) -> Iterator[Markup]:
    history = model.history
    yield from (pen.words(remark) for remark in model.remarks)
    if history.candidates:
        yield fill("%s without a version", count(len(history.candidates), "reviewed bundle"))
    newer = waiting(history)
    if newer:
        yield fill(
            "%s, newer than what %s holds",
            pen.joined([pen_.version(model.model, version.number) for version in newer[-3:]])
            + (f" and {len(newer) - 3:,} more" if len(newer) > 3 else ""),
            pen.code(history.last_stage),
        )
    if model.unread:
        yield fill("%s without evidence that could be read", count(len(model.unread), "version"))
    if history.doubts:
        yield fill("%s in doubt", count(len(history.doubts), "date"))
    note = next((entry for entry in reversed(history.entries) if entry.kind is Kind.NOTED), None)
    if note is not None:
        yield fill(
            "note %s of %s: %s",
            pen_.entry(model.model, note.seq),
            pen.day(note.at),
            pen.bdi(note.reason or "", 140),
        )
