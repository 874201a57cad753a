"""What every forge promises, in memory and in the local stand-in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assent.core.change import Change, ReviewState
from assent.forges.local import LocalForge, Person
from assent.git import Repository, Trunk
from assent.ports import Forge
from assent.testing.forge import MemoryForge
from tests.builders import AT, digest, new_repository, run_git

LATER = "2026-01-03T00:00:00Z"


@pytest.fixture(params=["memory", "local"])
def forge(request: pytest.FixtureRequest, tmp_path: Path) -> Forge:
    """A forge with ada, grace and rosa; grace is one of @ml; the change `topic` is open."""
    make: Callable[[Path], Forge] = {"memory": _memory, "local": _local}[request.param]
    return make(tmp_path)


def _memory(tmp_path: Path) -> Forge:
    forge = MemoryForge("ada", "grace", "rosa")
    forge.groups["@ml"] = {forge.person("grace").id}
    forge.open_change = Change(id="topic", title="A change", base="main", head="a" * 40, authors=())
    return forge


def _local(tmp_path: Path) -> Forge:
    folder = new_repository(tmp_path / "work")
    run_git(folder, "checkout", "-q", "-b", "topic")
    run_git(folder, "commit", "-q", "--allow-empty", "-m", "A change")
    repository = Repository(folder)
    people = [
        Person(name=name, email=f"{name}@example.com", groups=("ml",) if name == "grace" else ())
        for name in ("ada", "grace", "rosa")
    ]
    return LocalForge(
        repository,
        base=Trunk(repository, None),
        people=people,
        folder=tmp_path / "comments",
    )


def test_the_open_change_is_known(forge: Forge) -> None:
    change = forge.change()
    assert change is not None
    assert (change.id, change.title, change.base) == ("topic", "A change", "main")
    assert not change.landed
    assert len(change.head) == 40


def test_reviews_are_kept_in_order_with_what_they_are_about(forge: Forge) -> None:
    bundle = digest("b")
    forge.review("churn", bundle, by="grace", state=ReviewState.APPROVED, at=AT, reason=None)
    forge.review(
        "churn", bundle, by="grace", state=ReviewState.CHANGES_REQUESTED, at=LATER, reason="no"
    )
    change = forge.change()
    assert change is not None
    first, second = forge.reviews("churn", bundle)
    assert (first.state, second.state) == (ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED)
    assert first.person == second.person == forge.person("grace")
    assert (first.bundle, first.head, first.at) == (bundle, change.head, AT)
    assert second.reason == "no"


def test_reviews_of_the_same_change_for_an_earlier_bundle_are_told(forge: Forge) -> None:
    old, new = digest("old"), digest("new")
    forge.review("churn", old, by="grace", state=ReviewState.APPROVED, at=AT, reason=None)
    assert [review.bundle for review in forge.reviews("churn", new)] == [old]
    assert list(forge.reviews("fraud", old)) == []


def test_groups_logins_and_anyone_are_matched(forge: Forge) -> None:
    grace, rosa = forge.person("grace"), forge.person("rosa")
    assert forge.matches(grace, "@ml")
    assert not forge.matches(rosa, "@ml")
    assert forge.matches(rosa, "rosa")
    assert not forge.matches(rosa, "grace")
    assert forge.matches(rosa, "*")
    assert not forge.matches(rosa, "@nobody")


@pytest.mark.threat(8)
def test_one_person_has_one_identity_however_they_are_named(forge: Forge) -> None:
    assert forge.person("grace").key == forge.person("grace").key
    assert forge.person("grace").key != forge.person("rosa").key


def test_there_is_one_comment_per_model(forge: Forge) -> None:
    first = forge.comment("churn", digest("b"), "one")
    second = forge.comment("churn", digest("c"), "two")
    assert first == second
    assert forge.comment("fraud", digest("b"), "one") != first
