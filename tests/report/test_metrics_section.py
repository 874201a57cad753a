"""What a reviewer sees of metrics."""

from __future__ import annotations

from msgspec.structs import replace

from assent.core.diff.metrics import Interval
from assent.report.numbers import MINUS
from assent.report.sections.metrics import metrics_section
from assent.report.text import to_text
from tests.report.samples import diff, metric

RANGE = Interval(low=-0.2, high=0.2, n=100, method="multinomial bootstrap")
LOSS = Interval(low=-0.02, high=-0.01, n=100, method="DeLong")


def shown(*intervals: tuple[float, Interval]) -> str:
    metrics = tuple(
        replace(metric(f"m{at}", 0.9, new, "higher"), interval=interval)
        for at, (new, interval) in enumerate(intervals)
    )
    return to_text([metrics_section(diff(metrics=metrics))])


def test_a_value_that_did_not_change_has_no_interval_of_its_change() -> None:
    text = shown((0.9, RANGE), (0.88, LOSS))
    assert f"{MINUS}0.2" not in text
    assert f"{MINUS}0.02 to {MINUS}0.01" in text
    assert "Each range is the 95% interval" in text


def test_without_ranges_nothing_explains_them() -> None:
    assert "Each range" not in shown((0.9, RANGE), (0.9, RANGE))
