from __future__ import annotations

import json

import msgspec
import pytest

from assent.core.diff.metrics import MetricChange
from assent.core.verdict import Decision
from assent.report.jsonform import ReviewForm, to_json
from assent.report.review import ReviewReport

from . import samples


@pytest.mark.parametrize("make", [samples.passed, samples.blocked, samples.first])
def test_the_form_is_complete(make: type) -> None:
    report = make()
    form = msgspec.json.decode(to_json(report), type=ReviewForm)
    fields = msgspec.structs.asdict(form)
    decision, missing = fields.pop("decision"), fields.pop("approvals_missing")
    assert ReviewReport(**fields) == report
    assert decision is report.verdict.decision
    assert missing == report.approvals.missing


def test_the_decision_and_the_format_are_stated() -> None:
    form = json.loads(to_json(samples.blocked()))
    assert form["format"] == "assent/review/1"
    assert form["decision"] == Decision.BLOCKED
    assert form["diff"]["metrics"][6]["new"] == {"nonfinite": "nan"}


def test_missing_is_left_out_and_null_is_null() -> None:
    metrics = (MetricChange(name="gone", old=None),)
    form = json.loads(to_json(samples.review(diff=samples.diff(metrics=metrics))))
    assert form["diff"]["metrics"][0]["old"] is None
    assert "new" not in form["diff"]["metrics"][0]


def test_the_same_review_is_the_same_bytes() -> None:
    one = msgspec.structs.replace(samples.EVIDENCE, params={"a": 1, "b": 2})
    other = msgspec.structs.replace(samples.EVIDENCE, params={"b": 2, "a": 1})
    assert to_json(samples.review(evidence=one)) == to_json(samples.review(evidence=other))
