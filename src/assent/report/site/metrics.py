"""The metrics of a model over its versions, with the bounds that were recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from assent.report.numbers import count, number
from assent.report.site import pen
from assent.report.site.addresses import of_model
from assent.report.site.filling import drawn_markup, fill
from assent.report.site.pages import Page, page
from assent.report.site.parts import Content, Figure, Section, Table
from assent.report.site.pen import Pen
from assent.report.site.remarks import footer, notices
from assent.report.site.tabs import crumbs, tabs
from assent.report.site.told import ModelTold
from assent.report.site.trend import Trend, draw

_FIRST = 4
_VERSIONS = 25
_COLUMNS = 5


def metrics_page(told: ModelTold) -> Page:
    """The charts of all metrics that are drawn, and the newest of their values."""
    path = of_model(told.model, "metrics")
    given = [told.head, told.trends, told.metrics, told.unread, told.remarks, told.history.doubts]
    return page(path, given, lambda: _content(told, Pen(path)))


def first_metrics(told: ModelTold) -> Section | None:
    """The metrics that decide, for the page of the model."""
    drawn = tuple(_figures(told.trends[:_FIRST]))
    if not drawn:
        return None
    return Section(
        title="Quality", summary="over versions, with the bounds as recorded", figures=drawn
    )


def _content(told: ModelTold, pen_: Pen) -> Content:
    drawn = tuple(_figures(told.trends))
    summary = "the bounds are those that were recorded with each version"
    if not drawn:
        summary = "no version has a metric that is a number and could be read"
    return Content(
        title=f"{told.model}: metrics",
        heading=fill("%s: metrics over versions", pen_.model(told.model)),
        crumbs=crumbs(pen_, told.model),
        notices=tuple(notices(told)),
        tabs=tabs(told.model, "metrics"),
        sections=(
            Section(
                title="Over versions", summary=summary, figures=drawn, lines=tuple(_lines(told))
            ),
            *_in_numbers(told, pen_),
        ),
        footer=footer(told),
    )


def _lines(told: ModelTold) -> Iterator[Markup]:
    if told.trends and told.trends[0].standing is not None:
        stage = pen.code(told.history.last_stage)
        yield fill("A ring is the version in %s, a triangle one that broke a bound.", stage)
    left = len(told.metrics) - len(told.trends)
    if left > 0:
        yield fill("%s of the newest version are on its page alone.", count(left, "metric"))


def _figures(trends: Sequence[Trend]) -> Iterator[Figure]:
    for trend in trends:
        drawing = draw(trend)
        if drawing:
            yield Figure(
                title=pen.code(trend.metric), drawing=drawn_markup(drawing), note=_note(trend)
            )


def _note(trend: Trend) -> Markup:
    last = max(trend.values)
    parts = [Markup("v%d: %s") % (last, number(trend.values[last]))]
    bounds = trend.bounds.get(max(trend.bounds, default=0), ())
    parts += [fill("%s %s", bound.side, number(bound.limit)) for bound in bounds]
    if trend.better is not None:
        parts.append(fill("%s is better", trend.better))
    return pen.joined(parts, pen.SEMICOLON)


def _in_numbers(told: ModelTold, pen_: Pen) -> Iterator[Section]:
    trends = told.trends[:_COLUMNS]
    if not trends:
        return
    versions = list(told.history.versions)[: -_VERSIONS - 1 : -1]
    title = "In numbers"
    yield Section(
        title=title,
        summary=f"of the newest {count(len(versions), 'version')}",
        table=Table(
            title=title,
            columns=("Version", *(pen.bdi(trend.metric, 60) for trend in trends)),
            rows=[
                [
                    pen_.version(told.model, version),
                    *(_value(told, trend, version) for trend in trends),
                ]
                for version in versions
            ],
            right=frozenset(range(1, len(trends) + 1)),
        ),
    )


def _value(told: ModelTold, trend: Trend, version: int) -> Markup:
    if version in trend.values:
        return pen.value(trend.values[version])
    missing = "not read" if version in told.unread else "none"
    return fill('<span class="soft">%s</span>', missing)
