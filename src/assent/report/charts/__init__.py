"""The charts of the full report, drawn as SVG without any library.

Every chart repeats what a table of its section says in numbers, and says it in words for those
who cannot see it. Colours follow Okabe and Ito, "Color Universal Design" (2008), whose blue, bluish
green and vermilion people with any common colour vision tell apart; they are darker on light and
lighter on dark, so that text in them can be read. Nothing is said by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from assent.core.comment_layout import Topic
from assent.report.charts.calibration import calibration_charts
from assent.report.charts.confusion import confusion_charts
from assent.report.charts.distribution import distribution_charts
from assent.report.charts.flips import flips_charts
from assent.report.charts.gated import ranks_of
from assent.report.charts.intervals import interval_charts
from assent.report.charts.residuals import residuals_charts
from assent.report.charts.slices import slice_charts
from assent.report.charts.weights import weights_charts
from assent.report.parts import Chart
from assent.report.review import ReviewReport

_MOST_COLUMNS = 12
_OPEN = 4
"""So many charts of a section are open; the others are folded."""


def charts_of(report: ReviewReport) -> Mapping[Topic, tuple[Chart, ...]]:
    """The charts of each section, by its topic. Sections without any are not there."""
    diff = report.diff
    predictions = diff.predictions
    ranks = ranks_of(report.verdict.findings)
    charts_by_topic = {
        Topic.METRICS: (*interval_charts(diff.metrics, ranks), *slice_charts(diff, ranks)),
        Topic.PREDICTIONS: ()
        if predictions is None
        else (
            *flips_charts(predictions),
            *calibration_charts(predictions),
            *confusion_charts(predictions),
            *residuals_charts(predictions),
        ),
        Topic.DATA: distribution_charts(diff.data, _MOST_COLUMNS),
        Topic.MODEL: weights_charts(diff.model_files),
    }
    return {topic: _folded(charts) for topic, charts in charts_by_topic.items() if charts}


def _folded(charts: tuple[Chart, ...]) -> tuple[Chart, ...]:
    if len(charts) <= _OPEN + 1:
        return charts
    return (*charts[:_OPEN], *(replace(chart, is_folded=True) for chart in charts[_OPEN:]))
