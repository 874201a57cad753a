"""The page of a model: what its stages hold now, what waits, how good it is."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from assent.core.entry import Kind
from assent.report.site import pen
from assent.report.site.addresses import of_model
from assent.report.site.events import EVENT_COLUMNS, event_row
from assent.report.site.filling import fill
from assent.report.site.history import Candidate, History, VersionHistory
from assent.report.site.metrics import first_metrics, metrics_page
from assent.report.site.pages import Page, page
from assent.report.site.parts import Content, Section, Table
from assent.report.site.pen import Pen
from assent.report.site.remarks import footer, notices
from assent.report.site.tabs import crumbs, tabs
from assent.report.site.timeline import recent, timeline_pages
from assent.report.site.told import ModelTold
from assent.report.site.versions import newest, versions_pages

_NOTES = 8


def model_pages(told: ModelTold) -> Iterator[Page]:
    """All pages of a model but those of its versions and the comparison."""
    path = of_model(told.model)
    given = [
        *(told.model, told.head, told.history.doubts, told.history.stages, told.remarks),
        *(told.unread, told.trends),
    ]
    yield page(path, given, lambda: _content(told, Pen(path)))
    yield from timeline_pages(told)
    yield from versions_pages(told)
    yield metrics_page(told)


def stage_facts(history: History, pen_: Pen, *, by: bool = True) -> Iterator[tuple[str, Markup]]:
    """What each stage holds, since when and, if asked for, by whom."""
    for stage in history.stages:
        stay = history.holding(stage)
        if stay is None:
            yield pen.bdi(stage, 60), Markup('<span class="soft">nothing</span>')
            continue
        back = " (rolled back)" if stay.is_rollback else ""
        held = fill("<b>%s</b>%s since ", pen_.version(history.model, stay.version), back)
        held += pen.when(stay.since.at) if by else pen.day(stay.since.at)
        yield (
            pen.bdi(stage, 60),
            fill("%s by %s", held, pen_.person(stay.since.actor)) if by else held,
        )


def waiting(history: History) -> tuple[VersionHistory, ...]:
    """The versions that are newer than what the last stage holds, and may still go there."""
    if not history.stages:
        return ()
    held = history.holding(history.last_stage)
    floor = 0 if held is None else held.version
    return tuple(
        version
        for version in history.versions.values()
        if version.number > floor
        and version.last(Kind.RETIRED) is None
        and version.last(Kind.PURGED) is None
    )


def _content(told: ModelTold, pen_: Pen) -> Content:
    history = told.history
    sections = (
        _waiting(history, pen_),
        recent(history, pen_),
        first_metrics(told),
        _noted(history, pen_),
        newest(told, pen_),
    )
    return Content(
        title=told.model,
        heading=pen.bdi(told.model),
        crumbs=crumbs(pen_),
        facts=tuple(stage_facts(history, pen_)),
        notices=tuple(notices(told)),
        tabs=tabs(told.model, "index"),
        sections=tuple(section for section in sections if section is not None),
        footer=footer(told),
    )


def _waiting(history: History, pen_: Pen) -> Section | None:
    candidates = history.candidates[: -_NOTES - 1 : -1]
    lines = [_candidate(history, candidate, pen_) for candidate in candidates]
    newer = waiting(history)
    if newer:
        links = [pen_.version(history.model, version.number) for version in newer[-_NOTES:]]
        more = f" and {len(newer) - _NOTES:,} before" if len(newer) > _NOTES else ""
        lines.append(
            fill(
                "not in %s yet, and newer than what is: %s%s",
                pen.code(history.last_stage),
                pen.joined(links),
                more,
            )
        )
    return Section(title="Waiting", lines=tuple(lines)) if lines else None


def _candidate(history: History, candidate: Candidate, pen_: Pen) -> Markup:
    last = candidate.entries[-1]
    people = [pen_.person(review.person) for review in last.approvals]
    words = {Kind.APPROVED: "approved it", Kind.REJECTED: "objected"}
    return fill(
        "bundle %s has no version yet: %s %s, %s (%s)",
        pen.digest(candidate.bundle),
        pen.listed(people or [pen_.person(last.actor)]),
        words.get(last.kind, "was the last to say something"),
        pen.when(last.at),
        pen_.entry(history.model, last.seq),
    )


def _noted(history: History, pen_: Pen) -> Section | None:
    entries = [entry for entry in history.entries if entry.kind in _NOTED]
    if not entries:
        return None
    title = "Notes, objections, overrides, rollbacks"
    return Section(
        title=title,
        summary="newest first",
        table=Table(
            title=title,
            columns=EVENT_COLUMNS,
            is_stacked=True,
            rows=[
                event_row(entry, history.doubts.get(entry.seq), pen_)
                for entry in entries[: -_NOTES - 1 : -1]
            ],
            left=len(entries[:-_NOTES]),
            where="the timeline",
        ),
    )


_NOTED = (Kind.NOTED, Kind.OVERRIDDEN, Kind.REJECTED, Kind.ROLLED_BACK)
