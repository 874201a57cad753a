"""`approve`: who is heard, whose approval counts, and what of that is written."""

from __future__ import annotations

import pytest

from assent.core.change import ReviewState
from assent.core.context import Context
from assent.errors import ExitCode, PolicyError, UsageError
from assent.verbs.approve import approve
from tests.verbs.place import MODEL, Place


def test_an_approval_that_counts_is_one_entry_and_is_not_written_again(place: Place) -> None:
    bundle = place.bundle()
    place.approve(bundle, "bob")
    result = approve(place.open(), MODEL)
    assert result.recorded == ("approved by bob",)
    assert result.exit_code is ExitCode.DONE
    assert approve(place.open(), MODEL).recorded == ()
    [entry] = place.entries
    assert entry.actor.login == "bob"
    assert [one.login for one in entry.authors] == ["alice"]
    assert entry.approvals[0].bundle == bundle
    assert entry.verdict is not None
    assert entry.commit == place.forge.open_change.head  # type: ignore[union-attr]  # there is one


def test_the_author_is_heard_and_does_not_count(place: Place) -> None:
    place.approve(place.bundle(), "alice")
    result = approve(place.open(), MODEL)
    [heard] = result.heard
    assert not heard.counts
    assert "made this change" in heard.why
    assert result.exit_code is ExitCode.WAITING
    assert place.entries == []


def test_an_approval_given_here_that_counts_nowhere_is_an_error_of_who_gave_it(
    place: Place,
) -> None:
    place.bundle()
    result = approve(place.open(), MODEL, by="alice")
    assert result.exit_code is ExitCode.BLOCKED
    assert place.entries == []


def test_an_approval_of_other_bytes_is_no_approval(place: Place) -> None:
    other = place.bundle(content=b"other weights")
    place.approve(other, "bob")
    bundle = place.bundle()
    result = approve(place.open(), MODEL, name=bundle)
    assert [one.counts for one in result.heard] == [False]
    assert result.exit_code is ExitCode.WAITING


def test_an_objection_after_an_approval_is_written(place: Place) -> None:
    bundle = place.bundle()
    place.approve(bundle, "bob")
    approve(place.open(), MODEL)
    result = approve(place.open(), MODEL, by="bob", reject=True, reason="leaks the label")
    assert result.recorded == ("rejected by bob",)
    assert result.exit_code is ExitCode.BLOCKED
    assert place.entries[-1].reason == "leaks the label"
    assert [one.state for one in result.heard] == [ReviewState.CHANGES_REQUESTED]


def test_who_counts_for_one_stage_alone_is_said_by_stage(place: Place) -> None:
    bundle = place.bundle()
    place.approve(bundle, "carol")
    result = approve(place.open(), MODEL)
    assert [one.counts for one in result.stages["production"].heard] == [True]
    place.approve(bundle, "bob")
    result = approve(place.open(), MODEL)
    counted = {one.person.login: one.counts for one in result.stages["production"].heard}
    assert counted == {"bob": False, "carol": True}


def test_a_bundle_that_there_is_not(place: Place) -> None:
    with pytest.raises(UsageError, match="there is none yet") as caught:
        approve(place.open(), MODEL)
    assert "assent review" in (caught.value.hint or "")


def test_in_ci_a_bundle_of_other_inputs_than_the_change_has_is_refused(place: Place) -> None:
    bundle = place.bundle()
    place.commit(0.9)
    place.approve(bundle, "bob")
    job = Context(system="ci", untrusted="", ref="refs/heads/main")
    with pytest.raises(PolicyError, match=r"params\.json has changed") as caught:
        approve(place.open(context=job), MODEL, name=bundle)
    assert "let CI train" in (caught.value.hint or "")
    assert place.entries == []
