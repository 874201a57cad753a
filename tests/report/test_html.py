from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings

from assent.report.charts import charts_of
from assent.report.document import to_document
from assent.report.html import SHOWN_ROWS, to_html
from assent.report.markdown import to_markdown
from assent.report.review import ReviewReport
from assent.report.sections.shapes import MAX_ROWS
from tests.effort import examples

from . import charted, samples
from .nasty import texts
from .rendered import Page, page

REPORTS = {
    "passed": samples.passed,
    "blocked": samples.blocked,
    "pending": samples.pending,
    "first": samples.first,
    "unchanged": samples.unchanged,
    "charted": partial(msgspec.structs.replace, charted.rich(), plots=()),
}
VOID = {"meta", "br", "img", "rect", "line", "path", "circle"}
DRAWN = {"svg", "g", "title", "text", "rect", "line", "path", "circle"}
ATTRIBUTES = set(
    """lang charset http-equiv content name class aria-hidden aria-label role tabindex scope
    viewbox preserveaspectratio x y width height x1 y1 x2 y2 cx cy r d fill-opacity src alt
    loading decoding href rel id type""".split()
)


class Balance(HTMLParser):
    """Fails on a tag that is not closed, or closed out of turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.mark.threat(33)
@given(text=texts)
@settings(max_examples=examples(60))
def test_a_hostile_review_has_the_shape_of_an_ordinary_one(text: str) -> None:
    html = to_html(samples.hostile(text))
    seen, calm = Page(html), Page(to_html(samples.hostile("calm")))
    assert set(seen.names) <= set(calm.names) | DRAWN | {"figure", "figcaption"}
    assert {name for _, attrs in seen.tags for name, _ in attrs} <= ATTRIBUTES
    assert not seen.comments
    Balance(html)
    assert html.encode()


@pytest.mark.threat(33)
@given(text=texts)
@settings(max_examples=examples(30))
def test_hostile_charts_have_the_shape_of_ordinary_ones(text: str) -> None:
    html = to_html(charted.hostile(text, 0.1, many=3))
    seen, calm = Page(html), Page(to_html(charted.hostile("calm", 0.1, many=3)))
    assert set(seen.names) <= set(calm.names)
    assert {name for _, attrs in seen.tags for name, _ in attrs} <= ATTRIBUTES
    assert not seen.comments
    Balance(html)


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_the_page_is_well_formed_and_asks_nobody(make: Callable[[], ReviewReport]) -> None:
    html = to_html(make())
    Balance(html)
    seen = Page(html)
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')
    script = html.rpartition("<script>")[2].removesuffix("</script>\n</body>\n</html>")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
    assert f"{policy}img-src data:;" in html
    assert seen.names.count("script") == 1
    assert not {"link", "img", "iframe", "base", "object"} & set(seen.names)
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_markdown_and_html_say_the_same(make: Callable[[], ReviewReport]) -> None:
    def words(seen: Page) -> list[list[str]]:
        return [[re.sub(r"\s+", " ", cell).strip() for cell in row] for row in seen.rows]

    markdown = page(to_markdown(make()))
    assert words(Page(to_html(make()))) == words(markdown)


def test_every_table_names_its_columns_and_rows() -> None:
    html = to_html(samples.blocked())
    assert html.count("<table>") == html.count("<caption") == html.count("<thead>")
    assert html.count('<th scope="row"') == len(re.findall(r"<tr><th scope=\"row\"", html))
    assert '<th scope="col"' in html


def test_the_title_is_the_verdict() -> None:
    assert "<title>churn is blocked: 1 of 3 gates failed; better in 3" in to_html(samples.blocked())


@pytest.mark.threat(36)
def test_tables_are_capped_with_a_count() -> None:
    html = to_html(samples.big(metrics=1, slices=MAX_ROWS + 7, params=0)).partition("</header>")[2]
    assert "… 7 more in the JSON form of this report." in html
    assert html.count("<code>region = ") + html.count('<code class="short">region = ') == SHOWN_ROWS
    (rest,) = re.findall(r'<script type="application/json" class="rest">(.*?)</script>', html)
    assert len(msgspec.json.decode(rest)) == MAX_ROWS - SHOWN_ROWS


def test_a_bar_shows_size_and_direction() -> None:
    metrics = (samples.metric("m", 1.0, 0.75, "higher"),)
    html = to_html(samples.review(samples.PASS, diff=samples.diff(metrics=metrics)))
    assert '<rect x="-0.5" width="0.5" height="1"/>' in html


def test_charts_stand_in_their_section_after_its_open_tables() -> None:
    html = to_html(charted.rich())
    sections = {
        found[1]: found[0]
        for found in re.finditer(
            r"<section id=\"\w+\">.*?<h2>(.*?)</h2>.*?</section>", html, re.DOTALL
        )
    }
    titles = {topic: one.title for topic, one in to_document(charted.rich()).sections.items()}
    charts = {titles[topic]: len(found) for topic, found in charts_of(charted.rich()).items()}
    assert len(sections) >= 9
    for title, text in sections.items():
        expected = len(charted.PLOTS) - 1 if title == "Plots" else charts.get(title, 0)
        assert text.count("<figure>") == expected, title
    metrics = sections["Metrics"]
    assert metrics.index("<table>") < metrics.index("<figure>") < metrics.index("<details>")


def test_many_charts_are_folded() -> None:
    html = to_html(charted.hostile("x", 0.1, many=12))
    assert "<summary>8 more charts</summary>" in html


def test_every_colour_of_a_drawing_is_in_the_style_sheet() -> None:
    html = to_html(charted.rich())
    style = html[: html.index("</style>")]
    drawn = re.findall(r'<(?:rect|line|path|circle) class="([^"]+)"', html)
    assert len(drawn) > 100
    for names in set(drawn):
        assert re.search(rf"\.{names.split()[0]}\b", style), names
