from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from assent.core.comment_layout import Topic
from assent.core.diff import Diff
from assent.report.charts import charts_of
from assent.report.document import to_document
from assent.report.html import to_html
from assent.report.markdown import to_markdown
from assent.report.parts import Chart
from assent.report.review import ReviewReport
from tests.effort import examples

from . import charted, drawn, samples
from .nasty import TEXTS, texts
from .rendered import Page

MAX_BYTES = 30_000
REPORTS = {
    "binary": charted.rich(),
    "multiclass": charted.rich(predictions=charted.MULTICLASS),
    "regression": charted.rich(predictions=charted.REGRESSION),
    "hostile": charted.hostile("<script>&\"']]>\u202e漢字"),
    "many": charted.hostile("a", many=1_500),
}
STRANGE = (math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 1e-300, 10**400, 0.0, None)


def every(report: ReviewReport) -> list[Chart]:
    return [chart for charts in charts_of(report).values() for chart in charts]


def test_every_section_has_its_charts() -> None:
    charts = charts_of(charted.rich())
    assert {topic: len(found) for topic, found in charts.items()} == {
        Topic.METRICS: 2,
        Topic.PREDICTIONS: 4,
        Topic.DATA: 3,
        Topic.MODEL: 1,
    }
    assert list(charts_of(REPORTS["regression"])[Topic.PREDICTIONS]) != []


def test_charts_are_of_the_sections_that_they_belong_to() -> None:
    report = charted.rich()
    topics = list(to_document(report).sections)
    assert [topic for topic in topics if topic in charts_of(report)] == list(charts_of(report))


@pytest.mark.parametrize(
    "report",
    [
        samples.unchanged(),
        samples.first(),
        samples.hostile("x"),
        samples.review(samples.PASS, diff=Diff(model="m", candidate=samples.diff().candidate)),
    ],
    ids=["unchanged", "first", "no numbers", "empty"],
)
def test_there_is_no_chart_without_anything_to_draw(report: ReviewReport) -> None:
    assert charts_of(report) == {}


def test_without_intervals_slices_are_dots_and_metrics_are_in_their_table_only() -> None:
    (chart,) = charts_of(samples.blocked())[Topic.METRICS]
    assert len(drawn.found(chart, "circle", "point")) == 4
    assert not drawn.found(chart, "line", "whisker")


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_a_drawing_is_well_formed_small_and_inside_its_box(report: ReviewReport) -> None:
    for chart in every(report):
        width, height = drawn.box(chart)
        assert len(chart.drawing.encode()) <= MAX_BYTES
        assert chart.drawing.count("<svg") == 1
        for x, y in drawn.places(chart):
            assert -0.5 <= x <= width + 0.5, (drawn.said(chart), x)
            assert -0.5 <= y <= height + 0.5, (drawn.said(chart), y)


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_a_drawing_says_in_words_what_it_shows(report: ReviewReport) -> None:
    for chart in every(report):
        assert drawn.element(chart).attrib["role"] == "img"
        assert len(drawn.said(chart)) > 20
        assert len(drawn.said(chart)) <= 1_000


@pytest.mark.parametrize("value", STRANGE, ids=str)
def test_no_number_breaks_a_chart(value: Any) -> None:
    for chart in every(charted.hostile("x", value, many=3)):
        for one in drawn.element(chart).iter():
            for name, text in one.attrib.items():
                if name not in ("class", "role", "aria-label"):
                    assert not set(text.lower()) & set("nif"), (name, text)
        width, height = drawn.box(chart)
        assert all(
            -0.5 <= x <= width + 0.5 and -0.5 <= y <= height + 0.5 for x, y in drawn.places(chart)
        ), drawn.said(chart)


@pytest.mark.threat(33)
@given(text=texts)
@settings(max_examples=examples(40))
def test_no_text_breaks_a_chart(text: str) -> None:
    calm = {
        one.tag
        for chart in every(charted.hostile("x", many=3))
        for one in drawn.element(chart).iter()
    }
    for chart in every(charted.hostile(text, many=3)):
        tags = {one.tag for one in drawn.element(chart).iter()}
        assert tags <= calm
        assert "".join(drawn.element(chart).itertext()).isprintable()
        assert drawn.said(chart).isprintable()
        assert len(chart.drawing.encode()) <= MAX_BYTES


@pytest.mark.threat(33)
@pytest.mark.parametrize(
    "text", ["{{ 7*7 }}", *TEXTS[-2:], "'\"<>&" * 2_000, "漢" * 10_000, "\U0001f600\ud800" * 999]
)
def test_long_texts_stay_inside(text: str) -> None:
    for chart in every(charted.hostile(text, many=20)):
        assert len(chart.drawing.encode()) <= MAX_BYTES
        for one in drawn.element(chart).iter("text"):
            assert len(one.text or "") <= 64


@pytest.mark.threat(36)
def test_a_section_has_so_many_charts_at_most() -> None:
    charts = charts_of(REPORTS["many"])
    assert {topic: len(found) for topic, found in charts.items()} == {
        Topic.METRICS: 2,
        Topic.PREDICTIONS: 6,
        Topic.DATA: 12,
        Topic.MODEL: 1,
    }
    assert [chart.is_folded for chart in charts[Topic.DATA]] == [False] * 4 + [True] * 8
    assert sum(len(chart.drawing.encode()) for chart in every(REPORTS["many"])) < 400_000


def test_the_same_review_is_the_same_drawing() -> None:
    assert charts_of(charted.rich()) == charts_of(charted.rich())


def test_the_page_shows_charts_beside_their_tables_and_the_comment_does_not() -> None:
    report = replace(charted.rich(), plots=())
    html = Page(to_html(report))
    assert "figure" in html.names
    assert "Change of the metrics" in html.outside
    markdown = to_markdown(report)
    assert "svg" not in markdown
    assert "Change of the metrics" not in markdown
