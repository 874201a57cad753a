"""What every ledger promises, in memory, in a repository alone, and through a remote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assent.core.entry import GENESIS, Kind, decode_entry
from assent.core.registry import IllegalEntryError, fold
from assent.git import Repository
from assent.ledgers.git.ledger import GitLedger
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

Open = Callable[[], Ledger]
"""Open the same ledger once more, as another process or another clone would."""


@pytest.fixture(params=["memory", "git alone", "git remote", "git filtering remote"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    match request.param:
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
