"""Whose work a bundle holds beside that of its own change: Git is real, the forge in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest

from assent.config.read import read_config
from assent.core.change import Author, Change
from assent.core.entry import Kind, decode_entry
from assent.judging import inherited as module
from assent.judging.inherited import Inherited, inherited
from assent.making.bundle_lookup import find
from assent.recording.reading import read_ledger
from assent.testing.forge import MemoryForge
from assent.verbs.explain import explain
from assent.verbs.retire import retire
from tests.builders import run_git
from tests.judging.test_landing import moved_to
from tests.properties.test_landing import CONFIG, Request, Team

EVERYBODY = CONFIG.replace("from: [grace]", "from: [ada, bob, grace, sam]")
DOCS = [("docs.md", 1)]


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path, EVERYBODY, "bob", "sam")


def landed(team: Team, by: str, value: int = 1, name: str = "a.txt") -> Request:
    """A change of the model that nobody has approved, and that was merged."""
    request = team.open([(name, value)], by)
    team.merge(request, "squash")
    return request


def versioned(team: Team) -> None:
    """A version, so that everything before it is behind everybody."""
    request = team.open([("b.txt", 3)], "ada")
    team.review(request)
    team.approve(request)
    team.merge(request, "squash")
    team.run("push")
    assert len(team.registered()) == 1


def makers(team: Team, request: Request) -> tuple[set[str | None], tuple[str, ...]]:
    """Who is counted for what the request has from the base branch, and what is said of it."""
    if request.head not in request.shown:
        team.review(request)
    workspace = team._of(request)
    view = read_ledger(workspace, "churn")
    candidate = find(workspace, view, "churn", request.shown[request.head])
    found: Inherited = inherited(workspace, view, candidate, workspace.change())
    people = {None if one.person is None else one.person.login for one in found.authors}
    return people, found.remarks


def declared(team: Team) -> None:
    """The working tree's configuration is that of the run from now on."""
    config = read_config((team.folder / "assent.yaml").read_bytes(), "assent.yaml")
    team.opened = replace(team.opened, config=config)


def approvals(team: Team, kind: Kind = Kind.REGISTERED) -> list[set[str]]:
    entries = map(decode_entry, team.opened.ledger.read("churn").entries())
    return [{one.person.login for one in each.approvals} for each in entries if each.kind is kind]


class Counting(MemoryForge):
    """A forge that keeps which commits it was asked about."""

    def __init__(self, forge: MemoryForge) -> None:
        vars(self).update(vars(forge))
        self.looked_for: list[str] = []

    def landed(self, commit: str) -> Self:
        self.looked_for.append(commit)
        return super().landed(commit)


@pytest.mark.threat(1)
@pytest.mark.parametrize("has_version", [True, False])
def test_who_made_what_landed_does_not_approve_it_through_an_empty_change(
    team: Team, has_version: bool
) -> None:
    if has_version:
        versioned(team)
    before = len(team.registered())
    work = landed(team, "bob")
    empty = team.open(DOCS, "sam")
    team.review(empty)
    team.approve(empty, "bob")
    people, remarks = makers(team, empty)
    assert people == {"bob"}
    assert remarks[0] == f"{work.id} has landed and no version has it yet: made by `bob`"
    workspace = team._of(empty)
    (heard,) = explain(workspace, "churn", name=empty.shown[empty.head]).approvals.heard
    assert (heard.counts, "has landed before this change" in heard.why) == (False, True)
    team.merge(empty, "merge")
    team.run("push")
    assert len(team.registered()) == before

    team.approve(empty, "grace")
    team.run("schedule")
    assert len(team.registered()) == before + 1
    assert approvals(team)[-1] == {"grace"}
    (entry,) = [
        one
        for one in map(decode_entry, team.opened.ledger.read("churn").entries())
        if one.subject.version == before + 1
    ]
    assert {one.login for one in entry.authors} == {"bob", "sam"}


@pytest.mark.threat(1)
@pytest.mark.parametrize("has_version", [True, False])
def test_a_branch_that_has_merged_the_base_branch_hides_nobody(
    team: Team, has_version: bool
) -> None:
    """Where the base branch is moved to it as it is, its first parent is not the base branch."""
    if has_version:
        versioned(team)
    docs = team.open(DOCS, "sam")
    landed(team, "bob")
    moved_to(team, docs)
    team.review(docs)
    team.approve(docs, "bob")
    team._land(docs.head, docs)
    before = len(team.registered())
    team.run("push")
    assert len(team.registered()) == before
    assert makers(team, docs)[0] == {"bob"}


@pytest.mark.threat(1)
def test_who_made_a_version_that_was_retired_does_not_approve_its_inputs_again(
    team: Team,
) -> None:
    versioned(team)
    work = team.open([("a.txt", 2)], "bob")
    team.review(work)
    team.approve(work)
    team.merge(work, "squash")
    team.run("push")
    assert makers(team, team.open(DOCS, "sam"))[0] == set()
    retire(team.workspace("workflow_dispatch"), "churn", "v2", reason="a leak")
    assert makers(team, team.open(DOCS, "sam"))[0] == {"bob"}


