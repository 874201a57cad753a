"""What every ledger promises: in memory, in a repository alone, through a remote, in a bucket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assent.core.entry import GENESIS, Kind, decode_entry
from assent.core.registry import ChainError, IllegalEntryError, fold
from assent.git import Repository
from assent.ledgers.git.ledger import GitLedger
from assent.ledgers.objects.ledger import open_ledger
from assent.ports import Ledger, MovedError
from assent.testing.ledger import MemoryLedger
from tests.builders import (
    approved,
    digest,
    draft,
    new_clone,
    new_repository,
    person,
    promoted,
    registered,
    run_git,
    subject,
)
from tests.stores import services
from tests.stores.services import service

Open = Callable[[], Ledger]
"""Open the same ledger once more, as another process or another clone would."""


BUCKETS = [kind for kind in services.Kind if kind is not services.Kind.S3_UNCONDITIONAL]


@pytest.fixture(params=["memory", "git alone", "git remote", "git filtering remote", *BUCKETS])
def reopen(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    match request.param:
        case services.Kind() as kind:
            at = service(kind)
            for name, value in at.environment.items():
                monkeypatch.setenv(name, value)
            address, homes = at.address(), iter(range(100))

            def elsewhere() -> Ledger:
                home = tmp_path / f"home{next(homes)}"
                return open_ledger(address, at.environment, home, lambda _: None)

            return elsewhere
        case "memory":
            ledger = MemoryLedger()
            return lambda: ledger
        case "git alone":
            folder = new_repository(tmp_path / "work")
            return lambda: GitLedger(Repository(folder), None)
        case kind:
            remote = new_repository(tmp_path / "remote.git", bare=True)
            if kind == "git filtering remote":
                run_git(remote, "config", "uploadpack.allowFilter", "true")
            clones = iter(range(100))

            def clone() -> Ledger:
                folder = new_clone(remote, tmp_path / f"clone{next(clones)}")
                if kind == "git filtering remote":
                    run_git(folder, "remote", "set-url", "origin", remote.as_uri())
                return GitLedger(Repository(folder), "origin")

            return clone


def test_a_new_ledger_is_empty(reopen: Open) -> None:
    view = reopen().read("churn")
    assert (view.state.seq, view.state.versions, view.head) == (-1, 0, GENESIS)
    assert list(view.entries()) == []
    assert view.record(digest("b1")) is None
    assert view.bundle_of(1) is None
    assert reopen().models() == []


def test_what_is_appended_is_read_by_others(reopen: Open) -> None:
    ledger = reopen()
    ledger.append(ledger.read("churn"), [approved("b1", "bob")])
    ledger.append(ledger.read("churn"), [registered(1)])
    ledger.append(ledger.read("churn"), [promoted(1, "staging")])
    view = reopen().read("churn")
    assert view.state.stages["staging"].version == 1
    assert view.state.seq == 2
    assert view.bundle_of(1) == digest("b1")
    record = view.record(digest("b1"))
    assert record is not None
    assert record.version == 1
    assert record.opinions[person("bob").key].kind is Kind.APPROVED
    kinds = [decode_entry(content).kind for content in view.entries()]
    assert kinds == [Kind.APPROVED, Kind.REGISTERED, Kind.PROMOTED]
    assert [decode_entry(content).seq for content in view.entries(1)] == [1, 2]
    assert decode_entry(view.entry(1)).kind is Kind.REGISTERED
    assert reopen().models() == ["churn"]


def test_several_entries_are_written_all_or_none(reopen: Open) -> None:
    ledger = reopen()
    entries = ledger.append(ledger.read("churn"), [registered(1), promoted(1, "staging")])
    assert [entry.seq for entry in entries] == [0, 1]
    with pytest.raises(IllegalEntryError):
        ledger.append(ledger.read("churn"), [registered(2), promoted(7, "staging", replaces=1)])
    assert reopen().read("churn").state.versions == 1


@pytest.mark.threat(24)
def test_appending_to_an_old_view_is_refused(reopen: Open) -> None:
    one, other = reopen(), reopen()
    view = one.read("churn")
    other.append(other.read("churn"), [registered(1)])
    with pytest.raises(MovedError):
        one.append(view, [registered(1)])
    assert one.read("churn").state.versions == 1
    one.append(one.read("churn"), [registered(2)])
    assert reopen().read("churn").state.versions == 2


def test_what_is_derived_is_the_fold_of_the_entries(reopen: Open) -> None:
    ledger = reopen()
    ledger.append(ledger.read("churn"), [registered(number) for number in range(1, 20)])
    for number in range(20, 26):
        ledger.append(ledger.read("churn"), [registered(number)])
    ledger.append(ledger.read("churn"), [promoted(3, "staging"), promoted(9, "staging", 3)])
    ledger.append(ledger.read("churn"), [draft(Kind.RETIRED, subject("b1", 1))])
    view = reopen().read("churn")
    assert view.astray(fold("churn", view.entries())) == ()
    assert len(view.state.newest) == 20
    assert view.bundle_of(2) == digest("b2")


def test_models_do_not_share_anything(reopen: Open) -> None:
    ledger = reopen()
    ledger.append(ledger.read("churn"), [registered(1)])
    other = draft(Kind.REGISTERED, subject("x", 1), model="fraud")
    ledger.append(ledger.read("fraud"), [other])
    assert reopen().models() == ["churn", "fraud"]
    assert reopen().read("fraud").state.versions == 1
    assert reopen().read("churn").bundle_of(1) == digest("b1")


@pytest.mark.parametrize("at_once", [7, 61])
def test_entries_are_adopted_byte_for_byte(reopen: Open, tmp_path: Path, at_once: int) -> None:
    source = GitLedger(Repository(new_repository(tmp_path / "source")), None)
    drafts = [approved("b1", "bob"), *(registered(number) for number in range(1, 60))]
    source.append(source.read("churn"), [*drafts, promoted(3, "staging"), promoted(3, "prod")])
    contents = list(source.read("churn").entries())
    ledger = reopen()
    for start in range(0, len(contents), at_once):
        ledger.adopt(ledger.read("churn"), contents[start : start + at_once])
    view = reopen().read("churn")
    assert list(view.entries()) == contents
    assert view.state == source.read("churn").state
    assert view.bundle_of(2) == digest("b2")
    assert view.astray(fold("churn", view.entries())) == ()
    ledger.append(ledger.read("churn"), [promoted(4, "staging", replaces=3)])


def test_entries_that_do_not_follow_are_not_adopted(reopen: Open, tmp_path: Path) -> None:
    source = GitLedger(Repository(new_repository(tmp_path / "source")), None)
    source.append(source.read("churn"), [registered(1), registered(2)])
    contents = list(source.read("churn").entries())
    ledger = reopen()
    with pytest.raises(ChainError):
        ledger.adopt(ledger.read("churn"), contents[1:])
    old = ledger.read("churn")
    ledger.adopt(old, contents[:1])
    with pytest.raises(MovedError):
        ledger.adopt(old, contents)
    assert list(reopen().read("churn").entries()) == contents[:1]


def test_a_place_that_keeps_a_ledger_says_so_as_often_as_it_is_asked(reopen: Open) -> None:
    ledger = reopen()
    for _ in range(2):
        ledger.require_writable()
