"""Whose yes to a run is a yes to the bundle that it ships."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from assent.core.change import Review, ReviewState
from assent.ports import DeploymentRequest
from assent.recording.deployments import findings_of, reviews_of
from tests.builders import AT, digest, person

BUNDLE = digest("b1")


def yes(name: str) -> Review:
    return Review(
        person=person(name), state=ReviewState.APPROVED, at=AT, head="a" * 40, bundle=None
    )


def counted(request: DeploymentRequest, **said: bool) -> tuple[list[str], list[str]]:
    """Whose approvals count, and what is said of the others."""
    told: list[str] = []
    workspace: Any = SimpleNamespace(say=told.append)
    found = reviews_of(workspace, request, BUNDLE, **said)
    assert all(review.bundle == BUNDLE and review.head is None for review in found)
    return [review.person.login for review in found], told


def test_who_let_the_run_go_on_approves_what_it_names() -> None:
    request = DeploymentRequest(
        by=person("sam"), approvals=(yes("rosa"), yes("grace")), is_guarded=True
    )
    assert counted(request) == (["rosa", "grace"], [])


@pytest.mark.threat(1)
def test_whoever_started_the_run_does_not_approve_it() -> None:
    request = DeploymentRequest(
        by=person("sam"), approvals=(yes("sam"), yes("rosa")), is_guarded=True
    )
    names, told = counted(request)
    assert names == ["rosa"]
    assert "sam started this run" in told[0]


@pytest.mark.threat(3)
@pytest.mark.threat(20)
def test_a_yes_that_was_given_before_the_version_was_chosen_is_for_none() -> None:
    request = DeploymentRequest(by=person("sam"), approvals=(yes("rosa"),), is_of_version=False)
    names, told = counted(request)
    assert names == []
    assert "before its version was chosen" in told[0]


@pytest.mark.threat(3)
def test_a_yes_to_a_run_that_names_no_version_is_for_none() -> None:
    names, told = counted(
        DeploymentRequest(by=person("sam"), approvals=(yes("rosa"),)), is_named=False
    )
    assert names == []
    assert "names no version" in told[0]


def test_a_run_past_its_reviewers_is_on_the_record() -> None:
    [finding] = findings_of(DeploymentRequest(by=person("sam"), is_guarded=True), "production")
    assert "without them" in finding.reason
    assert findings_of(DeploymentRequest(by=person("sam")), "production") == []
    guarded = DeploymentRequest(by=person("sam"), approvals=(yes("rosa"),), is_guarded=True)
    assert findings_of(guarded, "production") == []
