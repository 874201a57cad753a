"""Plots of the team in a review."""

from __future__ import annotations

import json
import re

import pytest
from msgspec.structs import replace

from assent.core.comment_layout import Topic
from assent.report.charts.pictures import (
    problems,
)
from assent.report.document import to_document
from assent.report.html import to_html
from assent.report.jsonform import to_json
from assent.report.markdown import to_markdown
from assent.report.review import Plot, ReviewReport
from tests.report import charted, samples
from tests.report.rendered import Page

PNG, JPEG, SVG = "image/png", "image/jpeg", "image/svg+xml"


def plot(media_type: str, content: bytes, name: str = "a plot") -> Plot:
    return Plot(name=name, media_type=media_type, content=content)


def report(*plots: Plot) -> ReviewReport:
    return samples.review(samples.PASS, plots=plots)


def test_the_page_shows_plots_and_the_comment_names_them() -> None:
    made = report(*charted.PLOTS)
    html = to_html(made)
    images = [dict(attrs) for name, attrs in Page(html).tags if name == "img"]
    assert [one["alt"] for one in images] == ["Plot plots/importance.png", "Plot plots/roc.svg"]
    assert all(str(one["src"]).startswith("data:image/") for one in images)
    assert '<circle cx="150"' not in html
    markdown = to_markdown(made)
    assert "3 plots, 2 shown in the full report" in markdown
    assert "roc.vl.json" in markdown
    assert "base64" not in markdown


def test_a_page_without_plots_has_no_such_section() -> None:
    assert Topic.PLOTS not in to_document(report()).sections


@pytest.mark.threat(33)
def test_a_hostile_name_stays_a_name() -> None:
    html = to_html(report(plot(PNG, charted.png(), '"><script>alert(1)</script>')))
    assert Page(html).names.count("script") == 1  # its own
    assert re.search(r'alt="Plot &#34;&gt;&lt;script&gt;', html)


def test_the_json_form_has_names_and_sizes_and_no_content() -> None:
    content = charted.png()
    form = json.loads(to_json(report(plot(PNG, content, "a.png"))))
    assert form["plots"] == [{"name": "a.png", "media_type": PNG, "size_bytes": len(content)}]


def test_a_plot_that_was_not_loaded_keeps_its_size() -> None:
    one = Plot(name="a", media_type=PNG, size_bytes=9_000_000)
    assert one.size == one.listed.size == 9_000_000
    assert replace(one, size_bytes=None).size == 0
    assert problems([one]) == ("larger than 2.0 MB",)