@pytest.mark.threat(1)
def test_who_pushed_or_merged_by_hand_does_not_either(team: Team) -> None:
    versioned(team)
    commit = team.commit(team.tip, [("a.txt", 2)])
    team._land(commit, None)
    bob = Author(name="bob", person=team.forge.person("bob"))
    team.forge.merged[commit] = Change(
        id=f"main@{commit[:12]}", title="", base="main", head=commit, authors=(bob,), landed=True
    )
    assert makers(team, team.open(DOCS, "sam"))[0] == {"bob"}


@pytest.mark.threat(43)
def test_two_who_approved_each_other_and_land_at_once_get_both_their_versions(team: Team) -> None:
    versioned(team)
    first = team.open([("a.txt", 1)], "bob")
    team.review(first)
    team.approve(first, "sam")
    second = team.open([], "sam")
    second.head = team.commit(first.head, [("a.txt", 2)])
    team.review(second)
    team.approve(second, "bob")
    team.merge(first, "merge")
    team.merge(second, "merge")
    team.run("push")
    assert approvals(team)[1:] == [{"sam"}, {"bob"}]


@pytest.mark.threat(43)
def test_of_two_merged_beside_one_another_both_made_what_they_give_together(team: Team) -> None:
    versioned(team)
    landed(team, "bob", 1)
    landed(team, "sam", 2, "b.txt")
    landed(team, "grace", 7, "docs.md")
    assert makers(team, team.open(DOCS, "ada"))[0] == {"bob", "sam"}


def test_what_a_version_has_was_approved(team: Team) -> None:
    landed(team, "bob")
    versioned_before = team.open(DOCS, "sam")
    team.review(versioned_before)
    team.approve(versioned_before, "grace")
    team.merge(versioned_before, "squash")
    team.run("push")
    assert len(team.registered()) == 1
    assert makers(team, team.open([("a.txt", 3)], "sam")) == (set(), ())


def test_an_open_change_that_was_branched_before_has_nothing_of_it(team: Team) -> None:
    versioned(team)
    beside = team.open([("b.txt", 1)], "sam")
    landed(team, "bob")
    assert makers(team, beside) == (set(), ())


def test_what_was_taken_back_is_nobodys(team: Team) -> None:
    versioned(team)
    landed(team, "bob")
    team.revert()
    for _ in range(3):
        landed(team, "grace", 4, "docs.md")
    assert makers(team, team.open([("a.txt", 5)], "sam")) == (set(), ())


def test_before_there_is_a_version_only_what_came_after_the_declaration_counts(
    tmp_path: Path,
) -> None:
    team = Team(tmp_path, EVERYBODY.replace("churn:", "other:"), "bob", "sam")
    landed(team, "bob", 1)  # before the model was declared
    run_git(team.folder, "reset", "-q", "--hard", team.tip)
    (team.folder / "assent.yaml").write_text(EVERYBODY)
    run_git(team.folder, "commit", "-qam", "Declare churn")
    declared(team)
    assert makers(team, team.open([("a.txt", 2)], "sam")) == (set(), ())
    landed(team, "grace", 5)
    assert makers(team, team.open([("b.txt", 2)], "sam"))[0] == {"grace"}


@pytest.mark.threat(1)
def test_who_brings_files_with_the_declaration_made_them(tmp_path: Path) -> None:
    team = Team(tmp_path, EVERYBODY.replace("churn:", "other:"), "bob", "sam")
    run_git(team.folder, "reset", "-q", "--hard", team.tip)
    (team.folder / "assent.yaml").write_text(EVERYBODY)
    (team.folder / "a.txt").write_text("7\n")
    run_git(team.folder, "commit", "-qam", "Declare churn")
    tip = team.tip
    declared(team)
    bob = Author(name="bob", person=team.forge.person("bob"))
    team.forge.merged[tip] = Change(
        id="#90", title="", base="main", head=tip, authors=(bob,), landed=True
    )
    assert makers(team, team.open(DOCS, "sam"))[0] == {"bob"}


@pytest.mark.threat(1)
def test_more_than_the_forge_is_asked_for_are_somebody_unknown(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    versioned(team)
    for value in (1, 2, 3):
        landed(team, "bob", value)
    assert makers(team, team.open(DOCS, "sam"))[0] == {"bob", None}


@pytest.mark.threat(1)
def test_history_that_is_not_here_is_somebody_unknown(team: Team) -> None:
    for value in (1, 2, 3):
        landed(team, "bob", value)
    empty = team.open(DOCS, "sam")
    team.review(empty)
    shallow = run_git(team.folder, "rev-parse", f"{team.tip}~1")
    (team.folder / ".git/shallow").write_text(f"{shallow}\n")
    people, _ = makers(team, empty)
    assert people == {"bob", None}
    team.approve(empty, "grace")
    team.merge(empty, "merge")
    team.run("push")
    assert team.registered() == []


def test_the_forge_is_asked_once_for_each_step_that_changes_the_model(team: Team) -> None:
    versioned(team)
    for value in range(12):
        landed(team, "grace", value, "docs.md")
    landed(team, "bob")
    tip = team.tip
    for value in range(12, 20):
        landed(team, "grace", value, "docs.md")
    empty = team.open([("docs.md", 99)], "sam")
    team.review(empty)
    team.forge = counting = Counting(team.forge)
    assert makers(team, empty)[0] == {"bob"}
    assert counting.looked_for == [tip]
