"""`note`: what happened, on the record."""

from __future__ import annotations

import pytest

from assent.core.entry import Kind
from assent.errors import UsageError
from assent.verbs.note import note
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
