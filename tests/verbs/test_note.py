"""`note`: what happened, on the record."""

from __future__ import annotations

import pytest

from assent.core.entry import Kind
from assent.errors import UsageError
from assent.report.markdown import to_markdown
from assent.verbs.note import note
from assent.verbs.review import review
from tests.verbs.place import MODEL, Place


def test_about_a_version_a_stage_and_the_model(place: Place) -> None:
    bundle = place.version(1)
    place.hold("production", 1)
    workspace = place.open()
    assert note(workspace, MODEL, "won the trial", version="v1").sentence == "noted on v1"
    assert note(workspace, MODEL, "late by an hour", stage="production").version == 1
    assert note(workspace, MODEL, "a new owner").sentence == "noted on churn"
    first, second, third = place.entries[-3:]
    assert {one.kind for one in (first, second, third)} == {Kind.NOTED}
    assert (first.subject.bundle, first.reason) == (bundle, "won the trial")
    assert (second.stage, second.subject.version) == ("production", 1)
    assert third.subject.bundle is None


def test_links_and_when_it_happened_are_kept(place: Place) -> None:
    place.version(1)
    links = {"ticket": "https://tickets.example/7"}
    note(place.open(), MODEL, "an outage", links=links, happened="2025-12-31")
    entry = place.entries[-1]
    assert (entry.links, entry.happened) == (links, "2025-12-31")
    assert entry.at == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize("happened", ["yesterday", "2025-02-30", "2031-01-01"])
def test_a_date_that_is_none_or_is_to_come(place: Place, happened: str) -> None:
    with pytest.raises(UsageError):
        note(place.open(), MODEL, "an outage", happened=happened)
    assert place.entries == []


def test_no_words_and_nothing_that_they_are_about(place: Place) -> None:
    with pytest.raises(UsageError, match="reason"):
        note(place.open(), MODEL, " ")
    with pytest.raises(UsageError):
        note(place.open(), MODEL, "good", version="v1")
    with pytest.raises(UsageError):
        note(place.open(), MODEL, "good", stage="staging")
    assert place.entries == []


def test_figures_are_kept_as_numbers(place: Place) -> None:
    place.version(1)
    note(place.open(), MODEL, "an A/B test", version="v1", metrics={"retention": 0.412, "users": 9})
    assert place.entries[-1].metrics == {"retention": 0.412, "users": 9.0}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_cannot_be_compared_is_none(place: Place, value: float) -> None:
    with pytest.raises(UsageError, match="no figure"):
        note(place.open(), MODEL, "an A/B test", metrics={"retention": value})
    assert place.entries == []


def test_other_figures_are_another_note(place: Place) -> None:
    for value in (1.0, 2.0):
        note(place.open(), MODEL, "measured", metrics={"x": value})
    assert [entry.metrics for entry in place.entries] == [{"x": 1.0}, {"x": 2.0}]


def test_a_note_is_shown_in_the_next_review_of_what_is_compared_with_it(place: Place) -> None:
    place.version(1)
    place.hold("production", 1)
    hostile = "@everyone `x` | \x1b[31m <img src=x>"
    note(place.open(), MODEL, hostile, stage="production", metrics={"retention": 0.5})
    place.commit(0.9)
    place.bundle(0.9)
    report = review(place.open(), MODEL).report
    [shown] = [words for words in report.notes if "Noted of the baseline v1" in words]
    assert "retention = 0.5" in shown
    comment = to_markdown(report, full_report="x")
    assert "retention" in comment
    assert "<img" not in comment
    assert "\x1b" not in comment
