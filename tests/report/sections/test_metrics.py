"""What a reviewer sees of metrics."""

from __future__ import annotations

import html
import re

from msgspec.structs import replace

from assent.core.diff.metrics import Interval, MeasuredOn, MetricChange
from assent.core.diff.sameness import NotCompared
from assent.parsing import parse_yaml
from assent.report.markdown import sections_to_markdown
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
    assert f"{MINUS}0.0200 ({MINUS}2.2%) worse (95%: {MINUS}0.0200 to {MINUS}0.0100)" in text
    assert "Each range is the 95% interval" in text


def test_without_ranges_nothing_explains_them() -> None:
    assert "Each range" not in shown((0.9, RANGE), (0.9, RANGE))


def asked(*changes: MetricChange) -> str:
    return to_text([metrics_section(diff(metrics=changes))])


def test_the_direction_that_nobody_knows_is_asked_once_with_the_line_to_paste() -> None:
    text = asked(
        metric("revenue_usd", 100, 50),
        metric("slices.region.north.uptime_s", 9, 8),
        metric("slices.region.south.uptime_s", 9, 7),
        metric("no", 1, 2),
        metric("a: {`b", 1, 2),
        metric("same", 1, 1),
        metric("auc", 0.9, 0.8, "higher"),
    )
    line = re.search(r"directions: \{.*\}", text)
    assert line is not None
    assert parse_yaml(line[0].encode()) == {
        "directions": {
            "revenue_usd": "higher or lower",
            "uptime_s": "higher or lower",
            "no": "higher or lower",
            "a: {`b": "higher or lower",
        }
    }
    assert len(re.findall("directions:", text)) == 1
    assert "likewise" not in text


def test_nothing_is_asked_where_every_direction_is_known() -> None:
    text = asked(metric("auc", 0.9, 0.8, "higher"), metric("same", 1, 1))
    assert "directions" not in text


def test_the_line_to_paste_is_never_cut() -> None:
    text = to_markdown_of([metric(f"a_name_of_some_length_{at}", 1, 2) for at in range(20)])
    line = re.search(r"directions: \{([^}]*)\}", text)
    assert line is not None
    shown = line[1].count("higher or lower")
    assert f"(and {20 - shown} others likewise)" in text
    assert "left out" not in text


def to_markdown_of(changes: list[MetricChange]) -> str:
    found = metrics_section(diff(metrics=tuple(changes)))
    return html.unescape(sections_to_markdown([replace(found, tables=())]).replace("<!-- -->", ""))


def test_what_is_not_known_of_the_rows_is_said_once() -> None:
    changes = (metric("f1", 0.9, 0.8), metric("slices.a.b.f1", 0.9, 0.7), metric("acc", 0.9, 0.8))
    said = "Not known to be on the same rows"
    assert asked(*changes).count(said) == 1
    assert said not in asked(metric("latency_ms", 2, 3), metric("f1", 0.9, 0.9))
    known = diff(metrics=changes, measured_on=MeasuredOn(rows="same"))
    assert said not in to_text([metrics_section(known)])


def test_a_slice_that_is_gone_is_named() -> None:
    gone = MetricChange(name="slices.region.north.f1", old=0.9)
    assert "Slice of the baseline that is gone or next to without rows: region.north." in asked(
        gone, metric("slices.region.south.f1", 0.9, 0.9)
    )
    assert "next to without rows" not in asked(metric("slices.region.south.f1", 0.9, 0.9))


def test_between_values_of_other_things_there_is_no_change() -> None:
    moved = replace(
        metric("f1", 0.9, 0.8, "higher"),
        interval=RANGE,
        not_compared=NotCompared(reason="the labels are others"),
    )
    text = asked(moved)
    assert re.search(r"0.9 → 0.8 +not compared\n?$", text)
    assert "0.1" not in text
