"""The full report: one self-contained page that asks nobody for anything."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256

from markupsafe import Markup
from msgspec.structs import replace

from assent.core.comment_layout import Topic
from assent.report.charts import charts_of
from assent.report.charts.pictures import pictures
from assent.report.document import to_document
from assent.report.escape import visible
from assent.report.markup import environment
from assent.report.parts import Document
from assent.report.review import ReviewReport

SHOWN_ROWS = 200
"""The rows of a table that stand in the page; more are behind its filter."""


def to_html(report: ReviewReport) -> str:
    """The review as a page: no request, light and dark, for phones and for paper. Its own script
    filters and sorts tables, and nothing else may run in it.
    """
    template = environment().get_template("report.html")
    script, digest = _script()
    return template.render(
        document=_drawn(report),
        reviewed_at=visible(report.at),
        script=script,
        script_digest=digest,
        shown_rows=SHOWN_ROWS,
    )


@cache
def _script() -> tuple[Markup, str]:
    """The page's own script, and its digest as the page's policy names it."""
    text = environment().get_template("report.js").render()
    digest = b64encode(sha256(text.encode()).digest()).decode()
    return Markup(text), f"sha256-{digest}"  # noqa: S704 - a file of this package


def _drawn(report: ReviewReport) -> Document:
    """The document with the charts and plots of each section."""
    document = to_document(report)
    sections = dict(document.sections)
    for topic, charts in charts_of(report).items():
        if topic in sections:
            sections[topic] = replace(sections[topic], charts=(*sections[topic].charts, *charts))
    if Topic.PLOTS in sections:
        sections[Topic.PLOTS] = replace(sections[Topic.PLOTS], pictures=pictures(report.plots))
    return replace(document, sections=sections)
