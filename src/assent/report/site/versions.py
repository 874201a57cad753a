"""The list of all versions of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from assent.core.entry import Kind
from assent.report.numbers import count
from assent.report.site import pen
from assent.report.site.addresses import BLOCK, of_model
from assent.report.site.filling import fill
from assent.report.site.history import VersionHistory
from assent.report.site.pages import Page, page
from assent.report.site.parts import Content, Section, Table
from assent.report.site.pen import Pen
from assent.report.site.tabs import crumbs, tabs
from assent.report.site.told import ModelTold

_NEWEST = 20
_COLUMNS = ("Version", "Registered", "By", "Stages", "Rules", "Bundle")


def versions_pages(told: ModelTold) -> Iterator[Page]:
    """The newest versions under the name of the list, and all in lists that are cut where they
    always were.
    """
    last = max(told.history.versions, default=1)
    blocks = (last - 1) // BLOCK + 1
    yield _page(told, "versions", blocks - 1)
    for at in range(blocks):
        yield _page(told, f"versions-{at}", at)


def newest(told: ModelTold, pen_: Pen) -> Section:
    """The newest versions, for the page of the model."""
    versions = list(told.history.versions.values())
    return _section(
        told, "Newest versions", versions[-_NEWEST:], pen_, left=len(versions[:-_NEWEST])
    )


def _page(told: ModelTold, name: str, at: int) -> Page:
    path = of_model(told.model, name)
    numbers = range(at * BLOCK + 1, (at + 1) * BLOCK + 1)
    versions = [
        told.history.versions[number] for number in numbers if number in told.history.versions
    ]
    has_later = max(told.history.versions, default=0) > numbers[-1]

    def content() -> Content:
        pen_ = Pen(path)
        ways = []
        if at > 0:
            ways.append(pen_.to(of_model(told.model, f"versions-{at - 1}"), "earlier versions"))
        if has_later:
            ways.append(pen_.to(of_model(told.model, f"versions-{at + 1}"), "later versions"))
        lines = (pen.joined(ways, pen.DOT),) if ways else ()
        return Content(
            title=f"{told.model}: versions",
            heading=fill("%s: versions", pen_.model(told.model)),
            crumbs=crumbs(pen_, told.model),
            tabs=tabs(told.model, "versions"),
            sections=(_section(told, "Versions", versions, pen_, lines=lines),),
        )

    given = [
        [version.number, version.entries, version.number in told.unread, _places(version)]
        for version in versions
    ]
    return page(path, [told.model, has_later, given], content)


def _places(version: VersionHistory) -> list[object]:
    return [[stay.stage, stay.until is None] for stay in version.stays]


def _section(
    told: ModelTold,
    title: str,
    versions: Sequence[VersionHistory],
    pen_: Pen,
    *,
    left: int = 0,
    lines: tuple[Markup, ...] = (),
) -> Section:
    if not versions:
        return Section(title=title, summary="none is registered yet")
    return Section(
        title=title,
        summary=f"{count(len(versions) + left, 'version')}, newest first",
        lines=lines,
        table=Table(
            title=title,
            columns=_COLUMNS,
            is_stacked=True,
            rows=[_row(told, version, pen_) for version in reversed(versions)],
            left=left,
            where="the list of versions",
        ),
    )


def _row(told: ModelTold, version: VersionHistory, pen_: Pen) -> list[Markup]:
    return [
        pen_.version(told.model, version.number),
        pen.when(version.registered.at),
        pen_.person(version.registered.actor),
        pen.joined(list(_standing(told, version)), pen.SPACE) or pen.NOTHING,
        _judged(version),
        pen.digest(version.bundle),
    ]


def _standing(told: ModelTold, version: VersionHistory) -> Iterator[Markup]:
    """What holds it now, what held it, and what became of it."""
    holding = dict.fromkeys(stay.stage for stay in version.holding)
    yield from (pen.chip(stage, "passed") for stage in holding)
    past = dict.fromkeys(stay.stage for stay in version.stays if stay.stage not in holding)
    if past:
        stages = pen.joined([pen.bdi(stage) for stage in past])
        yield fill('<span class="soft">was in %s</span>', stages)
    if version.last(Kind.PURGED) is not None:
        yield pen.chip("purged")
    elif version.last(Kind.RETIRED) is not None:
        yield pen.chip("retired")
    if version.number in told.unread:
        yield pen.chip("evidence not read", "waiting")


def _judged(version: VersionHistory) -> Markup:
    """How many rules were kept when it was registered."""
    verdict = version.registered.verdict
    if version.last(Kind.OVERRIDDEN) is not None:
        return pen.chip("overridden", "waiting")
    if verdict is None:
        return pen.NOTHING
    broken = sum(finding.outcome.blocks for finding in verdict.findings)
    if broken:
        return Markup('<span class="state failed">%d broken</span>') % broken
    return fill("none of %s broken", pen.tally(len(verdict.findings)))
