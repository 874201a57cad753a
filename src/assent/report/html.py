"""The full report: one self-contained page that asks nobody for anything."""

from __future__ import annotations

from msgspec.structs import replace

from assent.report.charts import charts_of
from assent.report.charts.pictures import pictures
from assent.report.document import to_document
from assent.report.escape import visible
from assent.report.markup import environment
from assent.report.parts import Document, Topic
from assent.report.review import ReviewReport


def to_html(report: ReviewReport) -> str:
    """The review as a page: no script, no request, light and dark, for phones and for paper."""
    template = environment().get_template("report.html")
    return template.render(document=_drawn(report), reviewed_at=visible(report.at))


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
