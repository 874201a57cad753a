from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from assent.report.junit import to_junit
from tests.effort import examples

from . import samples
from .nasty import texts


def suite_of(content: bytes) -> ElementTree.Element:
    suite = ElementTree.fromstring(content).find("testsuite")
    assert suite is not None
    return suite


def test_gates_are_test_cases() -> None:
    suite = suite_of(
        to_junit(samples.review(samples.PASS, samples.FAIL, samples.WAIT, samples.SKIP))
    )
    counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "4", "failures": "1", "errors": "0", "skipped": "2"}
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [
        samples.PASS.rule,
        samples.FAIL.rule,
        samples.WAIT.rule,
        samples.SKIP.rule,
    ]
    assert list(cases[0]) == []
    failure = cases[1].find("failure")
    assert failure is not None
    assert failure.get("message") == samples.FAIL.reason
    assert failure.text == "\n".join(
        (samples.FAIL.reason, samples.FAIL.evidence, samples.FAIL.remedy)
    )
    skipped = [case.find("skipped") for case in cases[2:]]
    assert [one.get("message") for one in skipped if one is not None] == [
        "waiting: 0 of 1 given: 1 more of alice or @acme/ml must approve",
        "not applicable: no baseline",
    ]


def test_nothing_judged_is_a_failure() -> None:
    suite = suite_of(to_junit(samples.review()))
    assert suite.get("failures") == "1"
    assert suite.find("testcase/failure") is not None


@pytest.mark.threat(33)
@given(text=texts)
@settings(max_examples=examples(100))
def test_hostile_text_stays_text(text: str) -> None:
    suite = suite_of(to_junit(samples.hostile(text)))
    assert [case.tag for case in suite] == ["testcase"] * 3
    assert [child.tag for case in suite for child in case] == ["failure"] * 3


def test_illegal_characters_are_replaced() -> None:
    suite = suite_of(to_junit(samples.hostile("a\x00b\ud800c\uffffd\te")))
    assert suite[0].get("name") == "a\ufffdb\ufffdc\ufffdd\te"
